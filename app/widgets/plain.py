"""A user's words, kept from being read as Markdown."""

from __future__ import annotations

import re
from html import escape

_CODE = re.compile(r"`([^`]+)`")
_SPECIAL = frozenset(r"\`*_{}[]()#+-.!|~:$<>")


def plain(text: str) -> str:
    """Return the text so that Markdown shows it as it was written, on one line."""
    one_line = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in one_line)


def as_html(text: str) -> str:
    """Return a sentence of the engine as HTML: what stands between backticks is code."""
    return _CODE.sub(r"<code>\1</code>", escape(text))
