"""The seven sections of New experiment and which settings stand where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st

from app import client
from app.widgets import definition, schema
from app.widgets import form_summaries as say
from app.widgets.form_from_schema import Faults, Form
from app.widgets.schema import Field, at

# What the data decides when a run starts.
TAKEN_FROM_DATA = ("network.classes", "network.input_channels", "network.resolution")
BUDGET = ("super_net.epochs", "stand_alone.epochs")
# What everybody should see; everything else is folded away under "More settings".
FRONT = (
    "data.train_images", "data.held_out_fraction",
    "network.channels", "network.cells", "network.norm.statistics", "network.norm.affine",
    "search.population", "search.generations",
    "addons.landmark", "addons.landmark.per_round", "addons.landmark.rounds",
    "addons.landmark.weight", "addons.landmark.schedule",
    "super_net.batch_size", "super_net.optimiser",
    "super_net.optimiser.learning_rate", "super_net.optimiser.schedule",
    "evaluation.sample", "evaluation.every", "evaluation.ground_truth",
    "stand_alone.replicates", "stand_alone.batch_size",
)  # fmt: skip
LABELS = {
    "data.train_images": "Training images",
    "data.held_out_fraction": "Held-out share",
    "data.path": "Path of the data on the worker",
    "network.cells": "Cells per stage",
    "network.norm.affine": "Learned scale and shift",
    "addons.landmark": "Landmark regularisation",
    "addons.landmark.per_round": "Landmarks per round",
    "addons.landmark.pairs": "Pairs per step",
    "addons.landmark.min_distance": "Smallest distance (choices)",
    "addons.landmark.weight": "Largest weight λ",
    "addons.landmark.schedule": "Schedule of λ",
    "addons.landmark.loss": "Form of the penalty",
    "super_net.unsampled": "Weights that a step did not use",
    "super_net.checkpoint_every": "Checkpoint every (epochs)",
    "super_net.epochs": "Super-net epochs",
    "stand_alone.epochs": "Stand-alone epochs",
    "stand_alone.replicates": "Trainings per architecture",
    "evaluation.sample": "Sampled architectures",
    "evaluation.every": "Evaluate every (epochs)",
    "evaluation.threshold": "Threshold of the sparse metrics (points)",
    "evaluation.images": "Held-out images per score",
    "evaluation.ground_truth.source": "Stand-alone accuracies come from",
    "evaluation.ground_truth.part": "Compared on",
    "search.keep": "Reported architectures",
    "search.mutation": "Mutation chance",
}

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

    def faults(self, faults: Faults) -> int:
        """Count what is wrong in this section."""
        own = [path for path in faults if path in self.paths or path.startswith(self._inside())]
        return sum(len(faults[path]) for path in own if self.draw is _budget or path not in BUDGET)

    def _inside(self) -> tuple[str, ...]:
        return tuple(f"{path}." for path in self.paths)


def settings_fields(entry: Mapping[str, Any], path: str = "settings") -> Fields:
    """Return the fields of a part's own settings, which stand at `path` of an experiment."""
    found = entry.get("settings_schema")
    return schema.read(found, path) if found else ()


def draw(fields: Fields, form: Form) -> None:
    """Draw name and tags, then the sections one below the other."""
    left, right = st.columns([1.6, 1])
    with left:
        form.field(schema.find(fields, "name"))
    with right:
        form.field(schema.find(fields, "tags"))
    for position, section in enumerate(SECTIONS, start=1):
        wrong = section.faults(form.faults)
        said = f":red[{wrong} to correct]" if wrong else f":gray[{section.summary(form.current)}]"
        with st.expander(
            f"**{position} · {section.title}**   {said}",
            expanded=position == 1 or bool(wrong),
            icon=f":material/{section.icon}:",
            key=f"{form.key}:section{position}",
        ):
            section.draw(fields, form)


def _inner(fields: Fields, path: str) -> Fields:
    return schema.find(fields, path).fields


