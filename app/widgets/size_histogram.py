"""How the architectures of a space are spread over a number of parameters."""

from __future__ import annotations

import numpy as np

from app.space_costs import Costs
from app.widgets import chart
from app.widgets.palette import ACCENT, RING
from app.widgets.plot import Figure

BINS, HEIGHT = 24, 170


def bins(costs: Costs) -> dict[str, list[float]]:
    """Return the edges (parameters) and the number of architectures of every bin."""
    counts, edges = np.histogram(costs.params, bins=BINS if np.ptp(costs.params) else 1)
    return {
        "from_params": [float(edge) for edge in edges[:-1]],
        "to_params": [float(edge) for edge in edges[1:]],
        "architectures": [int(count) for count in counts],
    }


def figure(costs: Costs, drawn: int | None, key: str) -> Figure:
    """Return the histogram, with a line at the network that is drawn above it.

    Args:
        costs: of a space.
        drawn: parameters of that network; None: no line.
        key: keeps the zoom while it stays the same.
    """
    found = bins(costs)
    unit, name = (1e6, "M") if costs.params.max() >= 1e5 else (1e3, "k")
    left = np.array(found["from_params"]) / unit
    right = np.array(found["to_params"]) / unit
    made = chart.base_figure(key, f"Parameters ({name})", "Architectures", HEIGHT)
    made["data"].append(
        {
            "type": "bar",
            "x": ((left + right) / 2).tolist(),
            "y": found["architectures"],
            "width": (right - left).tolist(),
            "marker": {"color": ACCENT.css, "opacity": 0.75},
            "hovertemplate": f"%{{x:.3f}} {name}: %{{y}} architectures<extra></extra>",
        }
    )
    made["layout"]["bargap"] = 0
    if drawn is not None:
        made["layout"]["shapes"] = [
            {
                "type": "line", "xref": "x", "yref": "paper", "y0": 0, "y1": 1,
                "x0": drawn / unit, "x1": drawn / unit,
                "line": {"color": RING.css, "width": 2, "dash": "dash"},
            }
        ]  # fmt: skip
    return made
