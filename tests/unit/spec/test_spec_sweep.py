"""Sweeps: which jobs a file makes, in which order, and every fault at its field."""

from __future__ import annotations

import copy
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.batch import read_batch, refuse_overridden
from engine.spec import files
from engine.spec.errors import SpecError
from engine.spec.experiment import ExperimentSpec
from engine.spec.sweep import MAX_JOBS, expand, is_sweep, short_names, varied_fields

RATE = "super_net.optimiser.learning_rate"
GRID = {
    "name": "Rates",
    "network": {"channels": 4},
    "sweep": {RATE: [0.005, 0.025], "seed": [0, 1, 2]},
}


def faults(**sweep: Any) -> list[tuple[str, str]]:
    return [(f.field, f.problem) for f in read_batch({"sweep": sweep}).faults]


# -- which jobs ---------------------------------------------------------------------------------
def test_lists_are_combined_in_the_order_of_the_file() -> None:
    jobs = read_batch(copy.deepcopy(GRID)).require()
    assert [(j.spec.super_net.optimiser.learning_rate, j.spec.seed) for j in jobs] == [
        (0.005, 0),
        (0.005, 1),
        (0.005, 2),
        (0.025, 0),
        (0.025, 1),
        (0.025, 2),
    ]
    assert [j.spec.network.channels for j in jobs] == [4] * 6
    assert jobs[4].label == "learning_rate=0.025 · seed=1"
    assert jobs[4].spec.name == "Rates · learning_rate=0.025 · seed=1"


def test_a_named_list_varies_fields_together() -> None:
    value = {
        "sweep": {
            "fidelity": [
                {"network.channels": 8, "super_net.epochs": 10},
                {"label": "tiny", "network.channels": 4, "super_net.epochs": 20},
            ],
            "addons.landmark": [None, {"per_round": 4, "rounds": 2}],
        }
    }
    jobs = read_batch(value).require()
    assert [(j.spec.network.channels, j.spec.super_net.epochs) for j in jobs] == [
        (8, 10),
        (8, 10),
        (4, 20),
        (4, 20),
    ]
    assert [j.spec.addons.landmark is not None for j in jobs] == [False, True, False, True]
    assert [j.label for j in jobs] == [
        "channels=8, epochs=10 · landmark=null",
        "channels=8, epochs=10 · landmark={per_round: 4, rounds: 2}",
        "tiny · landmark=null",
        "tiny · landmark={per_round: 4, rounds: 2}",
    ]


def test_a_case_may_leave_everything_as_it_is() -> None:
    value = {"sweep": {"way": [{"label": "plain"}, {"label": "wide", "network.channels": 32}]}}
    assert [j.spec.network.channels for j in read_batch(value).require()] == [16, 32]


def test_an_experiment_is_its_own_only_job() -> None:
    value = {"name": "One", "seed": 3}
    assert not is_sweep(value)
    (job,) = read_batch(value).require()
    assert (job.label, job.spec) == ("", ExperimentSpec(name="One", seed=3))


def test_fields_are_named_by_the_shortest_ending_of_their_own() -> None:
    fields = [RATE, "stand_alone.optimiser.learning_rate", "seed", "data.split_seed"]
    assert short_names(fields) == {
        fields[0]: "super_net.optimiser.learning_rate",
        fields[1]: "stand_alone.optimiser.learning_rate",
        "seed": "seed",
        "data.split_seed": "split_seed",
    }
    assert short_names(["a.b.c", "a.x.c", "b.c"])["a.x.c"] == "x.c"


@given(
    st.dictionaries(
        st.sampled_from(["seed", "network.channels", "super_net.epochs", "search.keep"]),
        st.lists(st.integers(1, 50), min_size=1, max_size=4, unique=True),
        min_size=1,
    )
)
@settings(deadline=None, max_examples=40)
def test_every_combination_once(lists: dict[str, list[int]]) -> None:
    value = {"notes": "kept", "sweep": lists}
    before = copy.deepcopy(value)
    jobs = expand(value)
    assert value == before, "the file's own mapping is not changed"
    assert varied_fields(value) == list(lists)
    wanted = [
        dict(zip(lists, combination, strict=True)) for combination in product(*lists.values())
    ]
    for job, expected in zip(jobs, wanted, strict=True):
        spec = files.build(job.value)
        assert {field: read(spec, field) for field in expected} == expected
        assert spec.notes == "kept"
    assert len({job.label for job in jobs}) == len(jobs)


def read(spec: ExperimentSpec, field: str) -> Any:
    found: Any = spec
    for name in field.split("."):
        found = getattr(found, name)
    return found


