"""An estimate as one sees it: total, a bar a stage, memory against what is free."""

from __future__ import annotations

from html import escape

from app.widgets import numbers
from app.widgets.palette import ACCENT, RED
from engine.measured import Estimate

STAGES = {
    "preparing": "Preparing",
    "ground_truth": "Ground truth",
    "training": "Super-net and its ranking",
    "search": "Search",
    "final": "Training what is found",
}


def rough(seconds: float) -> str:
    """Write a time with as many digits as an estimate deserves."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    hours = seconds / 3600
    if hours < 48:
        return f"{hours:.1f} h" if hours < 10 else f"{hours:.0f} h"
    return f"{hours / 24:.1f} d"


def figures(found: Estimate, jobs: int, workers: int, worker: str, now: float) -> str:
    """Return the whole estimate as HTML.

    Args:
        found: the estimate of one job.
        jobs: how many are to be queued.
        workers: how many share them; at least one counts.
        worker: who measured.
        now: Unix seconds.
    """
    return (
        f'<div class="nw-estimate">{total(found, jobs, workers)}{_stages(found)}{_memory(found)}'
        f'<p class="nw-quiet nw-small">{escape(_where(found, worker, now))}</p></div>'
    )


def total(found: Estimate, jobs: int, workers: int) -> str:
    """Return the time of all jobs as HTML, and how it comes about."""
    shared = min(max(workers, 1), jobs)
    rounds = -(-jobs // shared)
    seconds = found.seconds(jobs) if shared == 1 else rounds * found.seconds()
    words = [f"give or take {numbers.share(found.spread)}"] if found.spread >= 0.005 else []
    if jobs > 1:
        how = "one after another" if shared == 1 else f"on {shared} workers"
        words.insert(0, f"{jobs} jobs of {rough(found.seconds())} {how}")
    if found.known:
        words.append(
            f"the results bank has {found.known} of {found.sample} architectures of the sample "
            f"already, which saves {rough(found.saved_seconds)}"
        )
    said = escape("; ".join(words))
    return (
        f'<div><span class="nw-figure">About {rough(seconds)}</span> '
        f'<span class="nw-quiet nw-small">{said}</span></div>'
    )


def _stages(found: Estimate) -> str:
    most = max(found.stages.values(), default=0.0) or 1.0
    rows = "".join(
        f"<dt>{escape(STAGES.get(name, name))}</dt>"
        f"<dd>{_bar(seconds / most, ACCENT.css)}<span>{rough(seconds)}</span></dd>"
        for name, seconds in found.stages.items()
        if seconds > 0
    )
    return f'<dl class="nw-stages nw-small">{rows}</dl>'


def _memory(found: Estimate) -> str:
    share = found.memory_bytes / max(found.free_bytes, 1)
    colour = ACCENT.css if found.fits else RED.css
    what = "GPU memory" if found.kind == "cuda" else "Memory"
    said = f"{numbers.size(found.memory_bytes)} of {numbers.size(found.free_bytes)} free"
    return (
        f'<dl class="nw-stages nw-small"><dt>{what}: {said}</dt>'
        f"<dd>{_bar(share, colour)}<span>{numbers.share(share)}</span></dd></dl>"
    )


def _bar(share: float, colour: str) -> str:
    width = 100 * min(max(share, 0.0), 1.0)
    return f'<i aria-hidden="true"><b style="width:{width:.1f}%;background:{colour}"></b></i>'


def _where(found: Estimate, worker: str, now: float) -> str:
    by = f" by {worker}" if worker else ""
    speed = numbers.speed(found.images_per_second, "images/s")
    said = (
        f"Measured on {found.device}{by}, {numbers.ago(found.at, now)}, in "
        f"{numbers.duration(found.took_seconds)}. The super-net trains {speed}; one stand-alone "
        f"training takes {_short(found.training_seconds)}."
    )
    if found.disturbed:
        said += (
            f" Other programs kept {found.others:.1f} of {found.cores} cores busy meanwhile: a "
            "quiet machine is quicker."
        )
    return said


def _short(seconds: float) -> str:
    if seconds == 0:
        return "nothing, as its accuracy comes from a table"
    return f"{seconds:.2g} s" if seconds < 10 else numbers.duration(seconds)


def shortage(found: Estimate) -> str:
    """Say that the memory will not do, and what to lower; empty where it fits."""
    if found.fits:
        return ""
    return (
        f"This needs {numbers.size(found.memory_bytes)}, and {numbers.size(found.free_bytes)} are "
        "free: it is likely to run out of memory. Lower the batch size, the channels or the "
        "cells, or let the super-net recompute (under Super-net)."
    )
