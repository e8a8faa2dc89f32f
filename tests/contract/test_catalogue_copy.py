"""The checked-in catalogue is what the engine would write now, and pages can rely on it."""

from __future__ import annotations

import json

from engine.catalog import CATALOG_PATH, build_catalog, load_catalog
from engine.recipes import RECIPES
from engine.searchers import SEARCHERS
from engine.spaces import SPACES
from engine.spec.addons import AddonsSpec


def test_the_checked_in_copy_is_fresh() -> None:
    assert load_catalog() == json.loads(json.dumps(build_catalog())), (
        "run `python -m engine catalog --write`"
    )


def test_it_is_written_in_the_form_of_the_command() -> None:
    """So that a renewal shows only what changed."""
    text = json.dumps(build_catalog(), indent=1) + "\n"
    assert CATALOG_PATH.read_text(encoding="utf-8") == text


def test_it_lists_every_registered_part_once() -> None:
    catalog = load_catalog()
    for section, wanted in (
        ("spaces", SPACES.names()),
        ("algorithms", RECIPES.names()),
        ("addons", sorted(AddonsSpec.model_fields)),
    ):
        assert sorted(part["name"] for part in catalog[section]) == wanted


def test_every_part_says_what_it_is() -> None:
    catalog = load_catalog()
    for section in ("spaces", "algorithms"):
        for part in catalog[section]:
            assert part["title"] and part["source"] and part["help"].endswith("."), part["name"]
    for part in [*catalog["datasets"], *catalog["addons"]]:
        assert part["title"] and part["description"].endswith("."), part["name"]


def test_slots_name_parts_that_exist() -> None:
    for part in load_catalog()["algorithms"]:
        slots = part["slots"]
        assert set(slots["baselines"]) | {slots["searcher"]} <= set(SEARCHERS.names())
        assert set(part["addons"]) <= set(AddonsSpec.model_fields)
