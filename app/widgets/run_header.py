"""Top of a run's page: what it is, how far it is, and what can be done with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

import streamlit as st

from app import client, drafts, links
from app.feed import RunFeed
from app.guard import attempt
from app.rights import may_edit
from app.widgets import downloads, numbers, progress, queue_place, report_button
from app.widgets.palette import STATES
from app.widgets.plain import plain
from app.widgets.status_strip import tile
from engine.spec.experiment import ExperimentSpec
from engine.states import RESUMABLE

if TYPE_CHECKING:
    from workers.client import Client, SystemStatus

FIGURES = (
    ("sparse_kendall_tau", "Sparse Kendall τ"),
    ("kendall_tau", "Kendall τ"),
    ("spearman", "Spearman ρ"),
    ("super_net_accuracy", "Mean super-net accuracy"),
    ("final_accuracy", "Best 3, stand-alone"),
)


def draw(feed: RunFeed) -> None:
    """Draw the header.

    Whatever may come and go stands in a container of its own: what is below must keep its place,
    or its charts would be built anew and lose their zoom.
    """
    spec, look = client.spec(feed.run_id), STATES[feed.state]
    with st.container(key="back"):
        st.page_link(links.EXPERIMENTS, label="Experiments", icon=":material/arrow_back:")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header(plain(spec.name), width="stretch", anchor=False)
        st.badge(look.word, icon=f":material/{look.icon}:", color=look.badge)
    st.html(f'<div class="nw-row nw-small nw-quiet">{_about(feed, spec)}</div>')
    with st.container():
        _messages(feed)
    with st.container():
        if feed.state in ("running", "paused", "interrupted", "stopped"):
            st.html(progress.block(feed.progress, spec.name))
    _actions(feed, spec)
    st.html(_figures(feed))


def _about(feed: RunFeed, spec: ExperimentSpec) -> str:
    device = feed.digest.started.get("device") or spec.device
    created = client.folder(feed.run_id).state().created
    parts = [
        client.title("algorithms", spec.algorithm),
        client.title("spaces", spec.space),
        client.title("datasets", spec.data.name),
        f"seed {spec.seed}",
        f"on {device}",
        f"queued {numbers.clock(created, time.time(), numbers.zone())}",
    ]
    parts += [f"#{tag}" for tag in spec.tags]
    return "".join(f"<span>{escape(part)}</span>" for part in parts)


def _messages(feed: RunFeed) -> None:
    status = client.status()
    if not status.store_ok:
        st.warning(
            f"Reconnecting. {status.message} What the run folder holds is shown meanwhile.",
            icon=":material/cloud_off:",
        )
    if feed.state == "failed":
        st.error(feed.message or "The run failed without a message.", icon=":material/error:")
    elif feed.state == "interrupted":
        st.warning(
            f"{feed.message or 'The worker of this run vanished.'} Everything up to "
            f"{_checkpoint(feed)} is kept; Resume goes on from there.",
            icon=":material/power_off:",
        )
    elif feed.state == "queued":
        _queued(feed, status)
    elif feed.state in ("paused", "stopped"):
        st.info(
            f"{STATES[feed.state].word} at {_checkpoint(feed)}. Resume goes on from there.",
            icon=f":material/{STATES[feed.state].icon}:",
        )


def _queued(feed: RunFeed, status: SystemStatus) -> None:
    place = queue_place.words(status, feed.run_id)
    if not status.workers and status.store_ok:
        waits = "Waiting for a worker: none is online. `make run` starts one a device."
    else:
        waits = "Waiting for a free worker. This page starts by itself."
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(f"{place}. {waits}" if place else waits, icon=":material/schedule:")
        queue_place.buttons(status, feed.run_id)


def _checkpoint(feed: RunFeed) -> str:
    epoch = feed.digest.checkpoint
    return "the start" if epoch is None else f"the checkpoint of epoch {epoch}"


def _figures(feed: RunFeed) -> str:
    rankings = feed.digest.rankings
    when = f"epoch {rankings.epoch[-1]}" if rankings.epoch else "after the first evaluation"
    result = (client.folder(feed.run_id).result() or {}).get("metrics", {})
    tiles = []
    for name, title in FIGURES:
        value = result.get(name)
        known = rankings.last(name) if value is None else value
        tiles.append(tile(title, numbers.metric(name, known), "at the end" if result else when))
    return f'<div class="nw-strip" style="margin-top:.4rem">{"".join(tiles)}</div>'


# -- actions ------------------------------------------------------------------------------------
def _actions(feed: RunFeed, spec: ExperimentSpec) -> None:
    with st.container(horizontal=True, gap="small", key="actions", vertical_alignment="center"):
        if may_edit():
            _steering(feed, spec)
        downloads.bundle(feed.run_id)
        report_button.draw(feed.run_id)
        _more(feed, spec)
        if not may_edit():
            st.caption("This page only shows; the run cannot be changed here.", width="content")


def _steering(feed: RunFeed, spec: ExperimentSpec) -> None:
    if feed.state == "running":
        _button(feed, "Pause", "pause", "Saves a checkpoint and frees the worker")
    if feed.state in ("running", "queued", "paused", "interrupted"):
        _button(feed, "Stop", "stop", "Saves a checkpoint; the run can be resumed later")
    if feed.state in RESUMABLE:
        _button(feed, "Resume", "resume", "Goes on from the last checkpoint", "play_arrow")
    if st.button("Repeat", icon=":material/replay:", help="Queue the same again, same seed"):
        _repeat(spec)


def _button(feed: RunFeed, label: str, name: str, hint: str, icon: str = "") -> None:
    st.button(
        label,
        key=f"do-{name}",
        icon=f":material/{icon or name}:",
        help=hint,
        type="primary" if name == "resume" else "secondary",
        on_click=_act,
        args=(feed, name),
    )


_DONE = {
    "pause": "Pausing after the current step",
    "stop": "Stopping after the current step",
    "resume": "Queued to go on",
    "delete": "Deleted",
}


def _act(feed: RunFeed, name: str) -> None:
    def send() -> None:
        target: Client = client.client()
        action: Callable[[str], Any] = getattr(target, name)
        action(feed.run_id)

    if attempt(send, _DONE[name]):
        client.changed()
    feed.refresh(at_once=True)


def _repeat(spec: ExperimentSpec) -> None:
    queued: list[str] = []
    if attempt(lambda: queued.extend(client.client().submit(spec, [spec.seed])), "Queued again"):
        client.changed()
        links.go_to_run(queued[0])


def _more(feed: RunFeed, spec: ExperimentSpec) -> None:
    with st.popover("More", icon=":material/more_horiz:"):
        if st.button("Use as a template", icon=":material/content_copy:", type="tertiary"):
            drafts.start_from(spec)
            st.switch_page(links.NEW)
        st.caption(f"Run id: {feed.run_id}")
        deletable = feed.state not in ("running", "deleted") and may_edit()
        if st.button(
            "Delete",
            icon=":material/delete:",
            type="tertiary",
            disabled=not deletable,
            help="It can be brought back from the list of experiments. "
            "A running one must be stopped first.",
        ) and attempt(lambda: client.client().delete(feed.run_id), "Deleted"):
            client.changed()
            st.session_state["deleted-run"] = feed.run_id
            st.switch_page(links.EXPERIMENTS)
