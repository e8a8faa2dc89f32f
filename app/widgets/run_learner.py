"""What a learner thinks of every choice, now and at earlier epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import client
from app.digest import Learning
from app.feed import RunFeed
from app.widgets import chart, heat_map, learner_history, learner_lines, numbers, palette

NEWEST = "newest"
PAGE = 30  # choices that are drawn at once
MOST_COLUMNS = 40
MOST_LINES = 8
COLOURS = (
    palette.ACCENT, palette.ORANGE, palette.VIOLET, palette.GREEN, palette.PINK, palette.OCHRE,
    palette.BLUE, palette.GREY,
)  # fmt: skip


@dataclass(frozen=True)
class View:
    """What is drawn: a learner's reports, and the part of its choices that is looked at.

    Attributes:
        names, options: of all choices.
        part: positions of the choices that are drawn.
        measure: what the numbers are, for axes and colour bars.
    """

    learning: Learning
    names: list[str]
    options: list[tuple[str, ...]]
    part: range
    measure: str
    run_id: str

    @property
    def part_names(self) -> list[str]:
        """Return the names of the choices that are drawn."""
        return [self.names[choice] for choice in self.part]


def draw(feed: RunFeed) -> None:
    """Draw all charts, or nothing where the algorithm learns nothing but weights."""
    learning = feed.digest.learning
    if not learning.epoch:
        return
    spec = client.spec(feed.run_id)
    names, options = client.mixture(spec.space, spec.space_settings)
    part = _part(len(names))
    kind = learner_history.measure(client.learned(spec.algorithm))
    view = View(learning, names, options, part, kind, feed.run_id)
    left, right = st.columns([1.35, 1], gap="medium")
    with left:
        clicked = _heat(view)
        told = _entropies(view)
    with right:
        _entropy(view)
        _skips(view)
        _options(view, clicked if told is None else told)
    _numbers(view, left, right)


def _part(count: int) -> range:
    """Let the viewer page through the choices where there are too many to draw at once."""
    if count <= PAGE:
        return range(count)
    pages = -(-count // PAGE)
    with st.container(horizontal=True, vertical_alignment="center"):
        page = st.pagination(pages, key="choices-page")
        first = (page - 1) * PAGE
        last = min(first + PAGE, count)
        st.caption(
            f"Choices {first + 1} to {last} of {numbers.count(count)} are drawn; the CSV has all."
        )
    return range(first, last)


# -- one moment -----------------------------------------------------------------------------------
def _heat(view: View) -> int | None:
    learning = view.learning
    place = _moment(learning)
    rows = learning.history[place]
    own = [view.options[choice] for choice in view.part]
    columns, table = heat_map.by_option([rows[choice] for choice in view.part], own)
    if len(columns) > MOST_COLUMNS:
        st.caption(
            f"The first {MOST_COLUMNS} of {numbers.count(len(columns))} options are drawn; the "
            "CSV has all."
        )
    chosen: int | None = chart.show(
        heat_sentence(rows, learning.kept[place], view.measure),
        heat_map.figure(
            [row[:MOST_COLUMNS] for row in table],
            view.part_names,
            columns[:MOST_COLUMNS],
            ("option", "choice", view.measure),
            learner_history.span(learning.history),
            view.run_id,
        ),
        "search-probabilities",
        long_table(rows, view.names, view.options),
        "Colours span the least and the largest number of all epochs, so that they mean the same "
        "wherever the slider stands. Choose a cell to follow its choice over the epochs.",
    )
    return chosen


def _moment(learning: Learning) -> int:
    """Return the position of the report that the slider stands at; the newest is followed."""
    if len(learning.kept) < 2:
        return -1
    options = [*(str(epoch) for epoch in learning.kept[:-1]), NEWEST]
    wanted = st.session_state.get("learned-at")
    if wanted is not None and wanted not in options and wanted.isdigit():
        st.session_state["learned-at"] = str(_nearest(learning.kept, int(wanted)))
    chosen = st.select_slider(
        "Epoch",
        options,
        value=NEWEST,
        key="learned-at",
        bind="query-params",
        help="Reports are kept evenly over the epochs; the newest is always among them.",
    )
    return -1 if chosen == NEWEST else options.index(chosen)


def _nearest(kept: Sequence[int], epoch: int) -> int:
    """Return the kept epoch before the newest that is nearest: thinning may drop an epoch."""
    return min(kept[:-1], key=lambda one: abs(one - epoch))


def heat_sentence(rows: Sequence[Sequence[float]], epoch: int, measure: str) -> str:
    """Say how certain the learner is at an epoch."""
    sure = sum(max(row, default=0.0) > 0.5 for row in rows)
    words = f"{numbers.count(sure)} of {numbers.count(len(rows))} choices"
    what = measure.split()[0]
    return f"At epoch {epoch}, {words} give an option a {what} above one half"


def long_table(
    rows: Sequence[Sequence[float]], names: Sequence[str], options: Sequence[Sequence[str]]
) -> dict[str, list[object]]:
    """Return one line per choice and option, for the CSV."""
    table: dict[str, list[object]] = {"choice": [], "option": [], "value": []}
    for row, name, own in zip(rows, names, options, strict=True):
        for option, value in zip(own, row, strict=True):
            table["choice"].append(name)
            table["option"].append(option)
            table["value"].append(value)
    return table


# -- over the epochs ------------------------------------------------------------------------------
def _entropy(view: View) -> None:
    learning = view.learning
    chart.show(
        entropy_sentence(learning),
        learner_lines.figure(
            learning.epoch,
            {"Mean entropy": learning.entropy},
            "mean entropy of a choice (nats)",
            view.run_id,
            (palette.VIOLET,),
            from_zero=True,
        ),
        "search-entropy",
        {"epoch": learning.epoch, "entropy": learning.entropy},
        "−Σ p ln p of each choice, averaged over the choices. It is 0 when every choice is "
        "settled, and ln n when n options are equally probable.",
    )


def entropy_sentence(learning: Learning) -> str:
    """Say how the choices' mean entropy has moved; 0 is certain."""
    known = [value for value in learning.entropy if value is not None]
    if len(known) < 2:
        return "The entropy of the choices after the first epoch"
    first, last = f"{known[0]:.2f}", f"{known[-1]:.2f}"
    if first == last:
        return f"The mean entropy of a choice stayed at {last} nats"
    verb = "fell" if known[-1] < known[0] else "rose"
    return f"The mean entropy of a choice {verb} from {first} to {last} nats"


