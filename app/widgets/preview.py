"""What the experiment in the form means: size, one network of it, cost, its file."""

from __future__ import annotations

from typing import Any

import streamlit as st
from pydantic import ValidationError

from app import client
from app.widgets import cell_graph, numbers, spec_view
from app.widgets.empty import empty
from app.widgets.facts import facts
from engine.spec.errors import SpecError, WorkbenchError
from engine.spec.experiment import ExperimentSpec
from engine.spec.network import NetworkSpec
from engine.spec.training import StandAloneSpec

# Classes, channels and side of the images of the data sets that are always the same.
IMAGES = {"digits": (10, 1, 8), "cifar10": (10, 3, 32), "cifar100": (100, 3, 32)}


def draw(value: dict[str, Any], spec: ExperimentSpec | None, faults: list[SpecError]) -> None:
    """Draw everything beside the form."""
    _space(value, faults)
    st.markdown("**The experiment as a file**")
    text = spec_view.as_yaml(value, spec)
    spec_view.show(text, height=320)
    st.download_button(
        "Download YAML",
        text,
        file_name="experiment.yaml",
        mime="application/yaml",
        icon=":material/download:",
        on_click="ignore",
        disabled=bool(faults),
        help="The same file runs from a terminal: python -m engine run experiment.yaml",
    )


def _space(value: dict[str, Any], faults: list[SpecError]) -> None:
    network, space = _network(value), str(value["space"])
    settings = value.get("space_settings")
    wrong = [fault.problem for fault in faults if fault.field.startswith("space")]
    size = None if wrong else client.size(space, settings)
    count = f"{numbers.count(size)} architectures" if size else "this space"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**One of {count}**", width="stretch")
        if st.button("Another", icon=":material/casino:", type="tertiary", key="another"):
            st.session_state["drawn"] = st.session_state.get("drawn", 0) + 1
    if network is None or wrong:
        sentence = "Correct the settings of the search space first."
        empty("Nothing to draw", wrong[0] if wrong else sentence)
        return
    try:
        drawn = client.draw(space, network, st.session_state.get("drawn", 0), settings)
    except WorkbenchError as error:
        empty("Nothing to draw", str(error))
        return
    cell_graph.show(drawn)
    side = network.resolution
    facts(
        {
            "Parameters": numbers.params(drawn.cost.params),
            "FLOPs": numbers.flops(drawn.cost.flops),
            "Counted for": f"{side} × {side} images, {network.input_channels} "
            f"channel{'s' if network.input_channels != 1 else ''}, {network.classes} classes",
        }
    )


def _network(value: dict[str, Any]) -> NetworkSpec | None:
    """Return the skeleton of a network that is found, None while it is not valid.

    What is known of the data is filled in.
    """
    known = IMAGES.get(value["data"]["name"], ())
    told = dict(zip(("classes", "input_channels", "resolution"), known, strict=False))
    if value["data"].get("resolution"):
        told["resolution"] = value["data"]["resolution"]
    try:
        network = NetworkSpec.model_validate(value["network"] | told)
        return StandAloneSpec.model_validate(value["stand_alone"]).skeleton(network)
    except ValidationError:
        return None
