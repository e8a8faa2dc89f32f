"""Signing in and out, and the mark that nothing can be changed."""

from __future__ import annotations

from html import escape

import streamlit as st
from streamlit.errors import StreamlitAuthError

from app import rights
from app.widgets.plain import plain


def gate() -> None:
    """Draw the page that stands before all others."""
    middle = st.container(horizontal_alignment="center")
    with middle.container(border=True, width=460, key="sign-in"):
        st.title("Sign in", anchor=False)
        st.markdown("This lab is open to people its owner knows. Sign in to see its experiments.")
        for name in rights.providers():
            label = f"Sign in with {name.replace('_', ' ').capitalize()}" if name else "Sign in"
            if st.button(label, key=f"sign-in-{name}", type="primary", icon=":material/login:"):
                _sign_in(name)


def _sign_in(provider: str) -> None:
    try:
        st.login(provider or None)
    except StreamlitAuthError as error:
        first = str(error).strip().splitlines()[0]
        st.error(
            f"Signing in is not set up completely: {plain(first)} Whoever runs this server finds "
            "in docs/sharing.md what is missing.",
            icon=":material/error:",
        )


def sidebar() -> None:
    """Say who is signed in, with the way out, and whether nothing can be changed."""
    name, editor = rights.viewer(), rights.may_edit()
    if name is None and editor:
        return
    with st.sidebar:
        if not editor:
            st.badge("Read only", icon=":material/visibility:", color="gray")
        if name is not None:
            st.html(f'<p class="nw-quiet nw-small">Signed in as {escape(name)}</p>')
            if st.button("Sign out", key="sign-out", icon=":material/logout:", type="tertiary"):
                st.logout()
