"""The sections of a report, each from a run's story to HTML; an empty text leaves one out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from engine.core.architecture import Architecture
from engine.export import report_words as say
from engine.export.graph_svg import svg
from engine.export.report_charts import ranking_charts, search_charts, training_charts
from engine.export.report_story import Story
from engine.spaces import get_space
from engine.spec.errors import WorkbenchError
from engine.spec.files import dump

TILES = ("sparse_kendall_tau", "kendall_tau", "super_net_accuracy", "final_accuracy")
MOST_DRAWN = 6
Cell = tuple[str, str]
"""Content, already HTML, and the class of its cell."""


def text(value: object) -> Cell:
    """Return a cell of plain text."""
    return escape(str(value)), ""


def number(value: str) -> Cell:
    """Return a cell of a number that is written already."""
    return escape(value), "n"


def code(value: object) -> Cell:
    """Return a cell of a notation."""
    return escape(str(value)), "code"


def table(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Return a table; the class of a column's title is that of its first cell."""
    if not rows:
        return ""
    kinds = [kind if kind == "n" else "" for _, kind in rows[0]]
    titles = "".join(
        f'<th class="{kind}">{escape(name)}</th>' for name, kind in zip(header, kinds, strict=True)
    )
    lines = "".join(
        "<tr>" + "".join(f'<td class="{kind}">{cell}</td>' for cell, kind in row) + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><tr>{titles}</tr>{lines}</table></div>'


def facts(pairs: Mapping[str, object]) -> str:
    """Return names and values; what is empty is left out."""
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>"
        for name, value in pairs.items()
        if value not in (None, "")
    )
    return f"<dl>{rows}</dl>" if rows else ""


# -- figures --------------------------------------------------------------------------------------
def key_figures(story: Story) -> str:
    """Return the metrics, with their intervals and the published figures beside them."""
    metrics = {name: value for name, value in story.metrics.items() if value is not None}
    if not metrics:
        return '<p class="quiet">There is no evaluation yet.</p>'
    tiles = "".join(
        f"<div><span>{escape(say.title(name))}</span>"
        f"<b>{escape(say.metric(name, metrics.get(name)))}</b></div>"
        for name in TILES
    )
    intervals = story.result.get("intervals") or {}
    published = story.result.get("published") or {}
    rows = []
    for name, value in metrics.items():
        if name == "best_rank_of":  # told with the best rank
            continue
        of = f" of {metrics['best_rank_of']}" if name + "_of" in metrics else ""
        row = [text(say.title(name)), number(say.metric(name, value) + of)]
        row.append(number(_interval(name, intervals.get(name))))
        if published:
            row += _published(name, published.get(name))
        rows.append(row)
    header = ["Metric", "This run", "95 % interval"]
    header += ["Published", "Where"] if published else []
    note = (
        '<p class="quiet small">Correlations are over the sampled architectures, landmarks left '
        "out; intervals are bootstrapped over the sample. docs/comparing.md has the definitions."
        "</p>"
    )
    return f'<div class="tiles">{tiles}</div>{table(header, rows)}{note}'


def _interval(name: str, found: Mapping[str, Any] | None) -> str:
    if not found:
        return say.NONE
    low, high = say.metric(name, found.get("low")), say.metric(name, found.get("high"))
    return f"{low} to {high} (n = {found.get('n')})"


def _published(name: str, found: Mapping[str, Any] | None) -> list[Cell]:
    if not found:
        return [number(""), text("")]
    return [number(say.metric(name, found.get("published"))), text(found.get("source") or "")]


def search_outcome(story: Story) -> str:
    """Return the curves of the search, and how it compares with random search."""
    rows = [
        [
            text(say.searcher(name)),
            number(f"{one['evaluated']:,}"),
            number(say.accuracy(one.get("top3_accuracy"))),
            number(say.accuracy(one.get("best_accuracy"))),
            number(f"{one.get('best_rank')} of {one.get('best_rank_of')}"),
            number(say.metric("surpass_random", one.get("surpass_random"))),
        ]
        for name, one in (story.result.get("search") or {}).items()
    ]
    header = ["Search", "Evaluated", "Best 3, stand-alone", "Best, stand-alone", "Best rank",
              "Surpasses random with probability"]  # fmt: skip
    return search_charts(story) + table(header, rows)


