"""The seven sections of New experiment and which settings stand where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app import client, drafts
from app.widgets import data_picker, definition, part_pickers, schema, sweep_editor, truth_picker
from app.widgets import form_summaries as say
from app.widgets.form_from_schema import Faults, Form
from app.widgets.schema import Field, at
from engine.spec.sweep import SECTION as SWEEP

BUDGET = ("super_net.epochs", "stand_alone.epochs")
# What everybody should see; everything else is folded away under "More settings".
FRONT = (
    "data.train_images", "data.held_out_fraction",
    "network.channels", "network.cells", "network.norm.statistics", "network.norm.affine",
    "search.population", "search.generations",
    "addons.landmark", "addons.plasticity", "addons.landmark.per_round", "addons.landmark.rounds",
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
    "network.norm.statistics": "Statistics in evaluation",
    "network.sharing.dynamic_channels": "Narrow layers are made of",
    "network.sharing.ofa_kernel": "Kernels share weights (once-for-all)",
    "network.sharing.edge_norms": "Normalisations of every incoming edge (WSBN)",
    "network.sharing.operations_on": "Operations stand on",
    "network.sharing.partial_channels": "Part of the channels in use, 1/k",
    "addons.landmark": "Landmark regularisation",
    "addons.plasticity": "Weight plasticity",
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
    "stand_alone.affine": "Learned scale and shift",
    "stand_alone.replicates": "Trainings per architecture",
    "evaluation.sample": "Sampled architectures",
    "evaluation.every": "Evaluate every (epochs)",
    "evaluation.threshold": "Threshold of the sparse metrics (points)",
    "evaluation.images": "Held-out images per score",
    "evaluation.ground_truth.source": "Stand-alone accuracies come from",
    "evaluation.ground_truth": "Ground truth",
    "evaluation.ground_truth.part": "Compared on",
    "evaluation.ground_truth.column": "Column that ranks",
    "evaluation.ground_truth.landmark_column": "Column that ranks the landmarks",
    "search.keep": "Reported architectures",
    "search.mutation": "Mutation chance",
    "search.max_params": "Largest network (parameters)",
    "search.max_flops": "Largest network (multiply-adds per image)",
}
# Settings that algorithms have of their own.
OWN_LABELS = {
    "alpha_learning_rate": "Learning rate of architecture parameters",
    "alpha_weight_decay": "Weight decay of architecture parameters",
    "alpha_warm_up": "Architecture parameters wait (share of updates)",
    "tau_start": "Temperature at the start",
    "tau_end": "Temperature at the end",
    "tau_schedule": "Schedule of the temperature",
    "encoding": "One architecture runs as",
    "cost": "Cost that is kept low",
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


def draw(fields: Fields, form: Form, known: Mapping[str, Field]) -> None:
    """Draw name and tags, then the sections one below the other, the sweep last.

    Args:
        fields: of the whole experiment.
        form: where they are drawn.
        known: fields that a sweep can vary.
    """
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
    _sweep(known, form)


def _sweep(known: Mapping[str, Field], form: Form) -> None:
    wrong = sum(path.startswith(SWEEP) for path in form.faults)
    said = sweep_editor.summary(form.current)
    with st.expander(
        f"**{len(SECTIONS) + 1} · Sweep**   "
        + (f":red[{wrong} to correct]" if wrong else f":gray[{said}]"),
        expanded=bool(wrong) or SWEEP in form.current,
        icon=":material/stacks:",
        key=f"{form.key}:section{len(SECTIONS) + 1}",
    ):
        sweep_editor.draw(known, form)


def _inner(fields: Fields, path: str) -> Fields:
    return schema.find(fields, path).fields


def _data(fields: Fields, form: Form) -> None:
    data_picker.draw(fields, form)
    needed = client.entry("datasets", str(at(form.current, "data.name"))).get("needs_path")
    elsewhere = ("data.name", data_picker.PATH) if needed else ("data.name",)
    form.section(_inner(fields, "data"), elsewhere)


def _space(fields: Fields, form: Form) -> None:
    entry = part_pickers.space(fields, form)
    if definition.is_defined(entry):
        definition.draw(entry, form)
    form.section(settings_fields(entry, "space_settings"))
    form.section(_inner(fields, "network"), ("network.norm", "network.sharing"))


def _algorithm(fields: Fields, form: Form) -> None:
    entry = part_pickers.algorithm(fields, form)
    form.section(settings_fields(entry))
    st.markdown("**Search after training**")
    words = say.search(str(entry["name"]))
    if words:
        st.caption(words)
    form.section(_inner(fields, "search"))


def _addons(fields: Fields, form: Form) -> None:
    form.section(_inner(fields, "addons"))


def _super_net(fields: Fields, form: Form) -> None:
    form.section(_inner(fields, "super_net"), BUDGET)
    st.markdown("**Batch normalisation**")
    form.section(_inner(fields, "network.norm"))
    shared = _inner(fields, "network.sharing")
    if any(form.matters(field) for field in shared):
        st.markdown("**Mapping to shared weights**")
        form.section(shared)


def _evaluation(fields: Fields, form: Form) -> None:
    form.section(_inner(fields, "evaluation"), (truth_picker.PATH,))
    truth_picker.draw(schema.find(fields, truth_picker.PATH), form)
    alone = _inner(fields, "stand_alone")
    trains = at(form.current, f"{truth_picker.PATH}.source") == "train"
    st.markdown("**Stand-alone training**" if trains else "**Found networks**")
    if not trains:
        st.caption("Nothing is trained stand-alone; what is found is counted and exported so.")
    form.section(alone, BUDGET)
    if at(form.current, "published"):
        form.field(schema.find(fields, "published"))


def _budget(fields: Fields, form: Form) -> None:
    left, right = st.columns(2)
    with left:
        form.field(schema.find(fields, "super_net.epochs"))
        st.text_input(
            "Seeds",
            value=drafts.seeds(),
            key=f"{form.key}:seeds",
            help="One job a seed: numbers such as 0, 1, 2 or a range such as 0-4. Default: 0.",
            persist_state="session",
        )
        form.fault("seed")
    with right:
        epochs = schema.find(fields, "stand_alone.epochs")
        if form.matters(epochs):
            form.field(epochs)
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
