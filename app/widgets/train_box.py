"""*Train from scratch*: start it, watch it, and what came of it."""

from __future__ import annotations

import time

import streamlit as st

from app import client, trained
from app.guard import attempt
from app.rights import may_edit
from app.trained import Trained
from app.widgets import downloads, numbers
from app.widgets.task_box import task_boxes
from engine.runs import RunFolder
from engine.spec.experiment import ExperimentSpec

DEVICES = {"auto": "GPU if there is one", "cpu": "CPU", "cuda": "GPU"}
_HELP = (
    "Trains this one architecture by itself, with the settings of the run's section "
    "`stand_alone`. It computes on the machine that serves this page, not on a worker. Every "
    "training is kept in the results bank; what the bank has of the same settings is not "
    "trained again."
)


def draw(run: RunFolder, spec: ExperimentSpec, rank: int) -> None:
    """Draw the part of one found architecture."""
    st.markdown("**Trained from scratch**", help=_HELP)
    results = trained.trainings(run, rank)
    for one in results:
        _result(run, rank, one)
    if not results:
        st.caption(
            "Not yet, apart from what the run did itself. More replicates tell how much its "
            "accuracy depends on chance, more epochs how good it gets."
        )
    task_boxes(_key(run, rank))
    if not any(task.state == "running" for task in client.tasks().all(_key(run, rank))):
        _form(run, spec, rank)


def _key(run: RunFolder, rank: int) -> str:
    """Return the key of the background task; the end keeps rank 1 apart from rank 10."""
    return f"train:{run.run_id}:{rank}:"


def _result(run: RunFolder, rank: int, one: Trained) -> None:
    many = f"{one.replicates} replicate{'s' if one.replicates != 1 else ''}"
    when = numbers.clock(one.written, time.time(), numbers.zone())
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{one.epochs} epochs**, {many}", width="stretch")
            downloads.trained(one.folder, f"{run.run_id}-{rank}-{one.folder.name}")
        st.html(
            '<div class="nw-row nw-small">'
            f"<span>Test <b>{spread(one.test)}</b></span>"
            f"<span>Held out <b>{spread(one.held_out)}</b></span>"
            f'<span class="nw-quiet">{numbers.duration(one.seconds)} of training, {when}</span>'
            "</div>"
        )


def spread(value: tuple[float, float | None]) -> str:
    """Write mean ± sample standard deviation in percent."""
    mean, std = value
    return numbers.accuracy(mean) if std is None else f"{mean:.2f} ± {std:.2f} %"


def _form(run: RunFolder, spec: ExperimentSpec, rank: int) -> None:
    key, allowed = f"{run.run_id}-{rank}", may_edit()
    with st.form(f"train-{key}", border=False), st.container(
        horizontal=True, vertical_alignment="bottom"
    ):  # fmt: skip
        epochs = st.number_input(
            "Epochs", 1, 10_000, spec.stand_alone.epochs, key=f"train-epochs-{key}", width=130
        )
        replicates = st.number_input(
            "Replicates", 1, 100, max(3, spec.stand_alone.replicates),
            key=f"train-replicates-{key}", width=130,
            help="Trainings with different initialisation; they give mean and deviation",
        )  # fmt: skip
        device = st.selectbox(
            "Device", list(DEVICES), list(DEVICES).index(spec.device),
            format_func=DEVICES.__getitem__, key=f"train-device-{key}", width=190,
        )  # fmt: skip
        asked = st.form_submit_button(
            "Train from scratch",
            icon=":material/exercise:",
            help=_HELP if allowed else "You may look, but not change anything here",
            disabled=not allowed,
        )
    if asked and allowed and _start(run, spec, rank, (int(epochs), int(replicates), device)):
        st.rerun()


def _start(run: RunFolder, spec: ExperimentSpec, rank: int, wanted: tuple[int, int, str]) -> bool:
    epochs, replicates, device = wanted
    arguments = ["train", str(run.path.resolve()), "--rank", str(rank), "--json"]
    arguments += ["--epochs", str(epochs), "--replicates", str(replicates), "--device", device]
    title = f"Training architecture {rank} of {spec.name}"
    key = f"train:{run.run_id}:{rank}:"
    return attempt(lambda: client.tasks().start(key, title, arguments), "The training has started")
