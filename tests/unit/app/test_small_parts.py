"""Numbers, drawings, digest, feed: the parts without Streamlit."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from played_client import PlayedClient
from played_run import played

from app import feed as feeds
from app.digest import RunDigest
from app.feed import RunFeed
from app.shared import Shared
from app.widgets import numbers, progress
from app.widgets.cell_graph import Arc, arcs, svg
from app.widgets.plain import as_html, plain
from app.widgets.sparkline import sparkline
from engine.core.space import CellGraph
from engine.events import Events
from engine.runs import FolderSink
from engine.spaces import get_space


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (numbers.correlation(0.43217), "0.432"),
        (numbers.correlation(-0.1), "−0.100"),
        (numbers.correlation(None), "–"),
        (numbers.correlation(math.nan), "–"),
        (numbers.accuracy(93.4), "93.40 %"),
        (numbers.params(1_234_567), "1.23 M"),
        (numbers.params(36_800), "36.8 k"),
        (numbers.flops(121_820_000), "121.8 M"),
        (numbers.flops(2_930_000), "2.93 M"),
        (numbers.flops(1_230_000_000), "1.23 G"),
        (numbers.count(15_625), "15,625"),
        (numbers.duration(0.2), "under 1 s"),
        (numbers.duration(59.6), "1 min 00 s"),
        (numbers.duration(192), "3 min 12 s"),
        (numbers.duration(3_840), "1 h 04 min"),
        (numbers.duration(90_000), "1 d 1 h"),
        (numbers.duration(None), "–"),
        (numbers.speed(6000, "images/s"), "6,000 images/s"),
        (numbers.speed(None, "images/s"), ""),
        (numbers.share(1.7), "100 %"),
        (numbers.size(164_600), "164.6 KB"),
        (numbers.metric("final_accuracy", 85.637), "85.64 %"),
        (numbers.metric("best_rank", 3.0), "3"),
    ],
)
def test_how_numbers_are_written(written: str, expected: str) -> None:
    assert written == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [(1_795_363_200, "17:00"), (1_795_276_800, "yesterday 17:00"), (1_794_000_000, "6 Nov 22:20"),
     (1_700_000_000, "2023-11-14")],
)  # fmt: skip
def test_times_are_the_viewers(moment: float, expected: str) -> None:
    assert numbers.clock(moment, 1_795_366_800, ZoneInfo("Europe/Berlin")) == expected


def crossing(one: Arc, other: Arc) -> bool:
    if one.level * other.level <= 0:
        return False
    first, second = sorted((one, other), key=lambda arc: arc.source)
    inside = first.source < second.source < first.target < second.target
    same_height = abs(one.level) == abs(other.level)
    return inside or (same_height and second.source < first.target)


def test_no_two_arcs_of_any_cell_cross_or_share_a_place() -> None:
    space, rng = get_space("nb201"), np.random.default_rng(0)
    for _ in range(200):
        (graph,) = space.graphs(space.sample(rng)).values()
        placed = arcs(graph)
        assert len(placed) == len(graph.edges)
        assert not any(crossing(a, b) for a, b in combinations(placed, 2))


def test_a_drawing_is_well_formed_and_names_its_operations() -> None:
    graph = CellGraph(
        ("0", "1", "2"),
        (("0", "1", "nor_conv_3x3", True), ("0", "2", "a<b", True), ("1", "2", "x", False)),
    )
    root = ET.fromstring(svg(graph, 'say "hi" <now>'))
    said = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert said == ["in", "1", "out", "conv 3×3", "x", "a<b"]
    dashed = [
        p for p in root.iter("{http://www.w3.org/2000/svg}path") if p.get("stroke-dasharray")
    ]
    assert len(dashed) == 1, "the dead operation"


def test_a_sparkline_needs_two_values_and_marks_the_last() -> None:
    assert sparkline([0.1, None], "x") == ""
    root = ET.fromstring(sparkline([0.1, None, 0.3, 0.2], "label"))
    assert root.get("aria-label") == "label"
    (dot,) = root.iter("circle")
    line = next(root.iter("polyline")).get("points", "").split()
    assert len(line) == 3 and line[-1] == f"{dot.get('cx')},{dot.get('cy')}"


def test_progress_is_told_in_words_and_stays_in_its_bar() -> None:
    told: dict[str, Any] = {
        "title": "Training <x>", "done": 34, "total": 120, "unit": "epochs", "fraction": 1.4,
        "eta_seconds": 90.0, "speed": 6000.0, "speed_unit": "images/s",
    }  # fmt: skip
    text = progress.block(told, "run")
    assert 'aria-valuenow="100"' in text and "width:100.0%" in text
    assert "34 of 120 epochs" in text and "about 1 min 30 s left" in text
    assert "Training &lt;x&gt;" in text
    assert "time left not known yet" in progress.block({"title": "x", "fraction": 0.0}, "run")


def test_markdown_in_a_users_words_is_shown_as_written() -> None:
    assert plain("a*b*\n# c [d](e)") == r"a\*b\* \# c \[d\]\(e\)"


# -- digest and feed ----------------------------------------------------------------------------
def test_a_digest_read_piece_by_piece_is_that_read_at_once(tmp_path: Path) -> None:
    events = played(tmp_path).events()
    whole, pieces = RunDigest(), RunDigest()
    whole.take_all(events)
    for start in range(0, len(events), 7):
        pieces.take_all(events[max(0, start - 3) : start + 7])  # overlapping on purpose
    assert pieces.counts == whole.counts
    assert pieces.rankings == whole.rankings and pieces.epochs == whole.epochs
    assert whole.rankings.epoch[-1] == 120 and len(whole.landmarks) == 20
    assert len(whole.architectures) == 5 and whole.checkpoint == 120


def test_a_metric_that_appears_late_is_padded() -> None:
    digest = RunDigest()
    digest.rankings.add({"epoch": 1, "metrics": {"a": 0.1}})
    digest.rankings.add({"epoch": 2, "metrics": {"b": 0.2}})
    assert digest.rankings.metrics == {"a": [0.1, None], "b": [None, 0.2]}
    assert digest.rankings.last("a") == 0.1 and digest.rankings.last("c") is None


def test_many_viewers_cost_one_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "FRESH_SECONDS", 60.0)
    folder, client, asked = played(tmp_path), PlayedClient(tmp_path, -1), []
    follow = client.follow
    monkeypatch.setattr(client, "follow", lambda *a: asked.append(a) or follow(*a))
    feed = RunFeed(client, folder.run_id)
    for _ in range(20):
        feed.refresh()
    assert len(asked) == 1 and feed.state == "finished"
    feed.refresh(at_once=True)
    assert asked[-1][1] == feed.digest.last_seq, "only what is new was asked for"


def test_a_run_that_went_back_is_read_anew(tmp_path: Path) -> None:
    folder, client = played(tmp_path), PlayedClient(tmp_path, -1)
    feed = RunFeed(client, folder.run_id)
    feed.refresh(at_once=True)
    before = len(feed.digest.epochs.epoch)
    cut = next(e["seq"] for e in folder.events() if e["type"] == "epoch" and e["epoch"] == 50)
    Events([FolderSink(folder)]).rewind(cut)
    feed.refresh(at_once=True)
    assert before == 120 and feed.digest.epochs.epoch == list(range(1, 50))


def test_a_shared_answer_is_asked_for_once_and_errors_are_not_kept() -> None:
    answers = iter([RuntimeError("away"), 1, 2])
    asked = []

    def fetch() -> int:
        answer = next(answers)
        asked.append(answer)
        if isinstance(answer, Exception):
            raise answer
        return answer

    shared = Shared(fetch, 60.0)
    with pytest.raises(RuntimeError):
        shared.get()
    assert (shared.get(), shared.get()) == (1, 1)
    shared.forget()
    assert shared.get() == 2 and len(asked) == 3


def test_a_sentence_of_the_engine_becomes_html_with_its_code() -> None:
    said = as_html("`a<b>` needs `x`; 1 < 2 & `odd")
    assert said == "<code>a&lt;b&gt;</code> needs <code>x</code>; 1 &lt; 2 &amp; `odd"
