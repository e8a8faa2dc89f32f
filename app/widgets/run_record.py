"""The record of a run: its specification, environment, cost, and files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from app import client
from app.feed import RunFeed
from app.widgets import downloads, numbers, spec_view
from app.widgets.empty import empty
from app.widgets.facts import facts
from engine.runs import RunFolder
from engine.spec.files import dump

MOST_FILES = 200


def draw_spec(feed: RunFeed) -> None:
    """Draw specification, environment and cost."""
    run = client.folder(feed.run_id)
    left, right = st.columns([1.2, 1], gap="large")
    with left:
        st.markdown("**Specification, every default written out**")
        spec_view.show(dump(client.spec(feed.run_id)), height=560)
    with right:
        st.markdown("**Environment**")
        facts(_environment(run.environment(), feed))
        st.markdown("**Cost by stage**")
        _cost(run)


def _environment(found: dict[str, Any], feed: RunFeed) -> dict[str, object]:
    pairs: dict[str, object] = {
        "Python": found.get("python"),
        "Commit": found.get("commit"),
        "Platform": found.get("platform"),
        "Processor": found.get("processor"),
        "Cores": found.get("cores"),
        "Device": feed.digest.started.get("device"),
        "Command": " ".join(found.get("command") or []),
    }
    packages: dict[str, Any] = found.get("packages") or {}
    return pairs | {name: version for name, version in packages.items() if version}


def _cost(run: RunFolder) -> None:
    cost = (run.result() or {}).get("cost")
    if not cost:
        empty("Not known yet", "Seconds by stage are written when the run is over.")
        return
    seconds: dict[str, float] = cost["seconds"]
    pairs: dict[str, object] = {
        name.replace("_", " ").capitalize(): numbers.duration(value)
        for name, value in seconds.items()
    }
    pairs["All stages"] = numbers.duration(sum(seconds.values()))
    pairs["Training images"] = numbers.count(cost.get("images"))
    pairs["Training steps"] = numbers.count(cost.get("steps"))
    facts(pairs)


def draw_files(feed: RunFeed) -> None:
    """List the files of the run folder, each with its download."""
    run = client.folder(feed.run_id)
    paths = sorted(
        (p for p in run.path.rglob("*") if p.is_file() and not p.name.startswith(".")),
        key=lambda path: (len(path.relative_to(run.path).parts), path.as_posix()),
    )
    st.html(f'<p class="nw-quiet nw-small">Everything of this run, in {len(paths)} files.</p>')
    with st.container(gap=None, key="files"):
        for path in paths[:MOST_FILES]:
            _file(path, path.relative_to(run.path).as_posix())
    if len(paths) > MOST_FILES:
        st.caption(f"The first {MOST_FILES} are listed; the bundle has all {len(paths)}.")


def _file(path: Path, name: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        st.markdown(f"`{name}`", width="stretch")
        st.caption(numbers.size(path.stat().st_size), width="content")
        downloads.plain_file(path, name)
