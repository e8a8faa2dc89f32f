"""What the experiment in the form means: size, one network of it, cost, its file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st
from pydantic import ValidationError

from app import client, space_costs
from app.jobs import Draft
from app.widgets import (
    cell_graph,
    chart,
    data_picker,
    estimate_box,
    numbers,
    size_histogram,
    spec_view,
)
from app.widgets.drawing import drawing
from app.widgets.empty import empty
from app.widgets.facts import facts
from engine.core.space import CellGraph
from engine.spaces import get_space
from engine.spec.errors import SpecError, WorkbenchError
from engine.spec.network import NetworkSpec
from engine.spec.training import StandAloneSpec

ONE, EVERY = "One of them", "All choices"


def draw(draft: Draft) -> None:
    """Draw everything beside the form."""
    estimate_box.draw(draft.first, draft.count)
    _space(draft.value, draft.faults)
    _file(draft)


def _file(draft: Draft) -> None:
    st.markdown("**The experiment as a file**")
    if draft.axes:
        text = spec_view.sweep_as_yaml(draft.mapping)
    else:
        text = spec_view.as_yaml(draft.value, draft.spec)
    spec_view.show(text, height=320)
    st.download_button(
        "Download YAML",
        text,
        file_name="experiment.yaml",
        mime="application/yaml",
        icon=":material/download:",
        on_click="ignore",
        disabled=bool(draft.faults),
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
        overview = get_space(space, settings).overview()
        found = space_costs.costs(space, settings, network)
    except WorkbenchError as error:
        empty("Nothing to draw", str(error))
        return
    if _shows_all(overview):
        _overview(overview)
    else:
        cell_graph.show(drawn)
    _costs(drawn, found, network, data_picker.images(value) is not None)
    key = json.dumps([space, settings], default=str)
    chart.show(
        _sentence(found),
        size_histogram.figure(found, drawn.cost.params, key),
        "space-params",
        size_histogram.bins(found),
        "The dashed line is the network that is drawn.",
    )


def _shows_all(overview: Mapping[str, CellGraph]) -> bool:
    if not overview:
        return False
    chosen = st.segmented_control(
        "What is drawn",
        [ONE, EVERY],
        default=ONE,
        required=True,
        key="drawn-what",
        label_visibility="collapsed",
        persist_state="session",
    )
    return chosen == EVERY


def _overview(overview: Mapping[str, CellGraph]) -> None:
    for name, graph in overview.items():
        drawing(f'<div class="nw-cell">{cell_graph.svg(graph, f"All choices of {name}")}</div>')
    st.caption("Every line is an operation that can be chosen there.")


def _costs(
    drawn: client.Drawn, found: space_costs.Costs, network: NetworkSpec, known: bool
) -> None:
    side, channels = network.resolution, network.input_channels
    images = f"{side} × {side} images, {channels} channel{'s' if channels != 1 else ''}"
    facts(
        {
            "Parameters": f"{numbers.params(drawn.cost.params)}, of "
            f"{_range(found.params, numbers.params)}",
            "FLOPs": f"{numbers.flops(drawn.cost.flops)}, of {_range(found.flops, numbers.flops)}",
            "Range": "of all architectures"
            if found.exact
            else f"of {len(found)} random architectures, a sample",
            "Counted for": f"{images}, {network.classes} classes"
            + ("" if known else "; your data may have others"),
        }
    )


def _range(values: Any, written: Any) -> str:
    low, high = written(int(values.min())), written(int(values.max()))
    return low if low == high else f"{low} to {high}"


def _sentence(found: space_costs.Costs) -> str:
    middle = numbers.params(float(np.median(found.params)))
    if found.params.min() == found.params.max():
        return f"Every architecture has {middle} parameters"
    whose = "all architectures" if found.exact else f"{len(found)} random architectures"
    return f"Half of {whose} have at most {middle} parameters"


def _network(value: dict[str, Any]) -> NetworkSpec | None:
    """Return the skeleton of a network that is found, None while it is not valid.

    What is known of the data is filled in.
    """
    known = data_picker.images(value) or ()
    told = dict(zip(("classes", "input_channels", "resolution"), known, strict=False))
    if value["data"].get("resolution"):
        told["resolution"] = value["data"]["resolution"]
    try:
        network = NetworkSpec.model_validate(value["network"] | told)
        return StandAloneSpec.model_validate(value["stand_alone"]).skeleton(network)
    except ValidationError:
        return None
