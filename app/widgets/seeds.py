"""Seeds as a person writes them: `0, 1, 2` or `0-4`."""

from __future__ import annotations

import re

from engine.spec.errors import SpecError

MOST = 200
_PART = re.compile(r"(\d{1,19})(?:-(\d{1,19}))?")


def parse_seeds(text: str) -> list[int]:
    """Return the seeds in the order given, each once.

    Raises:
        SpecError: not numbers or ranges, none at all, or too many.
    """
    seeds: dict[int, None] = {}
    joined = re.sub(r"\s*-\s*", "-", text.strip())
    for part in re.split(r"\s*[,;]\s*|\s+", joined):
        found = _PART.fullmatch(part)
        if found is None:
            raise SpecError("seed", f"write numbers like 0, 1, 2 or 0-4; given was `{text:.60}`.")
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first or last - first >= MOST:
            raise SpecError("seed", f"a range counts upwards over at most {MOST} seeds.")
        seeds.update(dict.fromkeys(range(first, last + 1)))
    if len(seeds) > MOST:
        raise SpecError("seed", f"at most {MOST} seeds at once; given were {len(seeds)}.")
    return list(seeds)
