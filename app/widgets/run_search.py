"""What the searches find with the shared weights, generation by generation."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app import client
from app.feed import RunFeed
from app.widgets import chart, curves, numbers, run_learner
from app.widgets.empty import empty


def draw_search(feed: RunFeed) -> None:
    """Draw the search tab."""
    run_learner.draw(feed)
    searches = feed.digest.searches
    if not searches:
        empty(
            "The search has not begun",
            "After training, each searcher's best super-net accuracy is drawn per generation.",
        )
        return
    columns = _long(feed)
    chart.show(
        curves.searches_sentence(searches),
        curves.searches(searches, feed.run_id),
        "search-best-so-far",
        columns,
        "Every searcher may evaluate the same number of architectures.",
    )
    _outcome(feed)


def _long(feed: RunFeed) -> dict[str, list[Any]]:
    """Return all searchers' generations as one table."""
    names = ("searcher", "evaluated", "best_score", "mean_score", "best_text")
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for searcher, found in feed.digest.searches.items():
        columns["searcher"] += [searcher] * len(found.evaluated)
        for name in names[1:]:
            columns[name] += getattr(found, name)
    return columns


def _outcome(feed: RunFeed) -> None:
    """Compare the searchers by the stand-alone accuracy of what they found."""
    found = (client.folder(feed.run_id).result() or {}).get("search")
    if not found:
        st.caption("How good the found architectures really are is known when the run is over.")
        return
    rows = [
        {
            "Searcher": numbers.searcher(name),
            "Evaluated": numbers.count(entry["evaluated"]),
            "Best 3, mean stand-alone": numbers.accuracy(entry["top3_accuracy"]),
            "Best stand-alone": numbers.accuracy(entry["best_accuracy"]),
            "Rank of the best": f"{numbers.count(entry['best_rank'])} of "
            f"{numbers.count(entry['best_rank_of'])}",
            "Chance to surpass random": numbers.metric("", entry["surpass_random"]),
        }
        for name, entry in found.items()
    ]
    st.markdown("**What the searchers found, trained by itself**")
    st.dataframe(pd.DataFrame(rows), hide_index=True, key="search-outcome")
