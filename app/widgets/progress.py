"""How far a run is: bar, stage, what is left."""

from __future__ import annotations

from html import escape

from app.widgets import numbers
from engine.events import Progress


def bar(share: float, label: str) -> str:
    """Return an accessible progress bar as HTML; `share` is of 1."""
    percent = 100 * min(max(share, 0.0), 1.0)
    return (
        f'<div class="nw-bar" role="progressbar" aria-label="{escape(label)}" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{percent:.0f}">'
        f'<i style="width:{percent:.1f}%"></i></div>'
    )


def position(progress: Progress) -> str:
    """Say where in its stage a run is, such as `epoch 34 of 120`."""
    total, unit = progress.get("total"), progress.get("unit") or ""
    if not total:
        return ""
    return f"{numbers.count(progress.get('done'))} of {numbers.count(total)} {unit}".strip()


def block(progress: Progress | None, name: str, idle: str = "Preparing data and network") -> str:
    """Return bar and words as HTML; `idle` is said while there is no progress."""
    if progress is None:
        return (
            bar(0, f"Progress of {name}") + '<div class="nw-row nw-small nw-quiet"><span>'
            f"{escape(idle)}</span></div>"
        )
    share = float(progress.get("fraction") or 0.0)
    words = [f"<b>{escape(str(progress.get('title') or progress.get('stage') or ''))}</b>"]
    words += [f"<span>{escape(text)}</span>" for text in _details(progress) if text]
    eta = progress.get("eta_seconds")
    left = f"about {numbers.duration(eta)} left" if eta is not None else "time left not known yet"
    words.append(f'<span class="nw-push">{numbers.share(share)} · {left}</span>')
    return bar(share, f"Progress of {name}") + (
        f'<div class="nw-row nw-small">{"".join(words)}</div>'
    )


def _details(progress: Progress) -> list[str]:
    rate = numbers.speed(progress.get("speed"), progress.get("speed_unit"))
    return [position(progress), rate]
