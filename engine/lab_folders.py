"""Where a lab keeps what outlives its runs."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder() -> Path:
    """Return the folder of results bank and downloads: NASW_DATA, or `.data` here."""
    return Path(os.environ.get("NASW_DATA", ".data"))
