"""How good the architectures that were found are by themselves, beside random search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app import client
from app.feed import RunFeed
from app.widgets import numbers
from app.widgets.best_so_far import BASELINE
from app.widgets.empty import empty
from app.widgets.plain import plain

# What a row of the table is called in an experiment's published figures.
PUBLISHED = {
    "top3_accuracy": "final_accuracy",
    "best_rank": "best_rank",
    "surpass_random": "surpass_random",
}
ROWS = {
    "evaluated": "Architectures evaluated",
    "top3_accuracy": "Best 3, mean accuracy",
    "best_accuracy": "Best accuracy",
    "best_rank": "Rank of the best",
    "surpass_random": "Chance to surpass random",
}


def draw(feed: RunFeed) -> None:
    """Draw the comparison, or say when it will be known."""
    found = (client.folder(feed.run_id).result() or {}).get("search")
    if not found:
        empty(
            "Nothing found is trained by itself yet",
            "At the end of the run the best of each searcher are. How good they are, beside "
            "random search and published figures, then stands here.",
        )
        return
    published = {
        name: figure.model_dump() for name, figure in client.spec(feed.run_id).published.items()
    }
    st.markdown(f"**{plain(sentence(found))}**", help=_definitions())
    st.dataframe(
        pd.DataFrame(table(found, published)),
        hide_index=True,
        key=f"search-outcome-{feed.run_id}",
        alt="Stand-alone accuracies of what each searcher found",
    )
    for source in dict.fromkeys(
        str(published[name]["source"]) for name in PUBLISHED.values() if name in published
    ):
        st.caption(f"Published figures: {plain(source)}")


def _definitions() -> str:
    told = []
    for row, name in PUBLISHED.items():
        definition = client.entry("metrics", name).get("definition", "")
        if definition:
            told.append(f"{ROWS[row]}: {definition}")
    return "\n\n".join(told)


def sentence(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Say how far what was found is from what random search found."""
    others = [name for name in found if name != BASELINE]
    lead = max(others or list(found), key=lambda name: found[name]["top3_accuracy"])
    value = found[lead]["top3_accuracy"]
    told = f"Trained by themselves, the best of {_within(lead)} reach {numbers.accuracy(value)}"
    if lead == BASELINE or BASELINE not in found:
        return told
    ahead = value - found[BASELINE]["top3_accuracy"]
    if abs(ahead) < 0.005:
        return f"{told}, as those of random search do"
    word = "more" if ahead > 0 else "less"
    return f"{told}, {abs(ahead):.2f} points {word} than those of random search"


def _within(searcher: str) -> str:
    """Return a searcher's name as it stands within a sentence."""
    name = numbers.searcher(searcher)
    return name[0].lower() + name[1:]


def table(
    found: Mapping[str, Mapping[str, Any]], published: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, str]]:
    """Return one row a figure and one column a searcher; printed figures have the last column.

    Args:
        found: the section `search` of a result.
        published: `{value, source}` by metric.
    """
    printed = {row: published[name]["value"] for row, name in PUBLISHED.items()
               if name in published}  # fmt: skip
    rows = []
    for row, title in ROWS.items():
        told = {"": title}
        for searcher, entry in found.items():
            told[numbers.searcher(searcher)] = _written(row, entry[row], entry)
        if printed:
            told["Published"] = _written(row, printed.get(row), {})
        rows.append(told)
    return rows


def _written(row: str, value: float | None, entry: Mapping[str, Any]) -> str:
    if row == "best_rank" and "best_rank_of" in entry:
        return f"{numbers.count(value)} of {numbers.count(entry['best_rank_of'])}"
    if row == "surpass_random":
        return numbers.NONE if value is None else numbers.share(value)
    if row in ("evaluated", "best_rank"):
        return numbers.count(value)
    return numbers.accuracy(value)
