"""The HTML report: complete by itself, escaped, true to the record, right for unfinished runs."""

from __future__ import annotations

import html
import json
import math
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests" / "browser" / "support")]

from played_run import OWNER, played, small_spec  # noqa: E402

from engine.events import Events  # noqa: E402
from engine.export.report_chart import Series, chart, disorder, ticks  # noqa: E402
from engine.export.report_html import report_html, write_report  # noqa: E402
from engine.runs import FolderSink, RunFolder, create_run  # noqa: E402
from engine.spec.errors import RunError  # noqa: E402

VOID = {"meta", "br", "line", "path", "polyline", "rect", "circle"}
EVIL = "<script>alert('x')</script> & \"quoted\""


class Reader(HTMLParser):
    """Checks that elements are closed in order, and keeps their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(folder: RunFolder) -> tuple[Reader, str]:
    reader = Reader(report_html(folder))
    assert reader.open == []
    return reader, " ".join(" ".join(reader.words).split())


def started(runs: Path, **changes: object) -> RunFolder:
    folder = create_run(runs, small_spec(**changes))
    folder.change_state("running", owner=OWNER)
    return folder


def test_a_finished_run_is_told_whole_and_stands_by_itself(tmp_path: Path) -> None:
    folder = played(tmp_path)
    reader, said = read(folder)
    result = folder.result()
    assert result is not None
    for value in (
        folder.run_id,
        f"{result['metrics']['kendall_tau']:.3f}",
        f"{result['metrics']['super_net_accuracy']:.2f} %",
        "Evolution 160 91.20 % 91.80 % 2 of 60 0.967",
        "2 min 08 s",
        "in each of 2 rounds",
        "python -m engine run spec.yaml --seed 0",
        "per_round: 10",
    ):
        assert value in said, value
    assert "not finished" not in said
    assert sum(1 for tag, name, value in reader.attributes
               if (tag, name, value) == ("svg", "class", "chart")) == 8  # fmt: skip
    assert reader.tags.count("section") == 10
    assert "script" not in reader.tags
    assert "link" not in reader.tags
    references = [value for _, name, value in reader.attributes if name in ("src", "href")]
    assert references == []
    text = report_html(folder)
    assert not re.search(r"url\(|@import", text)
    addresses = set(re.findall(r"https?://[^\s'\"<]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg"}, "only the name of SVG itself"


def test_checksums_are_those_of_the_files(tmp_path: Path) -> None:
    import hashlib

    folder = played(tmp_path)
    _, said = read(folder)
    for name in ("spec.yaml", "events.jsonl", "result.json"):
        digest = hashlib.sha256((folder.path / name).read_bytes()).hexdigest()
        assert f"{name} {digest}" in said


def test_whatever_was_typed_is_escaped(tmp_path: Path) -> None:
    folder = started(tmp_path, name=EVIL, notes=EVIL, tags=["<b>tag</b>"])
    events = Events([FolderSink(folder)])
    events.note(EVIL, "warning")
    folder.change_state("failed", EVIL)
    reader, said = read(folder)
    assert "script" not in reader.tags
    places = "title, heading, notes, message, warning, and name and notes in the specification"
    assert said.count(EVIL) == 7, places
    assert html.escape(EVIL) in report_html(folder)
    assert "#<b>tag</b>" in said


def test_an_unfinished_run_says_so_and_shows_what_there_is(tmp_path: Path) -> None:
    folder = started(tmp_path)
    _, said = read(folder)
    assert "This run is not finished: it is running." in said
    assert "before the first epoch" in said
    assert "There is no evaluation yet." in said
    events = Events([FolderSink(folder)])
    for epoch in (1, 2):
        events.emit(
            "epoch", epoch=epoch, epochs=9, round=1, loss=2.0 / epoch, accuracy=10.0,
            landmark_loss=None, landmark_weight=None, learning_rate=0.1, measured={},
        )  # fmt: skip
    events.emit("ranking", epoch=2, metrics={"kendall_tau": -0.25}, scores=[1.0, 2.0],
                truth=[2.0, 1.0], landmark_scores=[])  # fmt: skip
    folder.change_state("stopped", "Stopped by you.")
    _, said = read(folder)
    assert "it is stopped" in said
    assert "what was known at epoch 2" in said
    assert "Kendall τ −0.250" in said
    assert "The training loss over 2 epochs" in said
    assert "2 of 2 architectures are more than a quarter of the ranking off" in said


def test_intervals_and_published_figures_stand_beside(tmp_path: Path) -> None:
    folder = played(tmp_path)
    result = folder.result()
    assert result is not None
    result["intervals"] = {"kendall_tau": {"low": -0.1, "high": 0.9, "n": 60}}
    result["published"] = {
        "kendall_tau": {"ours": 0.8, "published": 0.653, "source": "Yu <et al.>"}
    }
    (folder.path / "result.json").write_text(json.dumps(result))
    _, said = read(folder)
    assert "−0.100 to 0.900 (n = 60) 0.653 Yu <et al.>" in said


def test_a_damaged_record_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a run folder"):
        write_report(tmp_path)
    folder = played(tmp_path)
    with (folder.path / "events.jsonl").open("a") as file:
        file.write('{"seq": 99999, "type": "epoch"\n')
    with pytest.raises(RunError, match="its events are damaged"):
        report_html(folder)


def test_where_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = played(tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    name = f"{folder.run_id}.html"
    assert write_report(folder.path) == Path(name)
    assert write_report(folder.path, tmp_path / "runs") == tmp_path / "runs" / name
    assert write_report(folder.path, tmp_path / "x.html") == tmp_path / "x.html"
    assert (tmp_path / "x.html").read_text() == report_html(folder)


# -- charts ---------------------------------------------------------------------------------------
@given(
    low=st.floats(-1e6, 1e6),
    width=st.floats(1e-3, 1e6),
    most=st.integers(3, 10),
)
def test_ticks_are_round_inside_and_evenly_apart(low: float, width: float, most: int) -> None:
    high = low + width
    found = ticks(low, high, most)
    assert 1 <= len(found) <= most + 1
    room = 1e-6 * max(abs(low), abs(high), 1)
    assert found[0] >= low - room
    assert found[-1] <= high + room
    if len(found) > 1:
        step = found[1] - found[0]
        lead = step / 10 ** math.floor(math.log10(step) + 1e-6)
        assert min(abs(lead - wanted) for wanted in (1, 2, 5, 10)) < 1e-3
        assert found[0] - step < low + room
        assert found[-1] + step > high - room


def test_points_lie_where_their_numbers_say() -> None:
    drawn = chart([Series("one", [0, 1, 2], [0, 10, 20], line=True)], "x", "y", "s")
    match = re.search(r'<polyline class="s0" points="([^"]*)"', drawn)
    assert match is not None
    points = [tuple(map(float, pair.split(","))) for pair in match[1].split()]
    (x0, y0), (x1, y1), (x2, y2) = points
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert y0 - y1 == pytest.approx(y1 - y2, abs=0.2)
    assert x0 < x1
    assert y0 > y1, "up is more"


def test_missing_and_many_points() -> None:
    some = Series("a", [1, 2, None, 4], [1, None, 3, math.nan])
    assert some.points() == [(1, 1, "")]
    many = Series("b", list(range(10_000)), list(range(10_000))).points()
    assert len(many) == 500
    assert (many[0][0], many[-1][0]) == (0, 9999)
    assert "<script" not in chart([Series(EVIL, [1], [1], hints=[EVIL])] * 2, EVIL, EVIL, EVIL)


def test_disorder_counts_what_moved() -> None:
    same = disorder([3, 2, 1, 0], [9, 8, 7, 6])
    assert "0 of 4 architectures" in same
    assert 'class="far"' not in same
    turned = disorder([3, 2, 1, 0], [6, 7, 8, 9])
    assert "2 of 4 architectures" in turned
    assert turned.count('class="far"') == 2
    assert "from rank 1 to 4" in turned
