"""Sweeps in the form: fields that vary, every job before it is queued, files in and out."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from page_help import Open, key_of, words
from played_client import PlayedClient
from streamlit.testing.v1 import AppTest

from app.sweep_values import read_values, write_values
from app.widgets import schema
from app.widgets.schema import Field
from engine.batch import read_batch
from engine.catalog import EXAMPLES
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import load, parse

NEW = "screens/new_experiment.py"
RATE, EPOCHS = "super_net.optimiser.learning_rate", "super_net.epochs"
FIELDS = schema.read(ExperimentSpec.model_json_schema())

SWEEP = b"""
name: Rates
network: {channels: 4}
sweep:
  super_net.optimiser.learning_rate: [0.005, 0.025]
  seed: [0, 1, 2]
"""
TOGETHER = b"""
name: Fidelity
sweep:
  size:
    - {network.channels: 4, super_net.epochs: 20}
    - {network.channels: 8, super_net.epochs: 10}
  seed: [0, 1, 2]
"""


def shown(test: AppTest) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(test.code[0].value)
    return found


def vary(test: AppTest, path: str) -> AppTest:
    return test.selectbox(key=key_of(test, ":sweep:add")).set_value(path).run()


def write(test: AppTest, path: str, text: str) -> AppTest:
    return test.text_input(key=key_of(test, f":sweep:{path}")).set_value(text).run()


def upload(test: AppTest, content: bytes) -> AppTest:
    return test.file_uploader[0].upload("mine.yaml", content, "application/yaml").run()


# -- typed values ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "text", "values", "wrong"),
    [
        (RATE, "0.005, 1e-1", [0.005, 0.1], []),
        (RATE, "0.1; x; 0; 11; nan", [0.1], ["`x` is not a number", "`0` is out of", "`11` is",
                                              "`nan` is not"]),
        (EPOCHS, "1\n2,2", [1, 2], ["`2` is given twice"]),
        (EPOCHS, "1.5, 0", [], ["`1.5` is not a whole number", "`0` is out of range"]),
        (EPOCHS, " , ", [], ["give at least one value"]),
        ("data.train_images", "None, 50", [None, 50], []),
        (EPOCHS, "none", [], ["`none` is not a whole number"]),
        ("data.path", "/a, /b c", ["/a", "/b c"], []),
    ],
)  # fmt: skip
def test_values_are_read_by_the_type_of_their_field(
    path: str, text: str, values: list[object], wrong: list[str]
) -> None:
    read, faults = read_values(schema.find(FIELDS, path), text)
    assert read == values and [type(one) for one in read] == [type(one) for one in values]
    assert len(faults) == len(wrong)
    for fault, start in zip(faults, wrong, strict=True):
        assert fault.field == f"sweep.{path}" and fault.problem.startswith(start)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, unique=True))
def test_what_is_written_is_read_again(numbers: list[float]) -> None:
    assert read_values(Field("x", "x", "number"), write_values(numbers)) == (numbers, [])


# -- in the form ----------------------------------------------------------------------------------
def test_fields_that_vary_make_jobs(open_page: Open, lab: PlayedClient) -> None:
    test = vary(open_page(NEW), RATE)
    assert shown(test)["sweep"] == {RATE: [0.025]}, "it starts from the form's own value"
    test = write(test, RATE, "0.005, 0.025")
    test = vary(test, "super_net.optimiser.schedule")
    key = ":sweep:super_net.optimiser.schedule"
    box = next(m for m in test.multiselect if m.key.endswith(key))
    box.set_value(["cosine", "linear"]).run()
    test.text_input(key=key_of(test, ":seeds")).set_value("0-2").run()
    assert "2 × learning_rate · 2 × schedule · 3 seeds = 12 jobs" in words(test)
    table = test.dataframe[0].value
    assert list(table.columns) == ["Job", "learning_rate", "schedule", "seed"] and len(table) == 12
    jobs = read_batch(shown(test)).require()
    assert len(jobs) == 12
    test.button(key="queue").click().run()
    assert sorted(run.name for run in lab.list()) == sorted(job.spec.name for job in jobs)
    assert test.title[0].value == "Experiments"
    assert test.text_input(key="search").value == "Experiment", "the batch is shown"


def test_a_wrong_value_is_named_and_stops_the_queue(open_page: Open) -> None:
    test = write(vary(open_page(NEW), RATE), RATE, "0.01, fast")
    assert "`fast` is not a number" in test.error[0].value
    assert "nw-fault" in words(test) and test.button(key="queue").disabled


def test_a_job_that_is_refused_is_named_with_its_reason(open_page: Open) -> None:
    test = write(vary(open_page(NEW), "search.parents"), "search.parents", "5, 60")
    assert "1 refused" in words(test) and "This is so in: parents=60" in test.error[0].value
    table = test.dataframe[0].value
    assert list(table["Refused because"] != "") == [False, True]
    assert test.button(key="queue").disabled


def test_algorithms_vary_without_each_others_settings(open_page: Open) -> None:
    test = open_page(NEW)
    test.selectbox(key=key_of(test, ":algorithm")).set_value("darts").run()
    test = vary(test, "algorithm")
    box = next(m for m in test.multiselect if m.key.endswith(":sweep:algorithm"))
    assert box.value == ["darts"]
    box.set_value(["darts", "spos"]).run()
    assert not test.error and len(read_batch(shown(test)).require()) == 2
    assert shown(test)["settings"] == {}


def test_a_field_is_taken_out_again(open_page: Open) -> None:
    test = write(vary(open_page(NEW), RATE), RATE, "0.1, 0.2")
    next(b for b in test.button if (b.key or "").endswith(f"{RATE}:drop")).click().run()
    assert "sweep" not in shown(test) and test.button(key="queue").label == "Queue 1 job"


def test_a_sweep_survives_a_look_at_another_page(open_page: Open) -> None:
    test = write(vary(open_page(NEW), RATE), RATE, "0.1, 0.2")
    test.switch_page("screens/system.py").run()
    test.switch_page(NEW).run()
    assert shown(test)["sweep"] == {RATE: [0.1, 0.2]}


def test_many_jobs_are_asked_for_once(open_page: Open, lab: PlayedClient) -> None:
    test = open_page(NEW)
    test.text_input(key=key_of(test, ":seeds")).set_value("1-21").run()
    test.button(key="queue").click().run()
    assert lab.list() == [] and "queues 21 jobs at once" in test.warning[0].value
    test.button(key="queue-not").click().run()
    assert not test.warning
    test.button(key="queue").click().run()
    test.button(key="queue").click().run()
    assert len(lab.list()) == 21


# -- files ----------------------------------------------------------------------------------------
def test_a_sweep_file_goes_into_the_form(open_page: Open, lab: PlayedClient) -> None:
    test = upload(open_page(NEW), SWEEP)
    assert not test.error and "is a sweep of" not in words(test)
    assert shown(test)["sweep"] == {RATE: [0.005, 0.025], "seed": [0, 1, 2]}
    assert "2 × learning_rate · 3 seeds = 6 jobs" in words(test)
    test.button(key="queue").click().run()
    assert sorted(run.name for run in lab.list()) == sorted(
        f"Rates · learning_rate={rate} · seed={seed}"
        for rate in (0.005, 0.025)
        for seed in (0, 1, 2)
    )


def test_fields_that_vary_together_wait_above_the_form(open_page: Open, lab: PlayedClient) -> None:
    test = open_page(NEW)
    before = shown(test)
    upload(test, TOGETHER)
    said = words(test).replace("\\", "")
    assert "mine.yaml is a sweep of 6 jobs" in said
    assert "4. channels=8, epochs=10 · seed=0" in said
    assert shown(test) == before, "the form is another experiment"
    test.button(key="drop-sweep").click().run()
    assert "is a sweep of" not in words(test) and lab.list() == []
    upload(test, TOGETHER)
    test.button(key="queue-sweep").click().run()
    assert len(lab.list()) == 6 and test.title[0].value == "Experiments"


def test_a_sweep_with_a_fault_is_not_taken_over(open_page: Open) -> None:
    test = open_page(NEW)
    write(vary(test, RATE), RATE, "0.1, 0.2")
    wrong = SWEEP.replace(b"seed: [0, 1, 2]", b"search.parents: [5, 99]")
    upload(test, wrong)
    assert "mine.yaml was not taken over. search.parents: 99 parents" in test.error[0].value
    assert "This is so in: learning_rate=0.005 · parents=99" in test.error[0].value
    assert shown(test)["sweep"] == {RATE: [0.1, 0.2]}, "what was entered is kept"


@pytest.mark.parametrize(
    "path", sorted((EXAMPLES / "factors").glob("*.yaml")), ids=lambda p: p.stem
)
def test_a_sweep_that_the_form_holds_keeps_its_jobs(path: Path) -> None:
    from app.jobs import as_axes, with_sweep
    from app.widgets.sweep_editor import sweepable

    value = yaml.safe_load(path.read_text())
    held = as_axes(value, sweepable(FIELDS))
    if held is None:
        assert any(isinstance(one, dict) for axis in value["sweep"].values() for one in axis)
        return
    spec, axes, seeds = held
    again = with_sweep(spec.model_dump(mode="json"), axes, seeds)
    wanted = {job.spec.model_dump_json() for job in read_batch(value).require()}
    assert {job.spec.model_dump_json() for job in read_batch(again).require()} == wanted


def test_presets_and_sweeps_that_come_along_can_be_started_from(open_page: Open) -> None:
    test = open_page(NEW)
    test.selectbox(key="start-name").set_value("presets/nb201_best").run()
    assert "Table 6.13" in words(test).replace("\\", ""), "its notes are shown before it is taken"
    next(b for b in test.button if b.label == "Use its settings").click().run()
    assert parse(test.code[0].value) == load(EXAMPLES / "presets" / "nb201_best.yaml")
    test.selectbox(key="start-name").set_value("factors/weight_decay").run()
    next(b for b in test.button if b.label == "Use its settings").click().run()
    assert "= 12 jobs" in words(test)
