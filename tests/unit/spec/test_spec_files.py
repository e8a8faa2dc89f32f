"""Experiment files: what is written reads back, and every fault is named at its field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from spec_strategies import experiments

from engine.spec import files
from engine.spec.errors import SpecError
from engine.spec.experiment import ExperimentSpec

relaxed = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def fault(text: str) -> SpecError:
    with pytest.raises(SpecError) as caught:
        files.parse(text)
    return caught.value


# -- round trips ---------------------------------------------------------------------------
@given(experiments)
@example(
    {"name": "\U0001f680 \x00\x85\ufeff\u2028", "notes": "a: b\n- c\n# d", "tags": ["no", "1"]}
)
@example({"name": "a\x85b", "notes": "\u2028", "tags": ["\u2029", " x\n\n y ", "\ufeff"]})
@relaxed
def test_what_is_written_reads_back(value: dict[str, Any]) -> None:
    spec = files.build(value)
    assert files.parse(files.dump(spec)) == spec
    # JSON is YAML, and programs send it; its emojis are pairs of escapes.
    assert files.parse(json.dumps(spec.model_dump(mode="json"))) == spec


@given(experiments)
@relaxed
def test_nothing_given_is_lost(value: dict[str, Any]) -> None:
    dumped = files.build(value).model_dump()

    def check(given: dict[str, Any], found: dict[str, Any]) -> None:
        for name, part in given.items():
            if isinstance(part, dict):
                check(part, found[name])
            else:
                assert found[name] == part, name

    check(value, dumped)


def test_every_default_is_written_out() -> None:
    written = yaml.safe_load(files.dump(ExperimentSpec()))

    def paths(value: Any) -> set[str]:
        if not isinstance(value, dict):
            return {""}
        return {f"{name}.{rest}" for name, part in value.items() for rest in paths(part) or {""}}

    wanted = paths(ExperimentSpec().model_dump())
    assert paths(written) == wanted
    assert "super_net.optimiser.learning_rate." in wanted


def test_a_file_of_defaults_is_a_run() -> None:
    assert files.parse("{}") == ExperimentSpec()


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=300)
def test_any_text_is_an_experiment_or_a_sentence(text: str) -> None:
    try:
        files.parse(text)
    except SpecError as error:
        assert str(error).strip()


# -- fields --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "field", "hint"),
    [
        ("epoch: 3", "epoch", "Known here: addons, "),
        ("devise: cpu", "devise", "Did you mean `device`?"),
        ("super_net: {epoch: 3}", "super_net.epoch", "Did you mean `epochs`?"),
        (
            "stand_alone: {optimiser: {learnin_rate: 1}}",
            "stand_alone.optimiser.learnin_rate",
            "Did you mean `learning_rate`?",
        ),
        ("addons: {landmark: {roundz: 5}}", "addons.landmark.roundz", "Did you mean `rounds`?"),
        ("addons: {landmarks: {}}", "addons.landmarks", "Did you mean `landmark`?"),
        (
            "evaluation: {ground_truth: {zzz: 5}}",
            "evaluation.ground_truth.zzz",
            "Known here: column, landmark_column, part, source, table.",
        ),
        ("data: {augmentation: {flips: true}}", "data.augmentation.flips", "`flip`?"),
    ],
)
def test_an_unknown_field_comes_with_a_suggestion(text: str, field: str, hint: str) -> None:
    found = fault(text)
    assert found.field == field
    assert "no such field" in found.problem and hint in found.problem


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("seed: soon", "seed", "valid integer"),
        ("seed: 1.5", "seed", "fractional part; given was 1.5"),
        ("seed: -1", "seed", "greater than or equal to 0; given was -1"),
        (f"seed: {2**63}", "seed", "less than 9223372036854775808"),
        ("name: [a]", "name", "valid string; given was ['a']"),
        ('name: ""', "name", "at least 1 character"),
        ("tags: a", "tags", "valid list"),
        ("tags: [a, 1]", "tags.1", "valid string; given was 1"),
        ("device: gpu", "device", "'auto', 'cpu' or 'cuda'; given was 'gpu'"),
        ("network: 5", "network", "valid dictionary"),
        ("network:", "network", "valid dictionary"),
        ("network: {channels: 0}", "network.channels", "greater than or equal to 1"),
        ("network: {norm: {affine: maybe}}", "network.norm.affine", "valid boolean"),
        ("super_net: {optimiser: {momentum: 1}}", "super_net.optimiser.momentum", "less than 1"),
        ("addons: {landmark: {schedule: up}}", "addons.landmark.schedule", "'cos_up'"),
        ("addons: {landmark: {per_round: 1}}", "addons.landmark.per_round", "equal to 2"),
        ("evaluation: {sample: many}", "evaluation.sample", "given was 'many'"),
        ("data: {held_out_fraction: 1}", "data.held_out_fraction", "less than 1"),
        ("settings: 3", "settings", "valid dictionary"),
    ],
)
def test_a_wrong_value_is_named_at_its_field(text: str, field: str, words: str) -> None:
    found = fault(text)
    assert (found.field, words in found.problem) == (field, True), str(found)
    assert str(found).startswith(f"{field}: ") and len(str(found)) < 300


def test_all_faults_are_listed() -> None:
    text = "seed: x\nnetwork: {channels: 0, chanels: 1}\nevaluation: {threshold: .nan}"
    found = {one.field for one in files.problems(files.read_mapping(text))}
    assert found == {"seed", "network.channels", "network.chanels", "evaluation.threshold"}
    assert files.problems({}) == []


@pytest.mark.parametrize(
    "field",
    [
        "super_net.optimiser.gradient_clip",
        "super_net.optimiser.learning_rate",
        "addons.landmark.weight",
        "evaluation.threshold",
        "evaluation.sample",
        "settings.anything",
    ],
)
@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf"])
def test_numbers_are_finite(field: str, value: str) -> None:
    with pytest.raises(SpecError) as caught:
        files.build(files.with_values({}, [f"{field}={value}"]))
    assert str(caught.value) == f"{field}: give a finite number."


# -- hostile and broken files --------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("seed: 1\nname: a\nseed: 2", "seed", "given twice (line 3)"),
        ("network:\n  channels: 1\n  channels: 1", "channels", "given twice (line 3)"),
        ('seed: 1\n"seed": 2', "seed", "given twice"),
        ("1: 2", "", "field names are texts; given was 1"),
        ("settings: {true: 2}", "", "given was True"),
        ("? [a]\n: 3", "", "given was ['a']"),
    ],
)
def test_keys_are_texts_given_once(text: str, field: str, words: str) -> None:
    found = fault(text)
    assert found.field == field and words in found.problem


def test_aliases_are_refused_before_they_expand() -> None:
    laughs = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    laughs += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    assert "aliases" in fault("\n".join(laughs)).problem
    assert "line 2" in fault("name: &n x\nnotes: *n").problem
    assert "aliases" in fault("network: &n {channels: 2}\nstand_alone: {<<: *n}").problem
    assert files.parse("name: '*star & co'").name == "*star & co"


@pytest.mark.parametrize(
    "text",
    ["[" * 200_000, "{a: " * 100_000, "- " * 200_000, "tags: " + "[" * 40 + "]" * 40],
)
def test_deep_nesting_is_refused_at_once(text: str) -> None:
    assert "within each other" in fault(text).problem


def test_more_than_a_megabyte_is_refused() -> None:
    assert "1 MB" in fault("notes: " + "x" * files.MAX_BYTES).problem
    assert "1 MB" in fault("notes: " + "é" * (files.MAX_BYTES // 2)).problem, "bytes count"


def test_too_many_values_are_refused() -> None:
    assert "too many values" in fault("tags: [" + "a," * 60_000 + "]").problem


@pytest.mark.parametrize(
    "text",
    [
        "name: !!python/object/apply:os.system ['true']",
        "name: !!python/name:os.system",
        "!!python/object/new:os.system ['true']",
        "name: !mine 3",
    ],
)
def test_tags_build_no_objects(text: str) -> None:
    assert "could not determine a constructor" in fault(text).problem


@pytest.mark.parametrize(
    "text",
    ["a: [", "\tseed: 1", "seed: 1\n---\nseed: 2", "a: b: c", "name: 'x", "seed: 1\x00", "@"],
)
def test_what_is_no_yaml_says_where(text: str) -> None:
    assert "not valid YAML" in fault(text).problem


@pytest.mark.parametrize("text", ["", "null", "[1, 2]", "seed", "3"])
def test_the_top_is_a_mapping(text: str) -> None:
    assert "`field: value` lines" in fault(text).problem


@pytest.mark.parametrize(
    "text",
    ["name: 2024-13-45", f"seed: {'9' * 5000}", "name: \ud800", "name: 2024-01-01 99:99:99"],
)
def test_values_that_python_cannot_make_are_sentences_too(text: str) -> None:
    assert "not valid YAML" in fault(text).problem


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"name: \xff\xfe")
    for path in (tmp_path / "absent.yaml", tmp_path, binary):
        with pytest.raises(SpecError, match=f"cannot read {path}"):
            files.load(path)
    good = tmp_path / "good.yaml"
    good.write_text("seed: 5\nname: Café", encoding="utf-8")
    assert (files.load(good).seed, files.load(good).name) == (5, "Café")


# -- --set ---------------------------------------------------------------------------------
def test_assignments_go_to_their_field_and_leave_the_original() -> None:
    original = {"seed": 1, "network": {"channels": 4}}
    found = files.with_values(
        original,
        [
            "network.channels=8",
            "network.norm.affine=false",
            "addons.landmark.schedule=const",
            "name=a=b",
            "tags=[x, y]",
            "super_net={epochs: 3}",
            "data.path=",
            "seed=7",
            "seed=9",
        ],
    )
    assert found == {
        "seed": 9,
        "network": {"channels": 8, "norm": {"affine": False}},
        "addons": {"landmark": {"schedule": "const"}},
        "name": "a=b",
        "tags": ["x", "y"],
        "super_net": {"epochs": 3},
        "data": {"path": None},
    }
    assert original == {"seed": 1, "network": {"channels": 4}}
    assert files.build(found).network.norm.affine is False


def test_an_add_on_that_is_off_can_be_switched_on_by_one_setting() -> None:
    found = files.with_values({"addons": {"landmark": None}}, ["addons.landmark.rounds=2"])
    assert found == {"addons": {"landmark": {"rounds": 2}}}


@pytest.mark.parametrize(
    ("assignment", "field", "words"),
    [
        ("seed", "--set", "write `section.field=value`; given was `seed`"),
        ("=3", "--set", "write `section.field=value`"),
        ("seed.more=3", "seed.more", "`seed` is a value, not a section"),
        ("seed=[", "seed", "cannot read `[`"),
        ("seed={a: 1, a: 2}", "seed", "given twice"),
        ("name=2024-13-45", "name", "cannot read `2024-13-45`"),
        (f"seed={'9' * 5000}", "seed", "cannot read `9999"),
        ("notes=[&a x, *a]", "notes", "aliases"),
    ],
)
def test_wrong_assignments_are_named(assignment: str, field: str, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        files.with_values({"seed": 1}, [assignment])
    assert caught.value.field == field and words in caught.value.problem
    assert len(str(caught.value)) < 300


@given(st.floats(0, 1))
@example(5e-324)
@example(1e-05)
@settings(deadline=None, max_examples=30)
def test_numbers_keep_their_digits(value: float) -> None:
    found = files.build(files.with_values({}, [f"search.mutation={value!r}"])).search
    assert found.mutation == value
    assert files.parse(f"search: {{mutation: {value!r}}}").search == found
