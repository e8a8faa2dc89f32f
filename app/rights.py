"""Who may change things. Looking is free; queueing, steering, importing and deleting are not."""

from __future__ import annotations

import os


def may_edit() -> bool:
    """Tell whether the present viewer may change anything.

    With NASW_READ_ONLY=1 in the server's environment nobody may, for a page that only shows.
    """
    return os.environ.get("NASW_READ_ONLY", "") != "1"
