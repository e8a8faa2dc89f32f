"""The landmark paper's Table 1 for the settings compared, with tests and printed figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from app.widgets import numbers
from app.widgets.compare_look import Look

if TYPE_CHECKING:
    from engine.compare import LandmarkRow
    from engine.metrics import GroupComparison

_HEAD = (
    ("Setting", "Runs that differ in nothing but the seed; n of them are finished"),
    ("S-KdT", "Sparse Kendall τ at the end of training: mean ± standard deviation over seeds"),
    ("Mean acc.", "Mean stand-alone accuracy of the best 3 of the search: mean ± standard "
                  "deviation over seeds"),
    ("Best rank", "Best rank over all seeds; below it each seed's best, mean ± deviation"),
    ("Best acc.", "Best stand-alone accuracy over all seeds; below it each seed's best, mean ± "
                  "standard deviation"),
    ("Cost", "Time of all stages, the ground truth included: mean ± standard deviation"),
)  # fmt: skip
Writer = Callable[[float | None], str]
_PRINTED = ("sparse_kendall_tau", "final_accuracy", "best_rank", "best_accuracy")


def chance(p: float | None) -> str:
    """Write a p-value with two digits; very small ones as below a thousandth."""
    if p is None:
        return numbers.NONE
    return "< 0.001" if p < 0.001 else f"{p:.2g}" if p < 0.095 else f"{p:.2f}"


def html(rows: Sequence[LandmarkRow], looks: Mapping[str, Look], baseline: str) -> str:
    """Return the table as HTML.

    Args:
        rows: the settings.
        looks: of every setting, by name.
        baseline: name of the setting that the others are tested against.
    """
    head = "".join(f'<th scope="col" title="{escape(why)}">{name}</th>' for name, why in _HEAD)
    best = _best(rows)
    body = "".join(_row(row, looks[row.group], row.group == baseline, best) for row in rows)
    return (
        '<div class="nw-scroll" tabindex="0" role="region" aria-label="Comparison table">'
        f'<table class="nw-compare"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        "</div>"
    )


def _best(rows: Sequence[LandmarkRow]) -> tuple[float | None, ...]:
    """Return the best value of each column; None where there are no two to tell apart."""
    columns = [_values(row) for row in rows]
    best: list[float | None] = []
    for place, low in enumerate((False, False, True, False, True)):
        known = [value for values in columns if (value := values[place]) is not None]
        differ = len(set(known)) > 1
        best.append((min if low else max)(known) if differ else None)
    return tuple(best)


def _values(row: LandmarkRow) -> tuple[float | None, ...]:
    rank, best = row.best_rank, row.best_accuracy
    return row.tau.mean, row.accuracy.mean, rank, best, row.seconds.mean


def _row(row: LandmarkRow, look: Look, is_baseline: bool, best: Sequence[float | None]) -> str:
    against = "" if is_baseline else "against the baseline"
    random = None if row.against_random is None else row.against_random.p_two_sided
    texts = (
        (_spread(row.tau, numbers.correlation), [_p(row.tau.p_two_sided, against)]),
        (
            _spread(row.accuracy, numbers.accuracy),
            [_p(row.accuracy.p_two_sided, against), _p(random, "against random")],
        ),
        (numbers.count(row.best_rank), [_each(row.ranks, lambda value: f"{value:.1f}")]),
        (numbers.accuracy(row.best_accuracy), [_each(row.accuracies, numbers.accuracy)]),
        (_spread(row.seconds, numbers.duration), []),
    )
    cells = "".join(
        _cell(text, below, value is not None and value == top)
        for (text, below), value, top in zip(texts, _values(row), best, strict=True)
    )
    return f"<tr>{_name(row, look, is_baseline)}{cells}</tr>{_printed(row)}"


def _name(row: LandmarkRow, look: Look, is_baseline: bool) -> str:
    mark = f'<span class="nw-dot" style="background:{look.colour.css}"></span>'
    seeds = "1 seed" if row.n == 1 else f"{row.n} seeds"
    role = " · baseline" if is_baseline else ""
    return f'<th scope="row">{mark}{escape(look.label)}<small>{seeds}{role}</small></th>'


def _cell(text: str, below: Sequence[str], best: bool) -> str:
    shown = f"<b>{text}</b>" if best else text
    return f"<td>{shown}{''.join(f'<small>{line}</small>' for line in below if line)}</td>"


def _p(value: float | None, against: str) -> str:
    if not against or value is None:
        return ""
    written = chance(value)
    return escape(f"p {written if written.startswith('<') else f'= {written}'} {against}")


def _spread(group: GroupComparison, write: Writer) -> str:
    deviation = "" if group.std is None else f" ± {write(group.std).removesuffix(' %')}"
    mean = write(group.mean)
    if deviation and mean.endswith(" %"):
        return f"{mean.removesuffix(' %')}{deviation} %"
    return f"{mean}{deviation}"


def _each(group: GroupComparison, write: Writer) -> str:
    return "" if group.mean is None or group.n < 2 else f"per seed {_spread(group, write)}"


def _printed(row: LandmarkRow) -> str:
    """Return the row of printed figures; empty where there are none for these columns."""
    found = row.published
    if not any(name in found for name in _PRINTED):
        return ""
    values = "".join(
        f"<td>{numbers.metric(_kind(name), found[name].value) if name in found else numbers.NONE}"
        "</td>"
        for name in _PRINTED
    )
    sources = "; ".join(dict.fromkeys(found[name].source for name in _PRINTED if name in found))
    return (
        f'<tr class="nw-printed"><th scope="row">published<small>{escape(sources)}</small></th>'
        f"{values}<td>{numbers.NONE}</td></tr>"
    )


def _kind(name: str) -> str:
    return "final_accuracy" if name == "best_accuracy" else name


def meaning(rows: Sequence[LandmarkRow]) -> str:
    """Say in one sentence what the p-values mean."""
    budgets = {row.against_random.n for row in rows if row.against_random is not None}
    random = "; random stands for as many uniformly drawn architectures as the search ended with"
    return (
        "p is the chance of a difference at least as large if the true means were equal (Welch's "
        "two-sided t-test over seeds, not corrected for several comparisons"
        f"{random if budgets else ''})."
    )


def warnings(rows: Sequence[LandmarkRow], labels: Mapping[str, str]) -> list[str]:
    """Return what keeps the table from being conclusive, as sentences."""
    few = [labels[row.group] for row in rows if row.n < 2]
    if not few:
        return []
    verb = "has" if len(few) == 1 else "have"
    return [
        f"{'; '.join(few)} {verb} only one finished run: no deviation and no p-value can be "
        "given. Queue the same experiment with more seeds."
    ]