def _skips(view: View) -> None:
    if not learner_history.has_skips(view.options):
        return
    epochs, counts, own = learner_history.skip_counts(view.learning, view.options)
    known = [count for count in counts if count is not None]
    if not known:
        return
    chart.show(
        skip_sentence(round(known[-1]), len(view.names), own),
        learner_lines.figure(
            epochs,
            {"Skip connections": counts},
            "skip connections",
            view.run_id,
            (palette.GREY,),
            from_zero=True,
        ),
        "search-skips",
        {"epoch": epochs, "skip_connections": counts},
        "Counted by the learner in the cell that it would derive, among edges that reach the "
        "output."
        if own
        else f"The number of the {len(view.names)} choices whose most probable option is a skip "
        "connection; of equally probable options the first counts. A rising number announces "
        "that a differentiable search collapses.",
    )


def skip_sentence(count: int, choices: int, own: bool) -> str:
    """Say how many skip connections there are; `own`: counted in the cell that is derived."""
    if own:
        word = "skip connection" if count == 1 else "skip connections"
        return f"The cell that would be derived now has {count or 'no'} {word}"
    verb, whose = ("has", "its") if count == 1 else ("have", "their")
    told = f"{count} of {numbers.count(choices)} choices {verb}"
    return f"{told} a skip connection as {whose} most probable option"


def _entropies(view: View) -> int | None:
    learning = view.learning
    rows = learner_history.entropies(learning.history, view.part)
    table: dict[str, list[object]] = {"epoch": list(learning.kept)}
    table |= {name: list(row) for name, row in zip(view.part_names, rows, strict=True)}
    newest = [row[-1] for row in rows]
    open_, settled = newest.index(max(newest)), newest.index(min(newest))
    chosen: int | None = chart.show(
        f"{view.part_names[settled]} is the most settled choice, {view.part_names[open_]} the "
        "most open",
        heat_map.figure(
            rows,
            view.part_names,
            learning.kept,
            ("epoch", "choice", "entropy (nats)"),
            (0.0, max(max(row) for row in rows) or 1.0),
            view.run_id,
        ),
        "search-entropies",
        table,
        "The entropy of each choice over the epochs. Choose a cell to follow its choice.",
    )
    return chosen


def _options(view: View, clicked: int | None) -> None:
    """Draw what the options of one choice counted over the epochs."""
    learning = view.learning
    if isinstance(clicked, int) and 0 <= clicked < len(view.part):
        st.session_state["choice"] = view.part_names[clicked]
    name = st.selectbox("Choice", view.part_names, key="choice", bind="query-params")
    choice = view.names.index(name)
    lines = learner_history.option_lines(learning.history, choice, MOST_LINES)
    named = {view.options[choice][option]: values for option, values in lines.items()}
    ahead = max(named, key=lambda option: named[option][-1])
    total = len(view.options[choice])
    chart.show(
        f"{name}: {ahead} counts most, {named[ahead][-1]:.2f}",
        learner_lines.figure(
            learning.kept, named, view.measure, f"{view.run_id}-{name}", COLOURS, 300
        ),
        "search-options",
        {"epoch": learning.kept, **named},
        f"The {MOST_LINES} of {total} options that count most now are drawn."
        if total > MOST_LINES
        else "",
    )


def _numbers(view: View, left: DeltaGenerator, right: DeltaGenerator) -> None:
    """Draw whatever else the learner reports, each chart where there is room."""
    extra = {name: values for name, values in view.learning.extra.items()
             if name != "skip_connections"}  # fmt: skip
    count = len(view.part)
    heights = heat_map.height(count, True), heat_map.height(count, False)
    room = [sum(heights), 3 * learner_lines.HEIGHT]
    for one in learner_lines.told(list(extra)):
        side = room.index(min(room))
        room[side] += learner_lines.HEIGHT
        lines = {title: extra[name] for name, title in one.lines.items()}
        with (left, right)[side]:
            chart.show(
                one.sentence,
                learner_lines.figure(view.learning.epoch, lines, one.axis, view.run_id),
                f"search-{'-'.join(one.lines)}",
                {"epoch": view.learning.epoch} | {name: extra[name] for name in one.lines},
                one.note,
            )
