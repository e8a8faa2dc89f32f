"""Setting up a search: the form on the left, what it means on the right."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import client, drafts, jobs, links
from app.jobs import Draft
from app.widgets import (
    definition,
    form_sections,
    preview,
    queue_box,
    schema,
    start_from,
    sweep_box,
    sweep_editor,
)
from app.widgets.form_from_schema import Form, values
from app.widgets.parts import recipe_part, space_part
from app.widgets.relevance import irrelevant, refusals
from app.widgets.schema import Field
from app.widgets.seeds import parse_seeds
from engine.spec.errors import SpecError
from engine.spec.sweep import SECTION

Fields = tuple[Field, ...]


def render() -> None:
    """Draw the page."""
    links.heading("New experiment")
    fields = schema.read(client.catalog()["schema"])
    start_from.draw(_known(fields, drafts.base()))
    sweep_box.draw()
    draft, known = _read(fields, drafts.base(), drafts.key())
    drafts.remember(draft.value, draft.axes, draft.seeds)
    left, right = st.columns([1.55, 1], gap="large")
    with left:
        form_sections.draw(fields, _form(draft), known)
    with right, st.container(key="beside-form"):
        queue_box.draw(draft)
        preview.draw(draft)


def _form(draft: Draft) -> Form:
    recipe = recipe_part(str(draft.value["algorithm"]))
    title = client.title("algorithms", str(draft.value["algorithm"]))
    return Form(
        drafts.base(),
        draft.value | ({SECTION: draft.axes} if draft.axes else {}),
        _by_field(draft.faults),
        drafts.key(),
        form_sections.FRONT,
        form_sections.LABELS | {f"settings.{n}": w for n, w in form_sections.OWN_LABELS.items()},
        irrelevant(draft.value, space_part(draft.value), recipe),
        refusals(recipe, tuple(draft.value["addons"]), title),
        _offered(str(draft.value["space"])),
    )


def _offered(space: str) -> dict[str, list[str]]:
    """Return words that the lab knows already, by the field that can use them."""
    runs = client.runs()
    return {
        "tags": sorted({tag for run in runs for tag in run.tags}),
        "addons.landmark.earlier_runs": [run.run_id for run in runs if run.space == space],
    }


def _own(value: dict[str, Any]) -> tuple[Fields, Fields]:
    """Return the fields that the chosen algorithm and space have of their own."""
    algorithm = client.entry("algorithms", str(value["algorithm"]))
    space = client.entry("spaces", str(value["space"]))
    settings = form_sections.settings_fields(algorithm)
    return settings, form_sections.settings_fields(space, "space_settings")


def _known(fields: Fields, value: dict[str, Any]) -> dict[str, Field]:
    settings, space = _own(value)
    return sweep_editor.sweepable((*fields, *settings, *space))


def _read(fields: Fields, base: dict[str, Any], key: str) -> tuple[Draft, dict[str, Field]]:
    """Return the draft, and the fields of it that can vary."""
    value = values(fields, base, key)
    settings, own = _own(value)
    value["settings"] = values(settings, base.get("settings") or {}, key) if settings else {}
    value["space_settings"] = values(own, base.get("space_settings") or {}, key) if own else {}
    unread: list[SpecError] = []
    space = client.entry("spaces", str(value["space"]))
    if definition.is_defined(space):
        value["space_settings"], unread = definition.entered(space, base, key)
    text = st.session_state.get(f"{key}:seeds", drafts.seeds())
    seeds = [0]
    try:
        seeds = parse_seeds(text)
    except SpecError as error:
        unread = [*unread, error]
    value["seed"] = seeds[0]
    known = sweep_editor.sweepable((*fields, *settings, *own))
    axes, wrong = sweep_editor.entered(known, key)
    return jobs.look(value, seeds, axes, [*unread, *wrong]), known


def _by_field(faults: list[SpecError]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for fault in faults:
        found.setdefault(fault.field, []).append(fault.problem)
    return found


render()
