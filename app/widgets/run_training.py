"""How the shared weights learn, epoch by epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice

import streamlit as st

from app.digest import Epochs
from app.feed import RunFeed
from app.widgets import chart, curves, numbers, palette
from app.widgets.empty import empty

LATELY = 500  # epochs

Column = Sequence[float | None]


def draw(feed: RunFeed) -> None:
    """Draw the training tab, two charts a row."""
    epochs = feed.digest.epochs
    if not epochs.epoch:
        empty(
            "The super-net is not being trained yet",
            "Loss, accuracy, learning rate, speed and memory appear with the first epoch.",
        )
        return
    charts = _charts(epochs)
    for first in range(0, len(charts), 2):
        columns = st.columns(2, gap="medium")
        for place, one in zip(columns, charts[first : first + 2], strict=False):
            with place:
                one(feed)


def _charts(epochs: Epochs) -> list[Callable[[RunFeed], None]]:
    """Return what this run has something to draw for."""
    found: list[Callable[[RunFeed], None]] = [_loss, _accuracy]
    if _recorded(epochs.landmark_weight):
        found.append(_landmark)
    if _recorded(epochs.forgetting):
        found.append(_forgetting)
    return [*found, _learning_rate, _speed, _memory]


def _recorded(values: Column) -> bool:
    """Tell whether there is any value; a long column is searched only where its end has none."""
    return values[-1] is not None or values.count(None) < len(values)


def _first(values: Iterable[float | None], most: int) -> list[float]:
    """Return the first known values; with `reversed` the last ones, newest first."""
    return list(islice((value for value in values if value is not None), most))


def _single(
    feed: RunFeed,
    column: str,
    sentence: Callable[[Column], str],
    axis: str,
    colour: palette.Colour,
    note: str,
) -> None:
    epochs = feed.digest.epochs
    values = getattr(epochs, column)
    if not _recorded(values):
        empty(f"No {axis}", "This run does not record it.")
        return
    chart.show(
        sentence(values),
        curves.single(epochs, column, axis, colour, feed.run_id),
        f"training-{column}",
        {"epoch": epochs.epoch, column: values},
        note,
    )


def _moved(what: str, unit: str, values: Column) -> str:
    """Say from where to where a noisy column went, each end a mean of up to ten epochs."""
    most = max(1, min(curves.SMOOTHED, len(values) // 4))
    begin, end = _first(values, most), _first(reversed(values), most)
    if len(_first(values, 2)) < 2:
        return f"{what} after the first epoch: {begin[0]:.3g}{unit}"
    first, last = sum(begin) / len(begin), sum(end) / len(end)
    if abs(last - first) < 0.02 * max(abs(first), abs(last)):
        return f"{what} stays near {last:.3g}{unit}"
    return f"{what} {'rose' if last > first else 'fell'} from {first:.3g} to {last:.3g}{unit}"


def _rate(values: Column) -> str:
    (first,), (last,) = _first(values, 1), _first(reversed(values), 1)
    if first == last:
        return f"The learning rate is {last:.3g}"
    return f"The learning rate went from {first:.3g} to {last:.3g}"


def _median_speed(values: Column) -> str:
    lately = sorted(_first(reversed(values), LATELY))
    return f"Training passes {numbers.count(lately[len(lately) // 2])} images a second"


def _most_memory(values: Column) -> str:
    most = max(value for value in values if value is not None)
    return f"Training takes up to {numbers.count(most)} MiB of memory"


_loss = partial(
    _single,
    column="loss",
    sentence=partial(_moved, "The loss", ""),
    axis="cross-entropy loss",
    colour=palette.ACCENT,
    note="Mean over the steps of an epoch; each step trains other architectures. The "
    "heading compares means of up to ten epochs.",
)
_accuracy = partial(
    _single,
    column="accuracy",
    sentence=partial(_moved, "Training accuracy", " %"),
    axis="training accuracy (%)",
    colour=palette.GREEN,
    note="On training images, with the architectures that each step has drawn. It says little "
    "about how well architectures are ranked.",
)
_learning_rate = partial(
    _single,
    column="learning_rate",
    sentence=_rate,
    axis="learning rate",
    colour=palette.VIOLET,
    note="At the end of the epoch.",
)
_speed = partial(
    _single,
    column="images_per_second",
    sentence=_median_speed,
    axis="training images per second",
    colour=palette.GREEN,
    note="Median over the last 500 epochs. An image counts once for each architecture it passes.",
)
_memory = partial(
    _single,
    column="memory_mb",
    sentence=_most_memory,
    axis="memory (MiB)",
    colour=palette.OCHRE,
    note="On a GPU the most that was allocated so far, otherwise the memory of the process.",
)


def _landmark(feed: RunFeed) -> None:
    epochs = feed.digest.epochs
    chart.show(
        _landmark_sentence(epochs),
        curves.landmark(epochs, feed.run_id),
        "training-landmark",
        {
            "epoch": epochs.epoch,
            "landmark_loss": epochs.landmark_loss,
            "landmark_weight": epochs.landmark_weight,
        },
        "The term is 0 where the super-net orders the compared landmarks as their ground truth "
        "does. Its weight λ multiplies it in the loss.",
    )


def _landmark_sentence(epochs: Epochs) -> str:
    term = _first(reversed(epochs.landmark_loss), 1)
    if not term:
        return "The landmark term does not act yet; its weight λ is 0"
    (weight,) = _first(reversed(epochs.landmark_weight), 1)
    return f"The landmark term is {term[0]:.3g}, and counts with a weight λ of {weight:.3g}"


def _forgetting(feed: RunFeed) -> None:
    epochs = feed.digest.epochs
    chart.show(
        "How much worse an architecture is at the end of the epoch than right after its update",
        curves.forgetting(epochs, feed.run_id),
        "training-forgetting",
        {"epoch": epochs.epoch, **{name: getattr(epochs, name) for name in curves.FORGETTING}},
        "Error difference on one held-out batch; 0 is ideal, above 0 the others made it forget.",
    )
