"""What the searches find with the shared weights, generation by generation."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import client
from app.evaluated import Evaluated, evaluated, texts
from app.feed import RunFeed
from app.widgets import (
    best_so_far,
    chart,
    numbers,
    one_architecture,
    pareto,
    population,
    run_learner,
    search_front,
    search_outcome,
)
from app.widgets.empty import empty

CLICK = "Choose a point to see its architecture."
OLDER = (
    "This run was made before populations were recorded: only the best and mean scores of its "
    "generations are known. Repeat it to see them."
)
FRONT_NOTE = (
    "A point is on the front when no evaluated architecture that costs as much or less has at "
    "least its super-net accuracy. Costs are those of the stand-alone network."
)


def draw_search(feed: RunFeed) -> None:
    """Draw the search tab."""
    learns = bool(feed.digest.learning.epoch)
    if learns:
        st.subheader("What the algorithm has learned about the choices", anchor=False)
        run_learner.draw(feed)
        st.subheader("What was found with the shared weights", anchor=False)
    if not feed.digest.searches:
        empty(
            "The search has not begun",
            "After training, every evaluated architecture is drawn here by generation and by "
            "cost, with the best that each searcher has found beside random search.",
        )
        return
    left, right = st.columns(2, gap="medium")
    with left:
        _best(feed)
    with right:
        search_outcome.draw(feed)
    _evaluations(feed)


def _best(feed: RunFeed) -> None:
    searches = feed.digest.searches
    chart.show(
        best_so_far.sentence(searches),
        best_so_far.figure(searches, feed.run_id),
        "search-best-so-far",
        best_so_far.columns(searches),
        "Random search draws as many different architectures as the algorithm's own searcher may "
        "evaluate, and scores them with the same shared weights. Whatever a searcher is worth "
        "must show in the difference.",
    )


# -- what was evaluated ---------------------------------------------------------------------------
def _evaluations(feed: RunFeed) -> None:
    found = evaluated(feed.digest.searches)
    if not len(found):
        empty("No populations", OLDER)
        return
    left, right = st.columns(2, gap="medium")
    with left:
        clicked = _population(feed, found)
    with right:
        other = _front(feed, found)
    chosen, key = clicked if clicked is not None else other, _chosen_key(feed)
    if isinstance(chosen, int) and 0 <= chosen < len(found):
        st.session_state[key] = chosen
        st.rerun()  # both charts ring it
    row = st.session_state.get(key)
    if row is None or row >= len(found):
        st.caption(CLICK)
    else:
        _one(feed, found, row, key)


def _names(feed: RunFeed, found: Evaluated, rows: list[int]) -> list[str]:
    spec = client.spec(feed.run_id)
    return texts(spec.space, spec.space_settings, (found.indices[row] for row in rows))


def _population(feed: RunFeed, found: Evaluated) -> Any:
    searchers = list(dict.fromkeys(found.searcher))
    searcher = _choice("Searcher", searchers, "searcher", numbers.searcher)
    rows, every = population.shown(found, searcher), found.of(searcher)
    note = "A point is an architecture as the generation evaluated it."
    if len(rows) < len(every):
        note += (
            f" {numbers.count(len(rows))} of {numbers.count(len(every))} are drawn, evenly spread "
            "over the scores; the lines and the CSV have all."
        )
    return chart.show(
        population.sentence(found, searcher),
        population.figure(
            found,
            searcher,
            rows,
            _names(feed, found, rows),
            feed.run_id,
            st.session_state.get(_chosen_key(feed)),
        ),
        "search-population",
        lambda: population.columns(found, every),
        note,
    )


def _front(feed: RunFeed, found: Evaluated) -> Any:
    architectures = feed.digest.architectures
    every = {cost: search_front.costs(found, cost, architectures) for cost in pareto.COSTS}
    offered = [cost for cost, known in every.items() if known]
    cost = _choice("Cost", offered, "cost", lambda name: pareto.COSTS[name][0])
    known = every[cost]
    on_front = search_front.front(found, known)
    rows = search_front.shown(known, on_front)
    dots = search_front.dots(found, known, rows, _names(feed, found, rows))
    return chart.show(
        search_front.sentence(cost, len(on_front), len(known)),
        pareto.figure(
            dots,
            f"{feed.run_id}-{cost}",
            pareto.COSTS[cost][1],
            "super-net accuracy (%)",
            numbers.searcher,
            chosen=[st.session_state.get(_chosen_key(feed))],
            height=chart.HEIGHT,
        ),
        "search-front",
        lambda: search_front.columns(found, known, on_front, cost),
        FRONT_NOTE,
    )


def _chosen_key(feed: RunFeed) -> str:
    return f"search-chosen-{feed.run_id}"


def _choice(label: str, options: list[str], key: str, name: Any) -> str:
    """Let the viewer choose one; the address keeps it."""
    chosen = st.segmented_control(
        label,
        options,
        default=options[0],
        required=True,
        format_func=name,
        key=key,
        label_visibility="collapsed",
        bind="query-params",
    )
    return chosen if chosen in options else options[0]


def _one(feed: RunFeed, found: Evaluated, row: int, key: str) -> None:
    known = {
        "Super-net accuracy": numbers.accuracy(found.score[row]),
        "Evaluated by": f"{numbers.searcher(found.searcher[row])}, generation "
        f"{found.generation[row]}",
    }
    told = known | one_architecture.costs(found.params[row], found.flops[row])
    spec, indices = client.spec(feed.run_id), found.indices[row]
    one_architecture.panel(spec, indices, told, "search", lambda: st.session_state.pop(key))
