"""Can the super-net's ranking be trusted? Correlations, scatter, rank disorder, top-k overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app import client
from app.feed import RunFeed
from app.siblings import Siblings
from app.widgets import (
    chart,
    curves,
    disorder,
    evaluation_slider,
    numbers,
    one_architecture,
    palette,
    picked,
    published,
    ranking,
    seed_band,
    top_k,
    truth,
)
from app.widgets.empty import empty
from app.widgets.plain import plain
from app.widgets.ranking import Point

SKDT = "sparse_kendall_tau"


def draw(feed: RunFeed) -> None:
    """Draw the tab."""
    rankings = feed.digest.rankings
    if not rankings.epoch:
        empty("No ranking yet", _when(feed))
        if any(truth.known(feed.digest).values()):
            _truths(feed)
        return
    index = evaluation_slider.position(rankings.epoch)
    sample = ranking.points(feed.digest, index)
    marked = ranking.landmarks(feed.digest, index)
    left, right = st.columns(2, gap="medium")
    with left:
        _correlations(feed)
    with right:
        _scatter(feed, sample, marked, index)
        evaluation_slider.slider(rankings.epoch, feed.run_id)
    place = st.container()
    left, right = st.columns(2, gap="medium")
    with left:
        _disorder(feed, sample)
    with right:
        _top_k(feed, sample)
        _accuracy(feed)
    with place:
        _picked(feed, sample, marked)


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


def _definitions(names: Sequence[str]) -> str:
    """Return the catalogue's definitions of metrics as Markdown."""
    known = (client.entry("metrics", name) for name in names)
    return "\n\n".join(
        f"**{entry.get('title', entry['name'])}**: {entry['definition']}"
        for entry in known
        if entry.get("definition")
    )


# -- over the epochs ------------------------------------------------------------------------------
@st.cache_resource(show_spinner=False)
def _siblings(runs: str) -> Siblings:
    return Siblings(client.client().settings.runs)


def _correlations(feed: RunFeed) -> None:
    rankings, spec = feed.digest.rankings, client.spec(feed.run_id)
    seeds = _siblings(str(client.client().settings.runs)).of(feed.run_id, client.runs)
    key = f"band-{feed.run_id}"
    metric = st.session_state.get(key, SKDT) if seeds else None
    behind = published.lines(spec.published, curves.CORRELATIONS, rankings.epoch)
    columns: dict[str, Sequence[Any]] = {"epoch": rankings.epoch, **rankings.metrics}
    if metric:
        own = seed_band.own_curve(rankings.epoch, rankings.metrics.get(metric, []))
        others = [found.get(metric, {}) for found in seeds.values()]
        found = seed_band.band([own, *others])
        colour, _, _ = palette.METRICS[metric]
        behind += seed_band.traces(found, curves.CORRELATIONS[metric], colour)
        columns |= seed_band.columns(found, metric, rankings.epoch)
    result = _result(feed)
    intervals = result.get("intervals") or {}
    chart.show(
        curves.correlations_sentence(rankings),
        curves.correlations(rankings, feed.run_id, behind, intervals),
        "ranking-correlations",
        columns,
        _definitions(list(curves.CORRELATIONS)),
    )
    if seeds:
        _band_choice(key, sorted([spec.seed, *seeds]))
    measured = {name: rankings.last(name) for name in rankings.metrics}
    measured |= result.get("metrics") or {}
    titles = {name: client.title("metrics", name) for name in spec.published}
    printed = published.sentence(spec.published, measured, titles)
    for words in (curves.intervals_sentence(intervals), printed):
        if words:
            st.caption(plain(words))


def _band_choice(key: str, seeds: Sequence[int]) -> None:
    said = ", ".join(map(str, seeds))
    st.segmented_control(
        f"Band: mean ± standard deviation over the seeds {said}",
        list(curves.CORRELATIONS),
        default=SKDT,
        key=key,
        format_func=lambda name: curves.CORRELATIONS[name],
        help="Runs of the same setting that differ in nothing but the seed. Click the chosen "
        "one again to leave the band away.",
    )


def _result(feed: RunFeed) -> dict[str, Any]:
    """Return what a finished run leaves; empty before."""
    return (client.folder(feed.run_id).result() or {}) if feed.state == "finished" else {}


def _accuracy(feed: RunFeed) -> None:
    rankings, spec = feed.digest.rankings, client.spec(feed.run_id)
    name = "super_net_accuracy"
    drawn = curves.accuracy(rankings, feed.run_id)
    drawn["data"] += published.lines(spec.published, {name: "accuracy"}, rankings.epoch)
    chart.show(
        f"The sample's mean accuracy with the shared weights is "
        f"{numbers.accuracy(rankings.last(name))}",
        drawn,
        "super-net-accuracy",
        {"epoch": rankings.epoch, name: rankings.metrics.get(name, [])},
        _definitions([name]),
    )


# -- at one evaluation ----------------------------------------------------------------------------
def _scatter(feed: RunFeed, sample: list[Point], marked: list[dict[str, Any]], index: int) -> None:
    rankings, key = feed.digest.rankings, f"whole-range-{feed.run_id}"
    tau = rankings.metrics.get("kendall_tau", [None] * len(rankings.epoch))[index]
    inside = ranking.frame(sample)
    beyond = ranking.outside_count(sample, marked, inside)
    whole = bool(st.session_state.get(key))
    frame = ranking.EVERYTHING if whole else inside
    clicked = chart.show(
        ranking.sentence(sample, tau, rankings.epoch[index]),
        ranking.scatter(sample, marked, feed.run_id, frame, picked.picked()),
        "ranking-scatter",
        ranking.columns(sample),
        "Each point is one architecture of the correlation sample; click on it to see it. "
        "Landmarks are never part of the correlation; their stand-alone accuracy is that on "
        "held-out images.",
    )
    picked.pick(clicked)
    if beyond:
        who = "1 architecture lies" if beyond == 1 else f"{beyond} architectures lie"
        st.toggle(
            f"Show the whole range; {who} far from the others",
            key=key,
            help="Farther from the quartiles than three times their distance. Otherwise they are "
            "drawn as triangles at the edge.",
        )


def _disorder(feed: RunFeed, sample: list[Point]) -> None:
    clicked = chart.show(
        disorder.sentence(sample),
        disorder.figure(sample, feed.run_id, picked.picked()),
        "ranking-disorder",
        disorder.columns(sample),
        disorder.note(len(sample)) + "\n\n" + _definitions(["mean_absolute_displacement"]),
    )
    picked.pick(clicked)


def _top_k(feed: RunFeed, sample: list[Point]) -> None:
    shares = top_k.overlaps([p.truth for p in sample], [p.score for p in sample])
    chart.show(
        top_k.sentence(shares),
        top_k.figure(shares, feed.run_id),
        "ranking-top-k",
        top_k.columns(shares),
        "For every k the share of the k truly best architectures that are among the super-net's "
        "k best. A random order finds k of n on average.\n\n" + _definitions(["top_k_overlap"]),
    )


def _picked(feed: RunFeed, sample: list[Point], marked: list[dict[str, Any]]) -> None:
    indices = picked.picked()
    told = picked.known(indices, sample, marked) if indices else {}
    if told:
        one_architecture.panel(client.spec(feed.run_id), indices, told, "picked", picked.forget)
    else:
        st.caption("Click on a point of a chart to see its architecture here.")
