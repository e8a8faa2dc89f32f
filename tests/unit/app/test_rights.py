"""Who may look and who may change: the sign-in gate, editors, read only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import streamlit as st
from page_help import Open, words
from streamlit.errors import StreamlitAuthError

from app import guard, rights
from app.widgets import sign_in

Claims = Callable[[dict[str, Any] | None], None]


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> Claims:
    """Let people sign in here, and one of them, with these claims, be there; None: nobody yet."""

    def be(claims: dict[str, Any] | None) -> None:
        told = {"is_logged_in": claims is not None, **(claims or {})}
        monkeypatch.setattr(rights, "signs_in", lambda: True)
        monkeypatch.setattr(rights, "_claims", lambda: told)
        monkeypatch.setattr(rights, "providers", lambda: ["", "my_group"])

    return be


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(rights.READ_ONLY, raising=False)
    monkeypatch.delenv(rights.EDITORS, raising=False)


def test_without_sign_in_everybody_may_edit_unless_read_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not rights.signs_in()
    assert rights.viewer() is None
    assert rights.may_edit()
    monkeypatch.setenv(rights.READ_ONLY, "1")
    assert not rights.may_edit()


@pytest.mark.parametrize(
    ("editors", "claims", "allowed"),
    [
        (None, {"email": "ada@x.org"}, True),
        (None, None, False),
        ("ada@x.org, Alan@X.org", {"email": "alan@x.org"}, True),
        ("ada@x.org", {"email": "ADA@x.org", "email_verified": True}, True),
        ("ada@x.org", {"email": "ada@x.org", "email_verified": False}, False),
        ("ada@x.org", {"email": "eve@x.org"}, False),
        ("ada@x.org", {"name": "ada@x.org"}, False),
        ("ada@x.org", None, False),
        ("", {"email": ""}, False),
        (" , ", {}, False),
    ],
)
def test_editors(
    signed_in: Claims,
    monkeypatch: pytest.MonkeyPatch,
    editors: str | None,
    claims: dict[str, Any] | None,
    allowed: bool,
) -> None:
    signed_in(claims)
    if editors is not None:
        monkeypatch.setenv(rights.EDITORS, editors)
    assert rights.may_edit() is allowed
    monkeypatch.setenv(rights.READ_ONLY, "1")
    assert not rights.may_edit()


def test_editors_without_sign_in_are_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(rights.EDITORS, "ada@x.org")
    assert not rights.may_edit()


def test_secrets_decide_whether_people_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    section = {"auth": {"client_id": "x", "google": {"client_id": "y"}, "okta": {}}}
    monkeypatch.setattr(st.secrets, "load_if_toml_exists", lambda: True)
    monkeypatch.setattr(st.secrets, "_secrets", section)
    assert rights.signs_in()
    assert rights.providers() == ["google", "okta"]
    section["auth"] = {"client_id": "x"}
    assert rights.providers() == [""]


def test_nothing_is_seen_before_signing_in(open_page: Open, signed_in: Claims) -> None:
    signed_in(None)
    test = open_page()
    assert not test.exception
    assert [title.value for title in test.title] == ["Sign in"]
    labels = [button.label for button in test.button]
    assert labels == ["Sign in", "Sign in with My group"]
    assert "Overview" not in words(test)


def test_signing_in_is_asked_of_the_provider(
    open_page: Open, signed_in: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(None)
    asked: list[str | None] = []
    monkeypatch.setattr(sign_in.st, "login", asked.append)
    test = open_page()
    test.button(key="sign-in-my_group").click().run()
    test.button(key="sign-in-").click().run()
    assert asked == ["my_group", None]

    def unfinished(provider: str | None) -> None:
        raise StreamlitAuthError("The cookie_secret is missing.\nMore.")

    monkeypatch.setattr(sign_in.st, "login", unfinished)
    test.button(key="sign-in-").click().run()
    assert "cookie\\_secret is missing\\. Whoever runs this server" in test.error[0].value


def test_who_is_signed_in_stands_in_the_menu(
    open_page: Open, signed_in: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in({"email": "ada@x.org"})
    left: list[bool] = []
    monkeypatch.setattr(sign_in.st, "logout", lambda: left.append(True))
    test = open_page()
    assert [title.value for title in test.title] == ["Overview"]
    said = " ".join(element.proto.body for element in test.sidebar.get("html"))
    assert "Signed in as ada@x.org<" in said
    assert "Read only" not in " ".join(item.value for item in test.sidebar.markdown)
    test.sidebar.button(key="sign-out").click().run()
    assert left == [True]


def test_read_only_is_said_and_nothing_is_done(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(rights.READ_ONLY, "1")
    test = open_page()
    assert "Read only" in " ".join(item.value for item in test.sidebar.markdown)
    done: list[bool] = []
    assert guard.attempt(lambda: done.append(True), "Done") is False
    assert done == []
    monkeypatch.delenv(rights.READ_ONLY)
    assert guard.attempt(lambda: done.append(True), "Done") is True
    assert done == [True]
