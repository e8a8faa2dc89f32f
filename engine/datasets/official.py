"""Taking over an official archive that somebody has downloaded already."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from engine.datasets.archives import md5_of
from engine.datasets.cifar_layout import LAYOUTS
from engine.spec.errors import DataError


def keep_archive(path: Path, cache_dir: Path) -> tuple[str, Path]:
    """Copy an official archive to where all experiments look for it.

    Args:
        path: the archive under whatever name; its MD5 tells what it is.
        cache_dir: folder of the lab's data sets.

    Returns:
        The registered name of the data set, and the copy.

    Raises:
        DataError: it is no official archive, or cannot be copied.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such file.")
    md5 = md5_of(path)
    for layout in LAYOUTS.values():
        for archive in layout.archives:
            if archive.md5 == md5:
                return layout.name, _copy(path, cache_dir / archive.file_name)
    known = ", ".join(a.file_name for layout in LAYOUTS.values() for a in layout.archives)
    raise DataError(
        f"{path}: its MD5 {md5} is that of no official archive ({known}); download it again."
    )


def _copy(path: Path, target: Path) -> Path:
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not (target.exists() and target.samefile(path)):
            shutil.copyfile(path, draft)
            os.replace(draft, target)
    except OSError as error:
        raise DataError(f"{target}: the archive cannot be copied ({error.strerror}).") from None
    finally:
        draft.unlink(missing_ok=True)
    return target
