"""The parts of the Compare page below the picker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from app import comparing, links
from app.comparing import Setting
from app.feed import RunFeed
from app.widgets import chart, compare_curves, compare_finished, compare_roster
from app.widgets.compare_curves import METRICS, Runs
from app.widgets.compare_look import Look, looks
from app.widgets.drawing import drawing
from app.widgets.empty import empty
from app.widgets.plain import plain

_BAND = (
    "The line is the mean over the runs that have got that far, the band ± one standard "
    "deviation; of two runs it reaches from the lower to the higher value."
)
_APART = "One line a run; click one to open its run."


def draw(feeds: Mapping[str, RunFeed], unreadable: Mapping[str, str]) -> None:
    """Draw everything that the chosen runs have to show.

    Args:
        feeds: up-to-date readers by run id.
        unreadable: why other chosen runs cannot be read, by run id.
    """
    if not feeds:
        _left_out(unreadable, len(unreadable))
        return
    settings = comparing.settings(tuple(feeds))
    shown = looks(settings)
    states = {run_id: feed.state for run_id, feed in feeds.items()}
    drawing(compare_roster.html(settings, shown, states))
    _curves(settings, shown, feeds)
    groups, left_out = comparing.finished(settings)
    if groups:
        compare_finished.draw(settings, shown, groups)
    else:
        empty("No table yet", "The table and the box plots are drawn from finished runs.")
    _left_out({**unreadable, **left_out}, len(feeds) + len(unreadable))


def _left_out(reasons: Mapping[str, str], total: int) -> None:
    if not reasons:
        return
    title = f"{len(reasons)} of {total} runs are not in the table"
    with st.expander(title, icon=":material/info:", expanded=len(reasons) == total):
        st.markdown(
            "\n".join(f"- {plain(run_id)}: {plain(why)}" for run_id, why in reasons.items())
        )


# -- curves -------------------------------------------------------------------------------------
def _curves(
    settings: Sequence[Setting], shown: Mapping[str, Look], feeds: Mapping[str, RunFeed]
) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="curve-choice"):
        metric = st.selectbox(
            "Curve",
            list(METRICS),
            key="curve",
            format_func=lambda name: METRICS[name].title[0].upper() + METRICS[name].title[1:],
            width=260,
            bind="query-params",
        )
        apart = st.toggle("Every run by itself", key="apart", bind="query-params")
    groups = [
        Runs(
            setting.name,
            shown[setting.name],
            {one: compare_curves.series(feeds[one].digest, metric) for one in setting.runs},
        )
        for setting in settings
    ]
    if not any(x for group in groups for x, _ in group.series.values()):
        empty("No curve yet", f"No chosen run has told its {METRICS[metric].title} yet.")
        return
    clicked = chart.show(
        compare_curves.sentence(groups, metric),
        compare_curves.figure(groups, metric, apart),
        "compare-curves",
        compare_curves.columns(groups, metric),
        _APART if apart else _BAND,
    )
    if isinstance(clicked, str):
        links.go_to_run(clicked)
