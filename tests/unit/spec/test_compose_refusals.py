"""Valid parts that cannot run together: each refusal names its field, the reason, a way out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from engine.compose import check, recipe_settings, require_runnable
from engine.core.capabilities import SENTENCES, SHARED_WEIGHTS, WIDTH_SLICES
from engine.recipes import RECIPES, Recipe
from engine.spaces import SPACES
from engine.spec.errors import CompositionError, SpecError
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import build, with_values


class Settings(BaseModel):
    """Settings of a recipe for these tests."""

    model_config = ConfigDict(extra="forbid")

    temperature: float = Field(5.0, gt=0)


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Function: register a recipe for the time of a test."""

    def add(**changes: Any) -> Recipe:
        part = replace(RECIPES["spos"], name="new", **changes)
        monkeypatch.setitem(RECIPES._parts, "new", part)
        return part

    return add


def spec(*assignments: str) -> ExperimentSpec:
    return build(with_values({}, list(assignments)))


def faults(*assignments: str) -> dict[str, str]:
    return {fault.field: fault.problem for fault in check(spec(*assignments))}


def test_the_defaults_can_run() -> None:
    assert faults() == {}
    assert faults("addons.landmark={}") == {}
    require_runnable(spec())


@pytest.mark.parametrize(
    ("assignment", "field", "words"),
    [
        ("space=nb202", "space", "Did you mean `nb201`?"),
        ("space=zzz", "space", "no search space `zzz`; known are "),
        ("algorithm=spo", "algorithm", "Did you mean `spos`?"),
        ("algorithm=zzz", "algorithm", "known are"),
        ("data.name=cifar", "data.name", "Did you mean `cifar10"),
        ("data.name=npz", "data.path", "`npz` needs the path"),
        ("data.name=folder", "data.path", "`folder` needs the path"),
        ("settings.temperature=3", "settings.temperature", "settings of `spos` are: none"),
        ("evaluation.sample=15626", "evaluation.sample", "only 15625 architectures; given was"),
        ("search.parents=51", "search.parents", "51 parents cannot be chosen from a population"),
        (
            "addons.landmark.min_distance=6",
            "addons.landmark.min_distance",
            "in more than `min_distance`. Use at most 5",
        ),
        (
            "addons.landmark.rounds=100\nsuper_net.epochs=99",
            "addons.landmark.rounds",
            "`super_net.epochs` is 99",
        ),
        (
            "addons.landmark.per_round=1000\naddons.landmark.rounds=16",
            "addons.landmark.per_round",
            "16 rounds of 1000 landmarks and a sample of 200 are more than the 15625",
        ),
        (
            "addons.landmark.per_round=1000\naddons.landmark.rounds=15\nevaluation.sample=626",
            "addons.landmark.per_round",
            "15 rounds of 1000 landmarks and a sample of 626 are more than the 15625",
        ),
        ("evaluation.ground_truth.source=table", "evaluation.ground_truth.table", "give the path"),
    ],
)
def test_one_reason_at_its_field(assignment: str, field: str, words: str) -> None:
    found = faults(*assignment.split("\n"))
    assert list(found) == [field]
    assert words in found[field] and found[field].rstrip()[-1] in ".?"
    with pytest.raises(SpecError, match=field):
        require_runnable(spec(*assignment.split("\n")))


@pytest.mark.parametrize(
    "assignment",
    [
        "evaluation.sample=15625",
        "search.parents=50",
        "addons.landmark.min_distance=5",
        "addons.landmark.rounds=3\nsuper_net.epochs=3",
        "addons.landmark.per_round=1000\naddons.landmark.rounds=15\nevaluation.sample=625",
    ],
)
def test_the_last_value_before_a_refusal_can_run(assignment: str) -> None:
    assert faults(*assignment.split("\n")) == {}


def test_all_reasons_come_at_once() -> None:
    assert set(faults("space=x", "algorithm=y", "data.name=z")) == {"space", "algorithm"}
    assert set(faults("search.parents=60", "evaluation.sample=20000", "data.name=z")) == {
        "search.parents",
        "evaluation.sample",
        "data.name",
    }


def test_missing_files_are_named(tmp_path: Path) -> None:
    gone = tmp_path / "gone.csv"
    found = faults("evaluation.ground_truth.source=table", f"evaluation.ground_truth.table={gone}")
    assert found == {"evaluation.ground_truth.table": f"there is no file {gone}."}
    gone.write_text("arch_str,a\n")
    found = faults("evaluation.ground_truth.source=table", f"evaluation.ground_truth.table={gone}")
    assert list(found) == ["evaluation.ground_truth.column"]
    for field in ("column", "landmark_column"):
        found = faults(
            "evaluation.ground_truth.source=table",
            f"evaluation.ground_truth.table={gone}",
            "evaluation.ground_truth.column=a",
            f"evaluation.ground_truth.{field}=b",
        )
        words = f"{gone} has no column `b`; it has arch_str, a."
        assert found == {f"evaluation.ground_truth.{field}": words}
    found = faults("data.name=npz", f"data.path={tmp_path / 'x.npz'}")
    assert found == {"data.path": f"there is no file or folder {tmp_path / 'x.npz'}."}
    assert faults("data.name=folder", f"data.path={tmp_path}") == {}


def test_a_recipe_that_needs_more_than_the_space_offers(recipe: Any) -> None:
    recipe(requires=frozenset({WIDTH_SLICES, SHARED_WEIGHTS}))
    (fault,) = check(spec("algorithm=new"))
    assert isinstance(fault, CompositionError) and fault.field == "algorithm"
    assert SENTENCES[WIDTH_SLICES] in fault.problem
    assert SENTENCES[SHARED_WEIGHTS] not in fault.problem, "that one is there"
    fitting = [name for name, one in SPACES.items() if WIDTH_SLICES in one.provides]
    assert f"Spaces that fit: {', '.join(fitting)}." in fault.problem
    recipe(requires=frozenset(SENTENCES))
    (fault,) = check(spec("algorithm=new"))
    assert "Spaces that fit: none." in fault.problem


def test_a_recipe_that_landmarks_make_no_sense_with(recipe: Any) -> None:
    recipe(addons=frozenset())
    assert check(spec("algorithm=new")) == []
    (fault,) = check(spec("algorithm=new", "addons.landmark={}"))
    assert isinstance(fault, CompositionError) and fault.field == "addons.landmark"
    assert "Algorithms that can: " in fault.problem and "spos" in fault.problem


def test_a_recipes_own_settings(recipe: Any) -> None:
    recipe(settings=Settings)
    assert recipe_settings(spec("algorithm=new")) == Settings()
    given = spec("algorithm=new", "settings.temperature=2")
    assert recipe_settings(given) == Settings(temperature=2.0)
    assert check(given) == []
    for assignment, field in (
        ("settings.temperature=0", "settings.temperature"),
        ("settings.temprature=1", "settings.temprature"),
    ):
        (fault,) = check(spec("algorithm=new", assignment))
        assert fault.field == field
        assert "settings of `new` are: temperature." in fault.problem


def test_a_published_figure_is_of_a_known_metric() -> None:
    figure = {"value": 0.7, "source": "a paper, a table"}
    assert check(build({"published": {"sparse_kendall_tau": figure}})) == []
    (fault,) = check(build({"published": {"tau": figure}}))
    assert fault.field == "published.tau" and "sparse_kendall_tau" in fault.problem
