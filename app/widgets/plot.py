"""A Plotly chart that is updated in place.

Streamlit's own chart element is built anew whenever its data change: it flickers and forgets the
zoom. This component keeps one chart per key and hands it new data. The library is the one inside
the installed `plotly` package, which is never imported here.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import streamlit as st
import streamlit.components.v1 as components_v1

Figure = dict[str, Any]

SCRIPT = Path(__file__).resolve().parent.parent / "static" / "chart.js"
_HTML = '<div class="nw-plot" role="figure"><p class="nw-wait">Drawing the chart</p></div>'
_CSS = ".nw-plot { width: 100%; } .nw-wait { opacity: 0.7; margin: 1rem 0; font-size: 0.9rem; }"


@st.cache_resource(show_spinner=False)
def _mount() -> Any:
    return st.components.v2.component(
        "nas_workbench.chart",
        html=_HTML,
        css=_CSS,
        js=SCRIPT.read_text(encoding="utf-8"),
        isolate_styles=False,
    )


@st.cache_resource(show_spinner=False)
def _source() -> str:
    """Return the address under which this server offers the installed plotly.min.js."""
    found = find_spec("plotly")
    assert found is not None and found.origin is not None, "plotly is a requirement"
    folder = Path(found.origin).parent / "package_data"
    served = components_v1.declare_component("plotlyjs", path=folder)
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"{'/' + base if base else ''}/component/{served.name}/plotly.min.js"


def plot(figure: Figure, key: str, sentence: str) -> Any:
    """Draw a figure, or update the one of this key.

    Args:
        figure: `data` and `layout` as plotly.js takes them; `layout.height` is required, and
            `layout.uirevision` keeps the zoom as long as it stays the same.
        key: unique on the page; also the name of downloaded pictures.
        sentence: what one sees, for pictures and screen readers.

    Returns:
        The `customdata` of the point that was clicked just now, None without a click.
    """
    data = {"figure": figure, "sentence": sentence, "name": key, "source": _source()}
    height = figure["layout"]["height"]
    told = _mount()(key=key, data=data, height=height, on_clicked_change=_nothing)
    return told.clicked


def _nothing() -> None:
    """Stand in for a callback: Streamlit passes on only triggers that have one."""
