"""The form: faults at their fields, files in and out, one job a seed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from page_help import Open, key_of, words
from played_client import PlayedClient
from played_run import played
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextArea

from engine.spec.evaluation import EvaluationSpec
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import dump, parse

NEW = "screens/new_experiment.py"


def shown_file(test: AppTest) -> str:
    return str(test.code[0].value)


def test_the_form_starts_with_the_defaults(open_page: Open) -> None:
    assert parse(shown_file(open_page(NEW))) == ExperimentSpec()


def test_the_file_follows_the_form(open_page: Open) -> None:
    test = open_page(NEW)
    test.number_input(key=key_of(test, ":network.cells")).set_value(3)
    test.toggle(key=key_of(test, ":addons.landmark:on")).set_value(True)
    test.run()
    test.number_input(key=key_of(test, ":addons.landmark.per_round")).set_value(7).run()
    spec = parse(shown_file(test))
    assert spec.network.cells == 3
    assert spec.addons.landmark is not None and spec.addons.landmark.per_round == 7


@pytest.mark.parametrize(
    ("ending", "value", "field"),
    [
        (":network.cells", 99, "network.cells"),
        (":super_net.optimiser.learning_rate", 0.0, "super_net.optimiser.learning_rate"),
        (":super_net.batch_size", 1, "super_net.batch_size"),
        (":data.split_seed", "many", "data.split_seed"),
        (":search.parents", 60, "search.parents"),
        (":seeds", "1, x", "seed"),
    ],
)
def test_a_wrong_value_is_named_at_its_field(
    open_page: Open, lab: PlayedClient, ending: str, value: object, field: str
) -> None:
    test = open_page(NEW)
    kind = "text_input" if isinstance(value, str) else "number_input"
    getattr(test, kind)(key=key_of(test, ending)).set_value(value).run()
    assert f"`{field}`" in test.error[0].value
    assert "nw-fault" in words(test)
    assert test.button(key="queue").disabled
    assert lab.list() == []


def test_an_optional_number_can_be_emptied(open_page: Open) -> None:
    test = open_page(NEW)
    box = test.number_input(key=key_of(test, ":super_net.optimiser.gradient_clip"))
    assert box.value == 5.0 and not box.proto.HasField("default"), "or it could not be emptied"


def test_only_settings_that_matter_are_shown(open_page: Open) -> None:
    test = open_page(NEW)
    part, table = ":evaluation.ground_truth.part", ":evaluation.ground_truth.table"
    assert key_of(test, part)
    with pytest.raises(AssertionError):
        key_of(test, table)
    test.selectbox(key=key_of(test, ":evaluation.ground_truth.source")).set_value("table").run()
    assert key_of(test, table)
    with pytest.raises(AssertionError):
        key_of(test, part)


def test_every_seed_is_a_job(open_page: Open, lab: PlayedClient) -> None:
    test = open_page(NEW)
    test.text_input(key=key_of(test, ":seeds")).set_value("3, 5-6").run()
    assert test.button(key="queue").label == "Queue 3 jobs, one a seed"
    test.button(key="queue").click().run()
    assert sorted(run.seed for run in lab.list()) == [3, 5, 6]
    assert test.title[0].value == "Experiments"


def test_a_file_is_taken_over(open_page: Open) -> None:
    spec = ExperimentSpec(name="From a file", seed=2**60, tags=["a", "b"])
    test = open_page(NEW)
    test.file_uploader[0].upload("mine.yaml", dump(spec).encode(), "application/yaml").run()
    assert parse(shown_file(test)) == spec


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"netwrok: {}\n", "netwrok: there is no such field. Did you mean `network`?"),
        (b"\xff\xfe", "is not a text file"),
        (b"a: [1\n", "not valid YAML"),
    ],
)
def test_a_wrong_file_changes_nothing(open_page: Open, content: bytes, said: str) -> None:
    test = open_page(NEW)
    before = shown_file(test)
    test.file_uploader[0].upload("mine.yaml", content, "application/yaml").run()
    assert said in test.error[0].value
    assert shown_file(test) == before


def test_an_earlier_run_serves_as_template(open_page: Open, runs: Path) -> None:
    folder = played(runs, seed=4, notes="with notes")
    test = open_page("screens/experiment.py", run=folder.run_id)
    next(b for b in test.button if b.label == "Use as a template").click().run()
    assert parse(shown_file(test)) == folder.spec()


def test_another_architecture_is_drawn_on_request(open_page: Open) -> None:
    test = open_page(NEW)
    first = [m.value for m in test.markdown if "<svg" in m.value]
    test.button(key="another").click().run()
    second = [m.value for m in test.markdown if "<svg" in m.value]
    assert len(first) == len(second) == 1 and first != second


def test_what_was_entered_survives_a_look_at_another_page(open_page: Open) -> None:
    test = open_page(NEW)
    test.number_input(key=key_of(test, ":network.cells")).set_value(2).run()
    test.switch_page("screens/system.py").run()
    test.switch_page(NEW).run()
    assert parse(shown_file(test)).network.cells == 2


# -- a space of one's own --------------------------------------------------------------------
DEFINITION = "kind: sizes\nstem: 4\nlayers:\n- widths: [4, 8]\n- widths: [4, 8, 16]\n"


def with_custom_space(open_page: Open) -> AppTest:
    test = open_page(NEW)
    return test.selectbox(key=key_of(test, ":space")).set_value("custom").run()


def box(test: AppTest) -> TextArea:
    return next(area for area in test.text_area if area.label == "Definition (YAML)")


def test_a_definition_is_written_in_the_form(open_page: Open) -> None:
    test = with_custom_space(open_page)
    assert "One of 27 architectures" in words(test), "the example, to start from"
    assert parse(shown_file(test)).space_settings["kind"] == "cell"
    box(test).set_value(DEFINITION).run()
    assert "One of 6 architectures" in words(test)
    assert parse(shown_file(test)).space_settings["layers"][0] == {"widths": [4, 8]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: [", "this is not valid YAML"),
        ("- a\n- b", "a definition is a list of `field: value` lines"),
        (DEFINITION.replace("16]", "8]"), "layers.1.widths.2: line 5: 8 stands here twice"),
    ],
)
def test_what_is_wrong_with_a_definition_is_said_below_it(
    open_page: Open, text: str, said: str
) -> None:
    test = with_custom_space(open_page)
    box(test).set_value(text).run()
    assert said.lower() in words(test).lower()
    assert "Nothing to draw" in words(test)
    assert test.button(key="queue").disabled


def test_the_definition_of_a_file_is_taken_over(open_page: Open) -> None:
    definition = yaml.safe_load(DEFINITION)
    spec = ExperimentSpec(
        space="custom", space_settings=definition, evaluation=EvaluationSpec(sample=5)
    )
    test = open_page(NEW)
    test.file_uploader[0].upload("mine.yaml", dump(spec).encode(), "application/yaml").run()
    assert parse(shown_file(test)) == spec
    test.selectbox(key=key_of(test, ":space")).set_value("nb201").run()
    assert parse(shown_file(test)).space_settings == {}
