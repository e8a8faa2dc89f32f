"""The Compare page: the address is its state, and no run keeps others from being compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from page_help import Open, words
from played_client import PlayedClient
from played_run import OWNER, play, small_spec
from played_run import played as played_whole
from streamlit.testing.v1 import AppTest

from app.widgets.compare_table import chance
from engine.runs import RunFolder, create_run

COMPARE = "screens/compare.py"
SHORT = {"super_net": {"epochs": 15, "batch_size": 64}}
PLAIN, MARKED = "spos on nb201, digits", "spos + landmark on nb201, digits"


def played(runs: Path, **changes: Any) -> RunFolder:
    """Make a finished run of few epochs."""
    return played_whole(runs, **SHORT, **changes)


@pytest.fixture
def two_settings(lab: PlayedClient, runs: Path) -> list[RunFolder]:
    """Two seeds without landmarks and two with them."""
    plain = [played(runs, seed=seed, addons={}) for seed in (0, 1)]
    return plain + [played(runs, seed=seed) for seed in (2, 3)]


def ids(folders: list[RunFolder]) -> str:
    return ",".join(folder.run_id for folder in folders)


def open_compare(open_page: Open, runs: str, **query: str) -> AppTest:
    """Open the page with an address, which only a page that is there already can have."""
    test = open_page(COMPARE)
    for name, value in {"runs": runs, **query}.items():
        test.query_params[name] = value
    return test.run()


def table_rows(test: AppTest) -> list[str]:
    (table,) = [e.proto.body for e in test.get("html") if 'class="nw-compare"' in e.proto.body]
    return [row for row in table.split("<tr>") if 'scope="row"' in row]


def charts(test: AppTest) -> dict[str, Any]:
    found = test.get("bidi_component")
    return {c.key: json.loads(c.proto.json)["figure"] for c in found}


# -- nothing to compare -------------------------------------------------------------------------
def test_an_empty_lab_says_what_to_do(open_page: Open) -> None:
    test = open_page(COMPARE)
    assert "Nothing to compare yet" in words(test)
    assert not test.multiselect


def test_without_a_finished_run_curves_are_offered(open_page: Open, runs: Path) -> None:
    create_run(runs, small_spec())
    test = open_page(COMPARE)
    assert "No experiment is finished yet" in words(test) and len(test.multiselect) == 2


def test_all_finished_runs_are_one_click_away(
    open_page: Open, two_settings: list[RunFolder]
) -> None:
    test = open_page(COMPARE)
    assert "Choose what to compare" in words(test)
    test.button(key="compare-all").click().run()
    assert set(test.query_params["runs"].split(",")) == set(ids(two_settings).split(","))
    assert "compare-curves" in charts(test)


# -- the choice ---------------------------------------------------------------------------------
def test_all_seeds_of_a_setting_are_one_choice(
    open_page: Open, two_settings: list[RunFolder]
) -> None:
    test = open_compare(open_page, ids(two_settings[:3]))
    assert test.multiselect(key="pick-settings").value == [PLAIN]
    assert test.multiselect(key="pick-runs").value == [two_settings[2].run_id]


def test_choosing_and_dropping_moves_the_address(
    open_page: Open, two_settings: list[RunFolder]
) -> None:
    test = open_compare(open_page, ids(two_settings[:2]))
    test.multiselect(key="pick-runs").set_value([two_settings[3].run_id]).run()
    assert test.query_params["runs"] == ids([*two_settings[:2], two_settings[3]])
    test.multiselect(key="pick-settings").set_value([PLAIN, MARKED]).run()
    assert set(test.query_params["runs"].split(",")) == set(ids(two_settings).split(","))
    assert test.multiselect(key="pick-runs").value == []
    test.multiselect(key="pick-settings").set_value([MARKED]).run()
    assert set(test.query_params["runs"].split(",")) == set(ids(two_settings[2:]).split(","))


def test_more_runs_than_can_be_compared_are_refused(
    open_page: Open, two_settings: list[RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.widgets.compare_picker.MOST_RUNS", 3)
    test = open_compare(open_page, ids(two_settings[:2]))
    test.multiselect(key="pick-settings").set_value([PLAIN, MARKED]).run()
    assert test.query_params["runs"] == ids(two_settings[:2])
    assert "At most 3 runs" in test.toast[0].value


# -- what is shown ------------------------------------------------------------------------------
def test_curves_are_means_of_what_the_events_say(
    open_page: Open, two_settings: list[RunFolder]
) -> None:
    test = open_compare(open_page, ids(two_settings))
    lines = [t for t in charts(test)["compare-curves"]["data"] if t.get("name")]
    assert [line["name"].split(" (")[0] for line in lines] == ["spos", "spos + landmark"]
    told = [[e["metrics"]["sparse_kendall_tau"] for e in folder.events() if e["type"] == "ranking"]
            for folder in two_settings[:2]]  # fmt: skip
    assert lines[0]["y"] == pytest.approx([(a + b) / 2 for a, b in zip(*told, strict=True)])


def test_every_curve_can_be_chosen_and_runs_drawn_apart(
    open_page: Open, two_settings: list[RunFolder]
) -> None:
    test = open_compare(open_page, ids(two_settings))
    for metric in test.selectbox(key="curve").options:
        test.selectbox(key="curve").select(metric).run()
        assert not test.exception and not test.error
        assert "compare-curves" in charts(test), metric
    test.toggle(key="apart").set_value(True).run()
    assert len(charts(test)["compare-curves"]["data"]) == 4


def test_the_table_has_both_tests_and_moves_with_the_baseline(
    open_page: Open, two_settings: list[RunFolder]
) -> None:
    test = open_compare(open_page, ids(two_settings))
    first, second = table_rows(test)
    assert "2 seeds · baseline" in first and "against the baseline" not in first
    assert second.count("against the baseline") == 2
    assert all(row.count("against random") == 1 for row in (first, second))
    test.selectbox(key="baseline").select("spos + landmark").run()
    first, second = table_rows(test)
    assert "2 seeds · baseline" in second and first.count("against the baseline") == 2
    assert "| spos on nb201, digits |" in test.code[0].value
    test.segmented_control(key="table-form").set_value("LaTeX").run()
    assert "\\begin{tabular}" in test.code[0].value


def test_boxes_and_scatter_hold_the_finished_runs(
    open_page: Open, two_settings: list[RunFolder]
) -> None:
    drawn = charts(open_compare(open_page, ids(two_settings)))
    *ours, random = drawn["compare-boxes-final-accuracy"]["data"]
    results = [folder.result() for folder in two_settings]
    final = [result["metrics"]["final_accuracy"] for result in results if result]
    assert [x for box in ours for x in box["x"]] == final
    assert len(random["x"]) == 4 * 60
    clicked = [run for trace in drawn["compare-scatter"]["data"] for run in trace["customdata"]]
    assert clicked == [folder.run_id for folder in two_settings]


def test_equal_seeds_share_their_random_draws(open_page: Open, lab: object, runs: Path) -> None:
    both = [played(runs, seed=4, addons={}, search={"population": n}) for n in (20, 30)]
    drawn = charts(open_compare(open_page, ids(both)))
    assert len(drawn["compare-boxes-final-accuracy"]["data"][-1]["x"]) == 60


def test_published_figures_stand_beside_ours(open_page: Open, lab: object, runs: Path) -> None:
    paper = {"sparse_kendall_tau": {"value": 0.771, "source": "<Paper>, Table 1"}}
    folder = played(runs, published=paper)
    text = words(open_compare(open_page, folder.run_id))
    assert "0.771" in text and "&lt;Paper&gt;, Table 1" in text


def test_one_seed_gives_a_warning_and_no_test(
    open_page: Open, two_settings: list[RunFolder]
) -> None:
    test = open_compare(open_page, ids(two_settings[:3]))
    assert any("only one finished run" in one.value for one in test.warning)


def test_settings_of_different_data_are_not_taken_for_equal(
    open_page: Open, lab: object, runs: Path
) -> None:
    both = [played(runs, seed=1), played(runs, seed=1, network={"channels": 4})]
    test = open_compare(open_page, ids(both))
    assert any("do not mean the same" in one.value for one in test.warning)
    names = [t["name"] for t in charts(test)["compare-boxes-final-accuracy"]["data"]]
    assert len([name for name in names if name.startswith("Random")]) == 2


# -- runs that cannot be compared ---------------------------------------------------------------
def test_a_running_run_has_a_curve_and_no_row(
    open_page: Open, two_settings: list[RunFolder], runs: Path
) -> None:
    busy = create_run(runs, small_spec(algorithm="fairnas", addons={}, **SHORT))
    seen = list[int]()
    play(busy, wish=lambda: "stop" if seen.append(1) or len(seen) == 95 else None)
    busy.change_state("running", owner=OWNER)
    test = open_compare(open_page, ids([*two_settings, busy]))
    lines = charts(test)["compare-curves"]["data"]
    assert lines[-1]["name"] == "fairnas" and lines[-1]["y"]
    assert "1 of 5 runs are not in the table" in test.expander[-1].label
    assert "has no result yet" in words(test)


@pytest.mark.parametrize("file", ["ranking.csv", "result.json", "events.jsonl", "spec.yaml"])
def test_a_damaged_run_is_left_out_with_its_reason(
    open_page: Open, two_settings: list[RunFolder], file: str
) -> None:
    (two_settings[0].path / file).write_text("{nonsense\n")
    test = open_compare(open_page, ids(two_settings))
    assert not test.exception and not test.error
    assert "compare-scatter" in charts(test)
    assert "1 of 4 runs are not in the table" in [e.label for e in test.expander]


@pytest.mark.parametrize("run_id", ["no-such-run", "../../etc", "<script>alert(1)</script>"])
def test_an_unknown_run_is_told(
    open_page: Open, two_settings: list[RunFolder], run_id: str
) -> None:
    test = open_compare(open_page, f"{run_id},{ids(two_settings)}")
    assert not test.exception and not test.error
    assert "1 of 5 runs are not in the table" in [e.label for e in test.expander]
    alone = open_compare(open_page, run_id)
    assert not alone.exception and "<script>alert" not in words(alone)


# -- numbers ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("p", "said"),
    [(None, "–"), (1e-9, "< 0.001"), (0.0123, "0.012"), (0.0951, "0.10"), (1, "1.00")],
)
def test_p_values_have_two_digits(p: float | None, said: str) -> None:
    assert chance(p) == said