def _part(fields: Fields, form: Form, path: str, kind: str, label: str) -> dict[str, Any]:
    """Draw the choice of a registered part and what the catalogue says of it."""
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
        help=schema.find(fields, path).help,
    )
    entry = client.entry(kind, str(at(form.current, path)))
    text = entry.get("help") or entry.get("description") or ""
    source = f" <i>{escape(entry['source'])}</i>" if entry.get("source") else ""
    st.html(f'<p class="nw-quiet nw-small nw-under">{escape(text)}{source}</p>')
    form.fault(path)
    return entry


def _data(fields: Fields, form: Form) -> None:
    entry = _part(fields, form, "data.name", "datasets", "Data set")
    inner = _inner(fields, "data")
    if entry.get("needs_path"):
        form.field(schema.find(fields, "data.path"))
        inner = tuple(field for field in inner if field.path != "data.path")
    form.section(inner, ("data.name",))


def _space(fields: Fields, form: Form) -> None:
    entry = _part(fields, form, "space", "spaces", "Search space")
    if definition.is_defined(entry):
        definition.draw(entry, form)
    form.section(settings_fields(entry, "space_settings"))
    inner = _inner(fields, "network")
    form.section(inner, (*TAKEN_FROM_DATA, "network.norm", "network.sharing"))


def _algorithm(fields: Fields, form: Form) -> None:
    entry = _part(fields, form, "algorithm", "algorithms", "Algorithm")
    form.section(settings_fields(entry))
    st.markdown("**Search after training**")
    form.section(_inner(fields, "search"))


def _addons(fields: Fields, form: Form) -> None:
    form.section(_inner(fields, "addons"))


def _super_net(fields: Fields, form: Form) -> None:
    form.section(_inner(fields, "super_net"), BUDGET)
    st.markdown("**Batch normalisation**")
    form.section(_inner(fields, "network.norm"))
    factors = client.entry("spaces", str(at(form.current, "space"))).get("factors", ())
    if factors:
        st.markdown("**Mapping to shared weights**")
        inner = _inner(fields, "network.sharing")
        form.section(inner, tuple(f.path for f in inner if f.path.split(".")[-1] not in factors))


def _evaluation(fields: Fields, form: Form) -> None:
    form.section(_inner(fields, "evaluation"))
    if at(form.current, "evaluation.ground_truth.source") == "train":
        st.markdown("**Stand-alone training**")
        form.section(_inner(fields, "stand_alone"), BUDGET)
    if at(form.current, "published"):
        form.field(schema.find(fields, "published"))


def _budget(fields: Fields, form: Form) -> None:
    left, right = st.columns(2)
    with left:
        form.field(schema.find(fields, "super_net.epochs"))
        st.text_input(
            "Seeds",
            value=str(at(form.base, "seed")),
            key=f"{form.key}:seeds",
            help="One job a seed: numbers such as 0, 1, 2 or a range such as 0-4.",
            persist_state="session",
        )
        form.fault("seed")
    with right:
        form.field(schema.find(fields, "stand_alone.epochs"))
        form.field(schema.find(fields, "device"))
    form.field(schema.find(fields, "notes"))


SECTIONS = (
    Section("Data and task", "image", say.data, _data, ("data", "task")),
    Section(
        "Search space", "hub", say.space, _space,
        ("space", "space_settings", "network.channels", "network.cells"),
    ),
    Section(
        "Algorithm", "route", say.algorithm, _algorithm, ("algorithm", "settings", "search")
    ),
    Section("Landmarks and other add-ons", "flag", say.addons, _addons, ("addons",)),
    Section(
        "Super-net", "layers", say.super_net, _super_net,
        ("super_net", "network.norm", "network.sharing"),
    ),
    Section(
        "Evaluation", "query_stats", say.evaluation, _evaluation,
        ("evaluation", "stand_alone", "published"),
    ),
    Section(
        "Budget, seeds and device", "timer", say.budget, _budget,
        (*BUDGET, "seed", "device", "notes"),
    ),
)  # fmt: skip
