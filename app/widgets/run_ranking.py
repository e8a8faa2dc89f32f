"""Can the super-net's ranking be trusted? Correlations over the epochs, and the scatter."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import client
from app.digest import RunDigest
from app.feed import RunFeed
from app.widgets import chart, curves, ranking, truth
from app.widgets.empty import empty

NEWEST = "newest"


def draw(feed: RunFeed) -> None:
    """Draw the tab."""
    digest = feed.digest
    if not digest.rankings.epoch:
        empty("No ranking yet", _when(feed))
        if any(truth.known(digest).values()):
            _truths(feed)
        return
    left, right = st.columns(2, gap="medium")
    with left:
        _curves(feed)
    with right:
        _scatter(feed)


def _when(feed: RunFeed) -> str:
    every = client.spec(feed.run_id).evaluation.every
    return (
        "First landmarks and sampled architectures get their stand-alone accuracy. Then the "
        f"super-net is trained, and its ranking is compared with theirs every {every} epochs."
    )


def _truths(feed: RunFeed) -> None:
    digest = feed.digest
    chart.show(
        truth.sentence(digest),
        truth.figure(digest, feed.run_id),
        "stand-alone-accuracies",
        truth.columns(digest),
        "The truth that the super-net's ranking is compared with. Each is kept in the results "
        "bank and never trained twice.",
    )


def _curves(feed: RunFeed) -> None:
    rankings = feed.digest.rankings
    columns: dict[str, list[Any]] = {"epoch": rankings.epoch, **rankings.metrics}
    chart.show(
        curves.correlations_sentence(rankings),
        curves.correlations(rankings, feed.run_id),
        "ranking-correlations",
        columns,
        client.entry("metrics", "sparse_kendall_tau").get("definition", ""),
    )
    chart.show(
        "Mean accuracy of the sample with the shared weights",
        curves.accuracy(rankings, feed.run_id),
        "super-net-accuracy",
        {
            "epoch": rankings.epoch,
            "super_net_accuracy": rankings.metrics.get("super_net_accuracy", []),
        },
        client.entry("metrics", "super_net_accuracy").get("definition", ""),
    )


def _scatter(feed: RunFeed) -> None:
    digest = feed.digest
    rankings, index = digest.rankings, _chosen(digest, feed.run_id)
    sample = ranking.points(digest, index)
    marked = ranking.landmarks(digest, index)
    tau = rankings.metrics.get("kendall_tau", [None] * len(rankings.epoch))[index]
    chart.show(
        ranking.sentence(sample, tau),
        ranking.scatter(sample, marked, feed.run_id),
        "ranking-scatter",
        ranking.columns(sample),
        "Each point is one architecture of the correlation sample. Landmarks are never part of "
        "the correlation; their stand-alone accuracy is that on held-out images.",
    )
    _epochs(digest, feed.run_id)


def _chosen(digest: RunDigest, run_id: str) -> int:
    """Return the position of the evaluation that the viewer chose; -1 is the newest."""
    chosen = st.session_state.get(_epoch_key(run_id), NEWEST)
    known = [str(epoch) for epoch in digest.rankings.epoch]
    return known.index(chosen) if chosen in known else -1


def _epochs(digest: RunDigest, run_id: str) -> None:
    """Let the viewer look back at an earlier evaluation; otherwise the newest is followed."""
    options = [NEWEST, *(str(epoch) for epoch in reversed(digest.rankings.epoch))]
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        st.caption("Scores at epoch", width="content")
        st.selectbox(
            "Scores at epoch",
            options,
            key=_epoch_key(run_id),
            width=140,
            label_visibility="collapsed",
        )


def _epoch_key(run_id: str) -> str:
    return f"scatter-epoch-{run_id}"
