"""Who may change things. Looking is free; queueing, steering, importing and deleting are not."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import streamlit as st

READ_ONLY, EDITORS = "NASW_READ_ONLY", "NASW_EDITORS"


def may_edit() -> bool:
    """Tell whether the present viewer may change anything.

    With NASW_READ_ONLY=1 in the server's environment nobody may, for a page that only shows. With
    NASW_EDITORS, e-mail addresses separated by commas, only these signed-in people may; whose
    provider says that the address is not verified may not. Otherwise everybody may who gets in.
    """
    if os.environ.get(READ_ONLY, "") == "1":
        return False
    listed = os.environ.get(EDITORS)
    if listed is None:
        return not must_sign_in()
    editors = {address.strip().lower() for address in listed.split(",") if address.strip()}
    claims = _claims() if signs_in() else {}
    address = str(claims.get("email") or "").lower()
    return claims.get("email_verified") is not False and address in editors


def signs_in() -> bool:
    """Tell whether people sign in here: secrets.toml has a section `[auth]` (OpenID Connect)."""
    return bool(st.secrets.load_if_toml_exists()) and "auth" in st.secrets


def must_sign_in() -> bool:
    """Tell whether the present viewer has to sign in before seeing anything."""
    return signs_in() and not _claims().get("is_logged_in")


def viewer() -> str | None:
    """Return who is signed in, None where people do not sign in."""
    claims = _claims() if signs_in() else {}
    if not claims.get("is_logged_in"):
        return None
    return str(claims.get("email") or claims.get("name") or claims.get("sub") or "somebody")


def providers() -> list[str]:
    """Return the names of the providers of `[auth]`; an empty one is the only, unnamed one."""
    section: Mapping[str, Any] = st.secrets["auth"]
    named = [key for key, value in section.items() if isinstance(value, Mapping)]
    return named or [""]


def _claims() -> dict[str, Any]:
    return dict(st.user.to_dict())
