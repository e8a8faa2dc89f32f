"""The seven sections of New experiment: which settings stand where, and how each is summed up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st

from app import client
from app.widgets import numbers, schema
from app.widgets.form_from_schema import Form
from app.widgets.schema import Field, at

# What the data decides when a run starts, and what the page asks for in its own way.
HIDDEN = ("network.classes", "network.input_channels", "network.resolution", "data.name")
BUDGET = ("super_net.epochs", "stand_alone.epochs")

Fields = tuple[Field, ...]
Value = Mapping[str, Any]


@dataclass(frozen=True)
class Section:
    """One fold of the form."""

    title: str
    icon: str
    summary: Callable[[Value], str]
    draw: Callable[[Fields, Form], None]
    paths: tuple[str, ...]


def settings_fields(algorithm: Mapping[str, Any]) -> Fields:
    """Return the fields of an algorithm's own settings."""
    found = algorithm.get("settings_schema")
    return schema.read(found, "settings") if found else ()


def draw(fields: Fields, form: Form) -> None:
    """Draw name and tags, then the sections one below the other."""
    left, right = st.columns([1.6, 1])
    with left:
        form.field(schema.find(fields, "name"))
    with right:
        form.field(schema.find(fields, "tags"))
    for position, section in enumerate(SECTIONS, start=1):
        wrong = sum(path.startswith(section.paths) for path in form.faults)
        said = f":red[{wrong} to correct]" if wrong else f":gray[{section.summary(form.current)}]"
        with st.expander(
            f"**{position} · {section.title}**   {said}",
            expanded=position <= 1 or bool(wrong),
            icon=f":material/{section.icon}:",
            key=f"{form.key}:section{position}",
        ):
            section.draw(fields, form)


def _inner(fields: Fields, path: str) -> Fields:
    return schema.find(fields, path).fields


# -- choosing a registered part -------------------------------------------------------------------
def _part(fields: Fields, form: Form, path: str, kind: str, label: str) -> dict[str, Any]:
    """Draw the choice of a registered part and what the catalogue says of it."""
    field = schema.find(fields, path)
    names = [item["name"] for item in client.catalog()[kind]]
    start = at(form.base, path)
    options = names if start in names else [*names, start]
    st.selectbox(
        label,
        options,
        index=options.index(start),
        key=f"{form.key}:{path}",
        format_func=lambda name: client.title(kind, name),
        persist_state="session",
        help=field.help,
    )
    entry = client.entry(kind, str(at(form.current, path)))
    text = entry.get("help") or entry.get("description") or ""
    source = f" <i>{escape(entry['source'])}</i>" if entry.get("source") else ""
    st.html(f'<p class="nw-quiet nw-small nw-under">{escape(text)}{source}</p>')
    for sentence in form.faults.get(path, []):
        st.html(f'<div class="nw-fault" role="alert">{escape(sentence)}</div>')
    return entry


def _data(fields: Fields, form: Form) -> None:
    entry = _part(fields, form, "data.name", "datasets", "Data set")
    hidden = (
        HIDDEN
        if entry.get("needs_path") or at(form.current, "data.path")
        else (*HIDDEN, "data.path")
    )
    front = ("data.path", "data.train_images", "data.held_out_fraction")
    form.section(_inner(fields, "data"), front, hidden)


def _space(fields: Fields, form: Form) -> None:
    _part(fields, form, "space", "spaces", "Search space")
    form.section(
        _inner(fields, "network"), ("network.channels", "network.cells"), (*HIDDEN, "network.norm")
    )


def _algorithm(fields: Fields, form: Form) -> None:
    entry = _part(fields, form, "algorithm", "algorithms", "Algorithm")
    own = settings_fields(entry)
    if own:
        form.section(own)
    st.markdown("**Search after training**")
    form.section(_inner(fields, "search"), ("search.population", "search.generations"))


def _addons(fields: Fields, form: Form) -> None:
    form.section(_inner(fields, "addons"))


