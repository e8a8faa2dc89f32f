"""Faults shown as sentences: what happened, what was kept, what to do. Never a traceback."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec

import streamlit as st

from app.rights import may_edit
from engine.spec.errors import StoreError, WorkbenchError

P = ParamSpec("P")
_log = logging.getLogger("app")


def shielded(draw: Callable[P, None]) -> Callable[P, None]:
    """Wrap a page or live part so that a fault is told in words and the rest stays usable."""

    @functools.wraps(draw)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            draw(*args, **kwargs)
        except WorkbenchError as error:
            tell(error)
        except Exception:
            _log.exception("a page failed")
            st.error(
                "This part of the page could not be drawn because of a fault in the program. "
                "Your runs and files are not affected. Reload the page; if it happens again, "
                "the server's log has the details.",
                icon=":material/bug_report:",
            )

    return guarded


def tell(error: WorkbenchError) -> None:
    """Show the sentence of an expected error."""
    if isinstance(error, StoreError):
        st.warning(
            f"{error} Runs and their folders are safe; this page tries again by itself.",
            icon=":material/cloud_off:",
        )
    else:
        st.error(str(error), icon=":material/error:")


def attempt(action: Callable[[], object], done: str) -> bool:
    """Do something the user asked for; say that it is done, or why it could not be.

    Nothing is done for a viewer without the right to edit, whatever a page has drawn: a button
    that is switched off can still be pressed by a forged message.
    """
    if not may_edit():
        st.toast("You may look, but not change anything here.", icon=":material/visibility:")
        return False
    try:
        action()
    except WorkbenchError as error:
        st.toast(str(error), icon=":material/error:", duration="long")
        return False
    st.toast(done, icon=":material/check:")
    return True