# -- architectures --------------------------------------------------------------------------------
def found(story: Story) -> str:
    """Return the found architectures, ranked and drawn."""
    listed = sorted(story.found.values(), key=lambda event: event["rank"])
    rows = [
        [
            number(str(one["rank"])),
            number(say.accuracy(one["super_net_accuracy"])),
            number(say.accuracy(one["stand_alone_accuracy"])),
            number(say.millions(one["params"])),
            number(say.millions(one["flops"])),
            code(one["text"]),
        ]
        for one in listed
    ]
    header = ["Rank", "Super-net", "Stand-alone", "Parameters", "Multiply-adds", "Architecture"]
    cells = "".join(_drawn(story, one) for one in listed[:MOST_DRAWN])
    return table(header, rows) + (f'<div class="cells">{cells}</div>' if cells else "")


def _drawn(story: Story, one: Mapping[str, Any]) -> str:
    title = f"Rank {one['rank']}"
    try:
        space = get_space(story.spec.space, story.spec.space_settings)
        architecture = Architecture.of(space.name, one["indices"])
        picture = svg(space.graphs(architecture), f"{title} of {story.run_id}")
    except WorkbenchError as error:
        picture = f'<p class="quiet small">{escape(str(error))}</p>'
    return f"<div><h3>{title}</h3>{picture}</div>"


def landmarks(story: Story) -> str:
    """Return the landmarks."""
    rows = [
        [
            number(str(one["round"])),
            number(say.accuracy(one.get("value"))),
            number(say.accuracy(one.get("truth"))),
            number(say.millions(one.get("params"))),
            code(one["text"]),
        ]
        for one in story.landmarks.values()
    ]
    header = ["Since round", "Held-out, stand-alone", "Comparable with the sample", "Parameters",
              "Architecture"]  # fmt: skip
    return table(header, rows)


# -- record ---------------------------------------------------------------------------------------
def cost(story: Story) -> str:
    """Return the time by stage."""
    known = story.result.get("cost")
    if not known:
        return ""
    stages = known.get("seconds") or {}
    rows = [
        [text(name.replace("_", " ").capitalize()), number(say.seconds(value))]
        for name, value in stages.items()
    ]
    rows.append([("<b>All stages</b>", ""), number(say.seconds(sum(stages.values())))])
    images, steps = known.get("images"), known.get("steps")
    more = {
        "Device": known.get("device"),
        "Training images": f"{images:,}" if isinstance(images, int) else None,
        "Training steps": f"{steps:,}" if isinstance(steps, int) else None,
    }
    return table(["Stage", "Time"], rows) + facts(more)


def warnings(story: Story) -> str:
    """Return the warnings of the run."""
    lines = "".join(f"<li>{escape(line)}</li>" for line in story.warnings)
    return f"<ul>{lines}</ul>" if lines else ""


def repeat(story: Story) -> str:
    """Return how to repeat the run, and the checksums of its record."""
    commit = story.environment.get("commit")
    at = f" at commit {commit}" if commit else ""
    command = f"python -m engine run spec.yaml --seed {story.spec.seed}"
    rows = [[code(name), code(digest)] for name, digest in story.checksums.items()]
    return (
        f"<p>Save the specification below as <code>spec.yaml</code> and run, with NAS Workbench"
        f"{escape(at)} and the versions listed:</p><pre>{escape(command)}</pre>"
        "<p>The same specification, seed, device and versions give the same figures; what may "
        "differ are times.</p>" + table(["File of the record", "SHA-256"], rows)
    )


def specification(story: Story) -> str:
    """Return the specification as YAML, every default written out."""
    return f'<pre class="long">{escape(dump(story.spec))}</pre>'


def environment(story: Story) -> str:
    """Return machine and versions."""
    known = story.environment
    packages = known.get("packages") or {}
    return facts(
        {
            "Python": known.get("python"),
            **{name: version for name, version in packages.items() if version},
            "Commit": known.get("commit"),
            "Platform": known.get("platform"),
            "Processor": known.get("processor"),
            "Cores": known.get("cores"),
            "Device": story.started.get("device"),
            "Data": json.dumps(_data(story), ensure_ascii=False) if story.started else None,
        }
    )


def _data(story: Story) -> dict[str, Any]:
    told = story.started.get("data") or {}
    kept = ("name", "source", "resolution", "channels", "fingerprint")
    return {key: told[key] for key in kept if key in told}


SECTIONS: tuple[tuple[str, Callable[[Story], str]], ...] = (
    ("Key figures", key_figures),
    ("Ranking", ranking_charts),
    ("Training", training_charts),
    ("Search", search_outcome),
    ("Found architectures", found),
    ("Landmarks", landmarks),
    ("Cost by stage", cost),
    ("Warnings", warnings),
    ("How to repeat it", repeat),
    ("Specification", specification),
    ("Environment", environment),
)
