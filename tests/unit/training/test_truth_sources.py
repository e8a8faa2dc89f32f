"""Ground truth: averaged over replicates, trained once, weights that belong to their row."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from safetensors.torch import load
from training_cases import MIXED, OTHER, SPACE, network

from engine.core.architecture import Architecture
from engine.evaluators.truth import TableTruth, TrainedTruth
from engine.networks import SuperNet, build_stand_alone
from engine.spec.errors import TableError
from engine.tables.bank import Bank
from engine.training.stand_alone import Trained

# Equal networks: the two inner nodes are exchanged.
ONE = SPACE.parse(
    "|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|none~0|skip_connect~1|skip_connect~2|"
)
TWIN = SPACE.parse(
    "|nor_conv_1x1~0|+|nor_conv_3x3~0|none~1|+|none~0|skip_connect~1|skip_connect~2|"
)
ACCURACIES = ((93.3, 70.1), (93.9, 70.2), (94.2, 70.4))


class FakeTrainer:
    """Answers at once; the seed of its networks is the replicate."""

    def __init__(self, replicates: int, protocol: str = "p") -> None:
        self.protocol = protocol
        self.spec = SimpleNamespace(replicates=replicates)
        self.accuracies = ACCURACIES
        self.trained: list[tuple[str, int]] = []

    def train(
        self, architecture: Architecture, canonical: str, replicate: int, poll: Callable[[], None]
    ) -> tuple[SuperNet, Trained]:
        poll()
        self.trained.append((canonical, replicate))
        held_out, test = self.accuracies[replicate]
        return build_stand_alone(architecture, network(), replicate), Trained(
            held_out, test, 0.5, 2.0
        )


def nothing() -> None: ...


def truth(
    folder: Path, replicates: int = 1, part: str = "test", protocol: str = "p"
) -> tuple[TrainedTruth, FakeTrainer]:
    trainer = FakeTrainer(replicates, protocol)
    source = TrainedTruth(SPACE, trainer, Bank(folder), part)  # type: ignore[arg-type]
    return source, trainer


def test_the_mean_over_replicates(tmp_path: Path) -> None:
    source, trainer = truth(tmp_path, replicates=3)
    found = source.get(MIXED, nothing)
    assert found.held_out == pytest.approx((93.3 + 93.9 + 94.2) / 3)
    assert found.test == pytest.approx((70.1 + 70.2 + 70.4) / 3)
    assert (found.value, found.landmark_value) == (found.test, found.held_out)
    assert (found.origin, found.seconds) == ("trained", 6.0)
    assert trainer.trained == [(SPACE.canonical(MIXED), index) for index in range(3)]


def test_the_part_decides_what_ranks_the_sample_but_not_the_landmarks(tmp_path: Path) -> None:
    found = truth(tmp_path, part="held_out")[0].get(MIXED, nothing)
    assert (found.value, found.landmark_value, found.test) == (93.3, 93.3, 70.1)


def test_equal_accuracies_stay_equal_after_averaging(tmp_path: Path) -> None:
    """Or ties would be broken, and landmarks ordered, by the last binary digit."""
    values = set()
    for number, order in enumerate(itertools.permutations(ACCURACIES)):
        source, trainer = truth(tmp_path / str(number), replicates=3)
        trainer.accuracies = order
        values.add(source.get(MIXED, nothing).landmark_value)
    assert len({sum(a for a, _ in order) / 3 for order in itertools.permutations(ACCURACIES)}) > 1
    assert len(values) == 1


def test_what_the_bank_has_is_not_trained(tmp_path: Path) -> None:
    first = truth(tmp_path)[0].get(MIXED, nothing)
    source, trainer = truth(tmp_path)
    again = source.get(MIXED, nothing)
    assert trainer.trained == []
    assert (again.origin, again.seconds) == ("bank", 0)
    assert (again.value, again.held_out, again.test) == (first.value, first.held_out, first.test)
    more, trainer = truth(tmp_path, replicates=2)
    assert more.get(MIXED, nothing).origin == "trained"
    assert [replicate for _, replicate in trainer.trained] == [1]


def test_equal_networks_are_one(tmp_path: Path) -> None:
    assert SPACE.canonical(ONE) == SPACE.canonical(TWIN)
    source, trainer = truth(tmp_path)
    source.get(ONE, nothing)
    assert source.get(TWIN, nothing).origin == "bank"
    assert len(trainer.trained) == 1
    found = source.weights(TWIN)
    assert found is not None
    assert found[1] == ONE
    assert _fits(found[0], ONE)
    assert source.weights(OTHER) is None


def _fits(path: Path, architecture: Architecture) -> bool:
    return set(load(path.read_bytes())) == set(
        build_stand_alone(architecture, network(), 0).state_dict()
    )


def test_another_protocol_is_another_result(tmp_path: Path) -> None:
    truth(tmp_path)[0].get(MIXED, nothing)
    source, trainer = truth(tmp_path, protocol="q")
    assert source.get(MIXED, nothing).origin == "trained"
    assert len(trainer.trained) == 1


def test_what_another_run_trained_meanwhile_is_found(tmp_path: Path) -> None:
    mine, trainer = truth(tmp_path)
    theirs, _ = truth(tmp_path)
    theirs.get(MIXED, nothing)
    assert mine.get(MIXED, nothing).origin == "bank"
    assert trainer.trained == []


def test_a_row_has_its_weights_even_if_two_runs_trained_equal_networks_at_once(
    tmp_path: Path,
) -> None:
    """Both began before either was done; whichever row is read, its weights are its own."""
    first, second = truth(tmp_path)[0], truth(tmp_path)[0]
    second.bank.refresh = nothing  # type: ignore[method-assign]
    first.get(ONE, nothing)
    assert second.get(TWIN, nothing).origin == "trained"
    for bank in (first.bank, second.bank, Bank(tmp_path)):
        source = TrainedTruth(SPACE, FakeTrainer(1), bank, "test")  # type: ignore[arg-type]
        found = source.weights(ONE)
        assert found is not None
        assert _fits(*found)


def test_a_process_that_dies_while_weights_are_written_leaves_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Bank, "keep_weights", killed)
        with pytest.raises(KeyboardInterrupt):
            truth(tmp_path)[0].get(MIXED, nothing)
    source, trainer = truth(tmp_path)
    assert source.get(MIXED, nothing).origin == "trained"
    assert len(trainer.trained) == 1
    assert source.weights(MIXED) is not None


def test_a_stop_in_the_middle_keeps_the_replicates_that_are_done(tmp_path: Path) -> None:
    polls: list[int] = []

    def poll() -> None:
        polls.append(1)
        if len(polls) == 2:
            raise KeyboardInterrupt

    source, _ = truth(tmp_path, replicates=3)
    with pytest.raises(KeyboardInterrupt):
        source.get(MIXED, poll)
    again, trainer = truth(tmp_path, replicates=3)
    again.get(MIXED, nothing)
    assert [replicate for _, replicate in trainer.trained] == [1, 2]


def test_what_is_known_without_training(tmp_path: Path) -> None:
    source, trainer = truth(tmp_path, replicates=2)
    assert source.known(MIXED) is None
    value = source.get(MIXED, nothing).value
    trained = len(trainer.trained)
    assert source.known(MIXED) == value
    assert source.known(OTHER) is None
    more, _ = truth(tmp_path, replicates=3)
    assert more.known(MIXED) is None, "a replicate is missing"
    assert len(trainer.trained) == trained


# -- tables -------------------------------------------------------------------------------------
def test_a_table_answers_by_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    rows = [f"{SPACE.to_text(MIXED)},91.5,70", f"{SPACE.to_text(OTHER)},92.5,60"]
    path.write_text("\n".join(["arch_str,valid,test", *rows]))
    source = TableTruth(SPACE, path, "test", "valid")
    found = source.get(MIXED, nothing)
    assert (found.value, found.landmark_value, found.origin) == (70.0, 91.5, "table")
    assert (found.held_out, found.test, found.seconds) == (None, None, 0.0)
    assert sorted(source.all_values()) == [60.0, 70.0]
    assert source.weights(MIXED) is None
    alone = TableTruth(SPACE, path, "test", None).get(MIXED, nothing)
    assert (alone.value, alone.landmark_value) == (70.0, 70.0)
    with pytest.raises(TableError, match="has no accuracy for"):
        source.get(ONE, nothing)
    assert (source.known(MIXED), source.known(ONE)) == (70.0, None)


def test_a_table_can_be_stopped_too(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f"arch_str,test\n{SPACE.to_text(MIXED)},70")

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TableTruth(SPACE, path, "test", None).get(MIXED, stop)
