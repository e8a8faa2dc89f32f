"""Setting up a search: the form on the left, what it means on the right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from app import client, drafts, links
from app.guard import attempt
from app.widgets import definition, form_sections, preview, schema, sweep_box
from app.widgets.form_from_schema import Form, values
from app.widgets.schema import Field
from app.widgets.seeds import parse_seeds
from engine.spec.errors import SpecError, WorkbenchError
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import build, read_mapping
from engine.spec.sweep import is_sweep

DEFAULTS = "Defaults"


@dataclass(frozen=True)
class Draft:
    """The experiment as the form holds it now."""

    value: dict[str, Any]
    seeds: list[int]
    faults: list[SpecError]

    @property
    def spec(self) -> ExperimentSpec | None:
        """The valid experiment, None while something is wrong with a field."""
        return None if self.faults else build(self.value)


def render() -> None:
    """Draw the page."""
    links.heading("New experiment")
    fields = schema.read(client.catalog()["schema"])
    _start_from()
    sweep_box.draw()
    base, key = drafts.base(), drafts.key()
    draft = _read(fields, base, key)
    left, right = st.columns([1.55, 1], gap="large")
    with left:
        form = Form(
            base,
            draft.value,
            _by_field(draft.faults),
            key,
            form_sections.FRONT,
            form_sections.LABELS,
        )
        form_sections.draw(fields, form)
    with right, st.container(key="beside-form"):
        _queue(draft)
        preview.draw(draft.value, draft.spec, draft.faults)


def _read(fields: tuple[Field, ...], base: dict[str, Any], key: str) -> Draft:
    value = values(fields, base, key)
    algorithm = client.entry("algorithms", str(value["algorithm"]))
    own = form_sections.settings_fields(algorithm)
    value["settings"] = values(own, base.get("settings") or {}, key) if own else {}
    space = client.entry("spaces", str(value["space"]))
    own = form_sections.settings_fields(space, "space_settings")
    value["space_settings"] = values(own, base.get("space_settings") or {}, key) if own else {}
    unread: list[SpecError] = []
    if definition.is_defined(space):
        value["space_settings"], unread = definition.entered(space, base, key)
    text = st.session_state.get(f"{key}:seeds", str(base["seed"]))
    try:
        seeds, faults = parse_seeds(text), []
    except SpecError as error:
        seeds, faults = [0], [error]
    value["seed"] = seeds[0]
    return Draft(value, seeds, faults + unread + client.faults(value))


def _by_field(faults: list[SpecError]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for fault in faults:
        found.setdefault(fault.field, []).append(fault.problem)
    return found


# -- where to start from ----------------------------------------------------------------------
def _start_from() -> None:
    ready = {e.spec.name: e.spec for e in client.examples() if e.spec is not None}
    shelved = client.shelved()
    with st.expander("Start from a ready experiment or a file", icon=":material/upload_file:"):
        left, right = st.columns(2)
        with left:
            name = st.selectbox(
                "Ready experiment, preset or sweep",
                [DEFAULTS, *ready, *shelved],
                key="start-name",
                index=0,
            )
            if st.button("Use its settings", icon=":material/tune:"):
                if name in shelved:
                    _take(f"{name}.yaml", shelved[name])
                else:
                    drafts.start_from(ready.get(name) or ExperimentSpec())
                st.rerun()
        with right:
            _upload()


def _take(file: str, value: dict[str, Any]) -> None:
    """Put an experiment into the form, or a sweep into the box above it.

    Raises:
        SpecError: it is not valid; nothing was changed.
    """
    if is_sweep(value):
        sweep_box.take(file, value)
    else:
        drafts.start_from(build(value))


def _upload() -> None:
    number = st.session_state.get("uploads", 0)
    file = st.file_uploader(
        "Experiment or sweep file (YAML)",
        ["yaml", "yml", "json"],
        key=f"upload{number}",
        max_upload_size=1,
    )
    if file is None:
        return
    try:
        _take(file.name, read_mapping(file.getvalue().decode("utf-8")))
    except UnicodeDecodeError:
        st.error(f"{file.name} is not a text file in UTF-8. Nothing was changed.")
    except WorkbenchError as error:
        st.error(f"{file.name} was not taken over. {error}")
    else:
        st.session_state["uploads"] = number + 1
        st.toast(f"{file.name} was read", icon=":material/check:")
        st.rerun()


# -- queueing -----------------------------------------------------------------------------------
def _queue(draft: Draft) -> None:
    count = len(draft.seeds)
    what = "1 job" if count == 1 else f"{count} jobs, one a seed"
    with st.container(border=True):
        if st.button(
            f"Queue {what}",
            type="primary",
            icon=":material/play_arrow:",
            width="stretch",
            disabled=bool(draft.faults),
            key="queue",
        ):
            _submit(draft)
        if draft.faults:
            _problems(draft.faults)
        else:
            st.caption("No problems found. Jobs start as soon as a worker is free.")


def _problems(faults: list[SpecError]) -> None:
    words = "one field" if len(faults) == 1 else f"{len(faults)} fields"
    lines = "\n".join(f"- `{f.field or 'file'}`: {f.problem}" for f in faults)
    st.error(f"Correct {words} before queueing:\n{lines}", icon=":material/edit:")


def _submit(draft: Draft) -> None:
    spec, queued = draft.spec, list[str]()
    assert spec is not None, "the button is off while something is wrong"
    if attempt(lambda: queued.extend(client.client().submit(spec, draft.seeds)), "Queued"):
        client.changed()
        links.go_to_run(queued[0])


render()