# -- what is refused ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("section", "field", "problem"),
    [
        (None, "sweep", "name the fields that vary"),
        ([], "sweep", "name the fields that vary"),
        ({}, "sweep", "name the fields that vary"),
        ({"seed": 3}, "sweep.seed", "give a list of values"),
        ({"seed": {"a": 1}}, "sweep.seed", "give a list of values"),
        ({"seed": []}, "sweep.seed", "the list is empty"),
        ({"seed": [0, 1, 0]}, "sweep.seed", "0 is given twice"),
        ({"addons.landmark": [{}, {}]}, "sweep.addons.landmark", "{} is given twice"),
        ({"sed": [1]}, "sweep.sed", "there is no such field"),
        ({"netwrok.cells": [{"a": 1}]}, "sweep.netwrok.cells", "there is no such field"),
        ({"name": ["a"]}, "sweep.name", "jobs are named after what varies"),
        ({"x": [{"name": "a"}]}, "sweep.x.0.name", "jobs are named after what varies"),
        ({"x": [{"sed": 1}]}, "sweep.x.0.sed", "there is no such field"),
        ({"x": [{"seed": 1}, {}]}, "sweep.x.1", "set at least one field"),
        ({"x": [{"seed": 1, "label": 3}]}, "sweep.x.0.label", "give a text; given was 3"),
        ({"x": [{"seed": 1, "label": " "}]}, "sweep.x.0.label", "give a text"),
        (
            {"x": [{"seed": 1, "label": "a"}, {"seed": 2, "label": "a"}]},
            "sweep.x.label",
            "a is given twice",
        ),
        ({"seed": [1], "x": [{"seed": 2}]}, "sweep.x", "`seed` is varied by `sweep.seed`"),
        (
            {"addons.landmark": [None], "addons.landmark.rounds": [1]},
            "sweep.addons.landmark.rounds",
            "varied by `sweep.addons.landmark` already",
        ),
        ({"task.x": [1]}, "task.x", "`task` is a value, not a section"),
        (
            {"seed": list(range(101)), "network.channels": list(range(1, 11))},
            "sweep",
            f"101 x 10 values are 1010 jobs; at most {MAX_JOBS}",
        ),
    ],
)
def test_a_wrong_section_is_named(section: Any, field: str, problem: str) -> None:
    batch = read_batch({"task": "classification", "sweep": section})
    assert (batch.count, batch.jobs) == (0, ())
    (fault,) = batch.faults
    assert fault.field == field
    assert fault.problem.startswith(problem) or problem in fault.problem
    with pytest.raises(SpecError):
        batch.require()


def test_the_largest_sweep_fits() -> None:
    assert len(expand({"sweep": {"seed": list(range(MAX_JOBS))}})) == MAX_JOBS


def test_a_wrong_value_names_its_jobs() -> None:
    (first, second) = faults(**{"network.channels": [4, 0, 8], "network.cells": [1, 99]})
    assert first[0] == "network.cells"
    assert first[1].endswith(
        "This is so in: channels=4 · cells=99; channels=0 · cells=99; channels=8 · cells=99."
    )
    assert second[0] == "network.channels"
    assert "given was 0. This is so in: channels=0 · cells=1; channels=0 · cells=99." in second[1]


def test_an_unknown_field_is_every_jobs_fault_and_said_once() -> None:
    ((field, problem),) = faults(**{"network.chanels": [4, 8]})
    assert field == "network.chanels"
    assert problem == "there is no such field. Did you mean `channels`?"


def test_a_combination_that_cannot_run_names_its_values() -> None:
    ((field, problem),) = faults(**{"search.parents": [5, 60], "seed": [0, 1, 2, 3, 4]})
    assert field == "search.parents"
    assert problem.startswith("60 parents cannot be chosen from a population of 50.")
    assert problem.endswith(
        "This is so in: parents=60 · seed=0; parents=60 · seed=1; parents=60 · seed=2 and 2 more."
    )


def test_one_experiment_in_two_words_is_found() -> None:
    ((field, problem),) = faults(**{RATE: [1, 1.0]})
    assert (field, problem) == (
        "sweep",
        "`learning_rate=1` and `learning_rate=1.0` are the same experiment.",
    )


def test_a_field_that_varies_cannot_be_set_beside() -> None:
    refuse_overridden(GRID, ["network.channels"])
    refuse_overridden({"seed": 1}, ["seed"])
    with pytest.raises(SpecError, match="seed: the sweep varies this field"):
        refuse_overridden(GRID, ["network.channels", "seed"])


def test_names_that_get_too_long_are_refused() -> None:
    batch = read_batch({"name": "n" * 195, "sweep": {"seed": [0, 1]}})
    assert {fault.field for fault in batch.faults} == {"name"}
