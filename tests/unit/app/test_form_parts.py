"""Beside and around the form: ranges, pickers, examples, and a viewer who may only look."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from page_help import Open, key_of, words
from played_client import PlayedClient
from played_run import played
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from app import drafts, space_costs
from app.space_costs import Costs
from app.widgets import size_histogram
from app.widgets.definition_help import KINDS, example
from engine.spaces import SPACES, get_space
from engine.spec.files import dump, parse
from engine.spec.network import NetworkSpec
from engine.tables.importing import SpaceChoice, import_table

NEW = "screens/new_experiment.py"
SMALL = NetworkSpec(channels=4, cells=1, input_channels=1, resolution=8)
TRUTH = "evaluation.ground_truth"


# -- ranges ---------------------------------------------------------------------------------------
def test_the_range_of_a_small_space_is_that_of_all_its_networks() -> None:
    found = space_costs.costs("nb201", {}, SMALL)
    space = SPACES["nb201"]
    every = [space.cost(one, SMALL) for one in space.enumerate()]
    assert found.exact and len(found) == 15_625 == len(every)
    assert sorted(found.params) == sorted(cost.params for cost in every)
    assert sorted(found.flops) == sorted(cost.flops for cost in every)


def test_the_range_of_a_large_space_is_a_sample_that_stays() -> None:
    found = space_costs.costs("darts", {}, SMALL)
    again = space_costs.costs("darts", {}, SMALL)
    assert not found.exact and len(found) == space_costs.SAMPLED
    assert (found.params == again.params).all() and np.ptp(found.params) > 0


def test_a_histogram_counts_every_network_once() -> None:
    params = np.array([1000, 1100, 1100, 2000, 5800])
    costs = Costs(params, params, True)
    bins = size_histogram.bins(costs)
    width = (5800 - 1000) / size_histogram.BINS
    by_hand = [0] * size_histogram.BINS
    for one in params:
        by_hand[min(int((one - 1000) / width), size_histogram.BINS - 1)] += 1
    assert bins["architectures"] == by_hand and sum(by_hand) == 5
    assert bins["from_params"][0] == 1000 and bins["to_params"][-1] == 5800
    figure = size_histogram.figure(costs, 2000, "key")
    assert figure["layout"]["shapes"][0]["x0"] == 2.0, "in thousands, as the axis says"
    assert figure["layout"]["xaxis"]["title"]["text"] == "Parameters (k)"


def test_networks_that_are_all_alike_make_one_bar() -> None:
    alike = np.full(7, 300_000)
    assert size_histogram.bins(Costs(alike, alike, True))["architectures"] == [7]


# -- pickers --------------------------------------------------------------------------------------
def test_algorithms_that_do_not_fit_stand_last_with_the_reason(open_page: Open) -> None:
    test = open_page(NEW)
    options = test.selectbox(key=key_of(test, ":algorithm")).options
    assert options[0].startswith("Sampling · ") and options[-1].endswith("(not in this space)")
    assert "layers whose widths can be mixed" in words(test), "FBNetV2 needs them"


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("NASW_DATA", str(tmp_path / "lab"))
    space = get_space("nb201")
    rng = np.random.default_rng(0)
    rows = {space.to_text(space.sample(rng)): 50 + number for number in range(30)}
    lines = ["architecture,valid,test"] + [f"{a},{v},{v + 1}" for a, v in rows.items()]
    source = tmp_path / "mine.csv"
    source.write_text("\n".join(lines))
    import_table("csv", source, tmp_path / "lab", "mine", SpaceChoice("nb201"))
    return "mine"


def picker(test: AppTest, name: str) -> Selectbox:
    return test.selectbox(key=key_of(test, f":{TRUTH}.{name}"))


def by_table(open_page: Open) -> AppTest:
    test = open_page(NEW)
    return test.selectbox(key=key_of(test, f":{TRUTH}.source")).set_value("table").run()


def test_tables_and_their_columns_are_chosen(open_page: Open, table: str) -> None:
    test = by_table(open_page)
    assert picker(test, "table").options == ["mine · 30 architectures"]
    picker(test, "table").set_value(table).run()
    assert picker(test, "column").options == ["valid", "test"]
    with pytest.raises(AssertionError):
        picker(test, "landmark_column")
    picker(test, "column").set_value("test").run()
    assert not test.error
    truth = parse(test.code[0].value).evaluation.ground_truth
    assert (truth.table, truth.column) == ("mine", "test")
    test.selectbox(key=key_of(test, ":space")).set_value("nb101").run()
    assert "No imported table is about this space" in words(test)
    assert "is about the space `nb201`" in test.error[0].value


def test_where_no_table_fits_the_way_to_import_one_is_shown(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASW_DATA", str(tmp_path / "empty"))
    test = by_table(open_page)
    assert "No imported table is about this space" in words(test)
    assert test.button(key="queue").disabled


# -- a space of one's own -------------------------------------------------------------------------
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_an_example_that_is_drawn(open_page: Open, kind: str) -> None:
    test = open_page(NEW)
    test.selectbox(key=key_of(test, ":space")).set_value("custom").run()
    test.button(key=f"{key_of(test, ':space').partition(':')[0]}:space_settings:definition"
                f":example:{kind}").click().run()  # fmt: skip
    settings = yaml.safe_load(example(kind))
    assert settings["kind"] == kind
    assert next(a for a in test.text_area if "Definition" in a.label).value == example(kind)
    assert f"One of {get_space('custom', settings).size:,} architectures" in words(test)


def test_all_choices_of_a_definition_are_drawn(open_page: Open) -> None:
    test = open_page(NEW)
    test.selectbox(key=key_of(test, ":space")).set_value("custom").run()
    test.button_group(key="drawn-what").set_value("All choices").run()
    drawing = next(m.value for m in test.markdown if "<svg" in m.value)
    edges = sum(len(g.edges) for g in SPACES["custom"].overview().values())
    assert drawing.count("<path") == edges == 9


# -- starting points ------------------------------------------------------------------------------
def test_an_earlier_run_is_cloned(open_page: Open, runs: Path) -> None:
    folder = played(runs, seed=4, notes="with notes")
    test = open_page(NEW)
    test.selectbox(key="start-run").set_value(folder.run_id).run()
    test.button(key="clone").click().run()
    assert parse(test.code[0].value) == folder.spec()


def test_another_page_changes_one_section_only(open_page: Open) -> None:
    def page() -> None:
        from app import drafts

        drafts.base()
        drafts.remember({"space": "darts", "data": {}}, {"seed": [1]}, [1, 2])
        drafts.change("data", {"name": "digits"})

    test = AppTest.from_function(page).run()
    assert not test.exception
    state = test.session_state
    assert state[drafts._BASE] == {"space": "darts", "data": {"name": "digits"}}
    assert state[drafts._AXES] == {"seed": [1]} and state[drafts._SEEDS] == "1, 2"


# -- who may --------------------------------------------------------------------------------------
def test_a_viewer_without_rights_cannot_queue(
    open_page: Open, lab: PlayedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASW_READ_ONLY", "1")
    test = open_page(NEW)
    assert "not queue" in test.info[0].value
    assert not [b for b in test.button if b.key == "queue"]
    sweep = b"sweep: {x: [{network.channels: 4}, {network.channels: 8}]}"
    test.file_uploader[0].upload("mine.yaml", sweep, "application/yaml").run()
    assert "is a sweep of 2 jobs" in words(test).replace("\\", "")
    assert not [b for b in test.button if b.key == "queue-sweep"]
    assert dump(parse(test.code[0].value)).strip() == test.code[0].value, "to be taken"
