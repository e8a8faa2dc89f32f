"""Figures: what plotly accepts, axes with units, colours everybody can tell apart."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
from played_run import played

from app.digest import Epochs, Learning, RunDigest
from app.widgets import chart, curves, learner_lines, palette, ranking, truth
from app.widgets.plot import Figure

BOTH = re.compile(r"light-dark\((#[0-9A-Fa-f]{6}), (#[0-9A-Fa-f]{6})\)")


LEARNING, FORGETFUL = Learning(), Epochs()
for _epoch in (1, 2):
    told = {"entropy": 1 / _epoch, "probabilities": [[0.2, 0.8], [0.5, 0.3, 0.2]]}
    LEARNING.add({"epoch": _epoch, **told})
    lost = {"mean": 2.0, "top_mean": 1.0, "max": 5.0, "n": 3}
    FORGETFUL.add({"epoch": _epoch, "loss": 1.0, "forgetting": lost})


@pytest.fixture(scope="module")
def digest(tmp_path_factory: pytest.TempPathFactory) -> RunDigest:
    found = RunDigest()
    found.take_all(played(Path(tmp_path_factory.mktemp("runs"))).events())
    return found


@pytest.fixture(scope="module")
def figures(digest: RunDigest) -> dict[str, Figure]:
    sample = ranking.points(digest)
    return {
        "correlations": curves.correlations(digest.rankings, "r"),
        "accuracy": curves.accuracy(digest.rankings, "r"),
        "loss": curves.single(digest.epochs, "loss", "loss", palette.ACCENT, "r"),
        "landmark": curves.landmark(digest.epochs, "r"),
        "scatter": ranking.scatter(sample, ranking.landmarks(digest), "r"),
        "truth": truth.figure(digest, "r"),
        "entropy": learner_lines.figure(LEARNING.epoch, {"H": LEARNING.entropy}, "nats", "r"),
        "forgetting": curves.forgetting(FORGETFUL, "r"),
    }


NAMES = (
    "correlations", "accuracy", "loss", "landmark", "scatter", "truth",
    "entropy", "forgetting",
)  # fmt: skip


def resolved(figure: Figure, theme: int) -> Any:
    return json.loads(BOTH.sub(lambda found: found[theme], json.dumps(figure)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("theme", [1, 2])
def test_plotly_accepts_the_figure(figures: dict[str, Figure], name: str, theme: int) -> None:
    figure = go.Figure(resolved(figures[name], theme))  # raises on anything unknown
    assert figure.layout.uirevision == "r"
    assert all(trace.name and len(trace.x) == len(trace.y) > 0 for trace in figure.data)


@pytest.mark.parametrize("name", NAMES)
def test_axes_have_titles_and_keep_the_zoom(figures: dict[str, Figure], name: str) -> None:
    layout = figures[name]["layout"]
    axes = [value for key, value in layout.items() if "axis" in key]
    assert len(axes) >= 2
    assert all(axis["title"]["text"] and axis["autorange"] is True for axis in axes)


def test_curves_differ_by_more_than_colour(figures: dict[str, Figure]) -> None:
    for name in ("correlations", "landmark"):
        dashes = [trace["line"]["dash"] for trace in figures[name]["data"]]
        assert len(set(dashes)) == len(dashes), name
    symbols = [t["marker"].get("symbol", "circle") for t in figures["scatter"]["data"]]
    assert len(set(symbols)) == len(symbols)


def test_ranks_count_from_the_best(digest: RunDigest) -> None:
    points = ranking.points(digest)
    best = min(points, key=lambda point: point.truth_rank)
    assert best.truth == max(point.truth for point in points)
    assert sorted(point.score_rank for point in points) == list(range(1, 61))


def test_only_landmarks_that_were_scored_are_drawn() -> None:
    told = RunDigest()
    for text in "ab":
        told.landmarks[text] = {"text": text, "value": 70.0, "round": 1}
    event = {"epoch": 1, "metrics": {}, "scores": [], "truth": [], "landmark_scores": [55.0]}
    told.rankings.add(event)
    (entry,) = ranking.landmarks(told)
    assert entry["score"] == 55.0
    assert ranking.scatter([], [entry], "r")["data"][-1]["y"] == [55.0]


def test_sentences_say_what_one_sees(digest: RunDigest) -> None:
    assert re.fullmatch(
        r"Sparse Kendall τ rose from −?0\.\d{3} to 0\.\d{3} by epoch 120",
        curves.correlations_sentence(digest.rankings),
    )
    assert truth.sentence(digest).startswith("70 architectures trained by themselves reach ")


def test_long_curves_are_thinned_but_keep_their_ends() -> None:
    x, y = chart.thin(list(range(100_000)), list(range(100_000)))
    assert x == y and len(x) == chart.MOST_POINTS
    assert (x[0], x[-1]) == (0, 99_999)


def test_a_noisy_curve_has_its_running_mean(digest: RunDigest) -> None:
    raw, mean = curves.single(digest.epochs, "loss", "loss", palette.ACCENT, "r")["data"]
    assert raw["opacity"] < 1 and mean["y"][-1] == pytest.approx(sum(raw["y"][-10:]) / 10)
    assert (
        len(curves.single(digest.epochs, "learning_rate", "x", palette.ACCENT, "r")["data"]) == 1
    )
    some = [None, 1.0, None, 3.0]
    assert [curves.running_mean(some, row) for row in range(4)] == [None, 1.0, 1.0, 2.0]


def test_csv_holds_every_row() -> None:
    columns = {"epoch": [1, 2], "loss": [0.5, None], "text": ["a,b", 'c"d']}
    assert chart.csv_bytes(columns) == b'epoch,loss,text\n1,0.5,"a,b"\n2,,"c""d"\n'


# -- colours ------------------------------------------------------------------------------------
def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


COLOURS = {
    name: value
    for name, value in vars(palette).items()
    if isinstance(value, palette.Colour) and name not in ("BACKGROUND", "GRID")
}


@pytest.mark.parametrize("name", COLOURS)
def test_every_colour_is_readable_in_both_themes(name: str) -> None:
    colour = COLOURS[name]
    assert contrast(colour.light, palette.BACKGROUND.light) >= 4.5
    assert contrast(colour.dark, palette.BACKGROUND.dark) >= 4.5


def test_an_algorithm_keeps_its_look_and_known_ones_differ() -> None:
    assert palette.algorithm("my-own") == palette.algorithm("my-own")
    known = [palette.algorithm(name) for name in ("spos", "rsps", "fairnas", "darts", "gdas")]
    assert all(one != other for one, other in itertools.combinations(known, 2))


def test_an_epoch_without_forgetting_leaves_a_gap() -> None:
    epochs = Epochs()
    epochs.add({"epoch": 1, "loss": 2.0, "measured": {"memory_mb": 5.0}})
    assert epochs.forgetting == epochs.forgetting_max == [None]
    assert epochs.loss == [2.0] and epochs.memory_mb == [5.0]
