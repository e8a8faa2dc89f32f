"""Who becomes a landmark: never a member of the correlation sample, never one network twice."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from tiny_runs import Watcher, finished, new_run, run, tiny

from engine import conductor
from engine.core.architecture import Architecture
from engine.events import Event
from engine.lab import Lab
from engine.searchers import Searcher
from engine.spaces import get_space
from engine.spec.errors import SpecError
from engine.spec.experiment import ExperimentSpec

SPACE = get_space("nb201")
SPEC_PARTS: dict[str, Any] = {
    "super_net": {"epochs": 2},
    "stand_alone": {"epochs": 1},
    "search": {"population": 4, "generations": 1, "keep": 1},
    "evaluation": {"sample": 4},
}
SPEC = tiny(**SPEC_PARTS)


def forms(rows: Collection[dict[str, Any]]) -> set[str]:
    return {SPACE.canonical(SPACE.parse(row["text"])) for row in rows}


def of_kind(events: list[Event], kind: str) -> list[Event]:
    return [event for event in events if event["type"] == kind]


def test_the_first_landmarks_are_chosen_around_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    excluded: list[set[str]] = []
    real = conductor.choose_diverse

    def choose(*args: Any, exclude: Collection[str], **kwargs: Any) -> list[Architecture]:
        excluded.append(set(exclude))
        assert (args[1], args[2]) == (3, 2)
        return real(*args, exclude=exclude, **kwargs)

    monkeypatch.setattr(conductor, "choose_diverse", choose)
    watcher = Watcher(lambda events: bool(of_kind(events, "landmarks")))
    run(new_run(tmp_path, SPEC), watcher)
    (sample,) = of_kind(watcher.events, "sample")
    assert excluded == [forms(sample["architectures"])]
    assert len(forms(sample["architectures"])) == 4


def with_earlier(name: Path | str, seed: int = 7) -> ExperimentSpec:
    landmark = {"earlier_runs": [str(name)], "rounds": 1}
    return tiny(**SPEC_PARTS, seed=seed, addons={"landmark": landmark})


def test_earlier_runs_give_the_first_landmarks_and_the_bank_their_accuracy(
    tmp_path: Path,
) -> None:
    first = finished(tmp_path / "first", SPEC)
    second = finished(tmp_path / "second", with_earlier(first.path))
    rows = [row for e in of_kind(first.events(), "landmarks") for row in e["architectures"]]
    result = first.result()
    assert result is not None
    known = forms(rows) | forms(result["architectures"])
    (sample,) = of_kind(second.events(), "sample")
    (landmarks,) = of_kind(second.events(), "landmarks")
    usable = known - forms(sample["architectures"])
    assert len(usable) >= 3
    assert forms(landmarks["architectures"]) <= usable
    asked = [e for e in of_kind(second.events(), "ground_truth") if e["purpose"] == "landmark"]
    assert [e["measured"]["origin"] for e in asked] == ["bank"] * 3


def test_earlier_runs_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    queued = new_run(tmp_path / "queued", SPEC)
    for name, words in (
        ("nothing-here", "there is no run `nothing-here`"),
        (queued.path, "has neither landmarks nor found architectures yet"),
    ):
        with pytest.raises(SpecError, match=words) as caught:
            run(new_run(tmp_path / words[:9], with_earlier(name)))
        assert caught.value.field == "addons.landmark.earlier_runs"
    sizes = with_earlier(queued.path).model_copy(update={"space": "nats_size"})
    with pytest.raises(SpecError, match="searched the space `nb201`"):
        run(new_run(tmp_path / "sizes", sizes))


def test_the_best_of_a_round_join_unless_they_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search finds the whole sample and all landmarks best, then two new networks."""
    cell = "|nor_conv_3x3~0|+|{}~0|nor_conv_3x3~1|+|none~0|nor_conv_1x1~1|nor_conv_1x1~2|"
    new = [SPACE.parse(cell.format(op)) for op in ("nor_conv_3x3", "avg_pool_3x3")]
    watcher = Watcher()

    def search(lab: Lab, events: Any, plan: Any, poll: Any, name: str, **more: Any) -> Searcher:
        searcher = lab.searcher(name)
        if more.get("report"):
            searcher.tell(new, [2.0, 1.0])
            return searcher
        (sample,), (known,) = (of_kind(watcher.events, k) for k in ("sample", "landmarks"))
        rows = [*sample["architectures"], *known["architectures"]]
        found = [SPACE.parse(row["text"]) for row in rows]
        assert len(forms(rows)) == 7
        searcher.tell([*found, *new], [100.0 - k for k in range(9)])
        return searcher

    monkeypatch.setattr(conductor, "search", search)
    folder = new_run(tmp_path, SPEC)
    assert run(folder, watcher) == "finished"
    first, second = of_kind(watcher.events, "landmarks")
    assert (first["round"], second["round"]) == (1, 2)
    assert [row["text"] for row in second["architectures"]] == [SPACE.to_text(a) for a in new]
    notes = [event["message"] for event in of_kind(watcher.events, "note")]
    assert "Only 2 new landmarks were found after round 1." in notes
    latest = folder.latest_progress()
    assert latest is not None
    assert latest["fraction"] == 1.0, "the missing landmark is not waited for"


def test_a_new_landmark_ends_the_round_before(tmp_path: Path) -> None:
    watcher = Watcher()
    run(new_run(tmp_path, SPEC), watcher)
    told = [
        (event["type"], event.get("round"))
        for event in watcher.events
        if event["type"] in ("landmarks", "epoch")
    ]
    assert told == [("landmarks", 1), ("epoch", 1), ("landmarks", 2), ("epoch", 2)]


@pytest.mark.parametrize(
    ("epochs", "rounds", "expected"),
    [
        (6, 3, [1, 1, 2, 2, 3, 3]),
        (5, 2, [1, 1, 2, 2, 2]),
        (4, 4, [1, 2, 3, 4]),
        (3, 1, [1, 1, 1]),
        (5, 3, [1, 1, 2, 3, 3]),
    ],
)
def test_rounds_share_the_epochs(epochs: int, rounds: int, expected: list[int]) -> None:
    spec = tiny(super_net={"epochs": epochs}, addons={"landmark": {"rounds": rounds}})
    lab = Lab.build(spec, conductor.Events([]))
    made = conductor.Conductor(new_run_nowhere(), lab, conductor.Events([]), control=Watcher())
    assert [made._round_of(epoch)[0] for epoch in range(1, epochs + 1)] == expected
    assert made._round_of(epochs)[1] == epochs


def new_run_nowhere() -> conductor.RunFolder:
    """Return a run folder that is never written to."""
    return conductor.RunFolder(Path("nowhere"))
