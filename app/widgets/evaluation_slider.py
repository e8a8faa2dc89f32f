"""Looking back at an earlier evaluation of the super-net; the address keeps the choice."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

NEWEST = "newest"
QUERY = "evaluation"
MOST_STOPS = 60


def stops(epochs: Sequence[int], chosen: str = NEWEST) -> list[str]:
    """Return the stops of the slider: earlier evaluations and, last, the newest.

    With many evaluations every 2nd, 4th, 8th ... stays, so that stops do not wander while new ones
    arrive; the chosen one is always among them.

    Args:
        epochs: of all evaluations, ascending.
        chosen: present choice.
    """
    stride = 1
    while (len(epochs) - 1) / stride > MOST_STOPS:
        stride *= 2
    earlier = list(epochs[:-1])
    kept = set(earlier[::stride])
    if chosen != NEWEST and chosen.isdecimal() and int(chosen) in earlier:
        kept.add(int(chosen))
    return [*(str(epoch) for epoch in sorted(kept)), NEWEST]


def position(epochs: Sequence[int]) -> int:
    """Return the place of the evaluation that the address names; -1 is the newest."""
    named = st.query_params.get(QUERY, NEWEST)
    if not named.isdecimal() or int(named) not in epochs:
        return -1
    return epochs.index(int(named))


def slider(epochs: Sequence[int], run_id: str) -> None:
    """Draw the slider, where there is something to look back at."""
    if len(epochs) < 2:
        return
    chosen = str(epochs[position(epochs)]) if position(epochs) >= 0 else NEWEST
    options = stops(epochs, chosen)
    key = f"evaluation-{run_id}"
    st.select_slider(
        "Evaluation at epoch",
        options,
        value=chosen if chosen in options else NEWEST,
        key=key,
        format_func=lambda stop: f"newest, {epochs[-1]}" if stop == NEWEST else stop,
        on_change=lambda: _keep(key),
        help="The scatter, the rank disorder and the overlap show this evaluation. `newest` "
        "follows a run that is going on.",
    )


def _keep(key: str) -> None:
    chosen = st.session_state[key]
    if chosen == NEWEST:
        st.query_params.pop(QUERY, None)
    else:
        st.query_params[QUERY] = chosen