def _super_net(fields: Fields, form: Form) -> None:
    form.section(
        _inner(fields, "super_net"),
        ("super_net.batch_size", "super_net.optimiser"),
        (*HIDDEN, *BUDGET),
    )
    st.markdown("**Batch normalisation**")
    form.section(
        _inner(fields, "network.norm"), ("network.norm.statistics", "network.norm.affine")
    )


def _evaluation(fields: Fields, form: Form) -> None:
    form.section(
        _inner(fields, "evaluation"),
        ("evaluation.sample", "evaluation.every", "evaluation.ground_truth"),
    )
    if at(form.current, "evaluation.ground_truth.source") == "train":
        st.markdown("**Stand-alone training**")
        form.section(
            _inner(fields, "stand_alone"),
            ("stand_alone.replicates", "stand_alone.batch_size"),
            BUDGET,
        )


def _budget(fields: Fields, form: Form) -> None:
    left, right = st.columns(2)
    with left:
        form.field(schema.find(fields, "super_net.epochs"), "Super-net epochs")
        st.text_input(
            "Seeds",
            value=str(at(form.base, "seed")),
            key=f"{form.key}:seeds",
            help="One job a seed: numbers such as 0, 1, 2 or a range such as 0-4.",
            persist_state="session",
        )
        for sentence in form.faults.get("seed", []):
            st.html(f'<div class="nw-fault" role="alert">{escape(sentence)}</div>')
    with right:
        form.field(schema.find(fields, "stand_alone.epochs"), "Stand-alone epochs")
        form.field(schema.find(fields, "device"))
    form.field(schema.find(fields, "notes"))


# -- summaries ------------------------------------------------------------------------------------
def _say_data(value: Value) -> str:
    images = at(value, "data.train_images")
    count = f"{numbers.count(images)} training images" if images else "all training images"
    return f"{client.title('datasets', str(at(value, 'data.name')))}, {count}"


def _say_space(value: Value) -> str:
    network = value["network"]
    return (
        f"{client.title('spaces', value['space'])}, {network['channels']} channels, "
        f"{network['cells']} cells"
    )


def _say_algorithm(value: Value) -> str:
    search = value["search"]
    return (
        f"{client.title('algorithms', value['algorithm'])}, "
        f"{search['generations']} × {search['population']} evaluated"
    )


def _say_addons(value: Value) -> str:
    landmark = at(value, "addons.landmark")
    if landmark is None:
        return "none"
    per_round, rounds, weight = (landmark[n] for n in ("per_round", "rounds", "weight"))
    return f"{per_round} landmarks in {rounds} rounds, λ {weight}"


def _say_super_net(value: Value) -> str:
    part = value["super_net"]
    return f"batch {part['batch_size']}, learning rate {part['optimiser']['learning_rate']}"


def _say_evaluation(value: Value) -> str:
    part = value["evaluation"]
    truth = "trained" if part["ground_truth"]["source"] == "train" else "from a table"
    return f"{part['sample']} architectures every {part['every']} epochs, truth {truth}"


def _say_budget(value: Value) -> str:
    return f"{value['super_net']['epochs']} epochs, seed {value['seed']}, device {value['device']}"


SECTIONS = (
    Section("Data and task", "image", _say_data, _data, ("data", "task")),
    Section(
        "Search space", "hub", _say_space, _space, ("space", "network.channels", "network.cells")
    ),
    Section("Algorithm", "route", _say_algorithm, _algorithm, ("algorithm", "settings", "search")),
    Section("Landmarks and other add-ons", "flag", _say_addons, _addons, ("addons",)),
    Section("Super-net", "layers", _say_super_net, _super_net, ("super_net", "network.norm")),
    Section(
        "Evaluation", "query_stats", _say_evaluation, _evaluation, ("evaluation", "stand_alone")
    ),
    Section(
        "Budget, seeds and device",
        "timer",
        _say_budget,
        _budget,
        (*BUDGET, "seed", "device", "notes"),
    ),
)
