"""How the shared weights learn, epoch by epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from app.digest import Epochs
from app.feed import RunFeed
from app.widgets import chart, curves, numbers, palette
from app.widgets.empty import empty

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
    return values.count(None) < len(values)


def _known(values: Column) -> list[float]:
    return [value for value in values if value is not None]


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
    known = _known(values)
    if len(known) < 2:
        return f"{what} after the first epoch: {known[0]:.3g}{unit}"
    count = max(1, min(curves.SMOOTHED, len(known) // 4))
    first, last = sum(known[:count]) / count, sum(known[-count:]) / count
    change, size = last - first, max(abs(first), abs(last))
    if abs(change) < 0.02 * size:
        return f"{what} stays near {last:.3g}{unit}"
    return f"{what} {'rose' if change > 0 else 'fell'} from {first:.3g} to {last:.3g}{unit}"


def _rate(values: Column) -> str:
    known = _known(values)
    if known[0] == known[-1]:
        return f"The learning rate is {known[-1]:.3g}"
    return f"The learning rate went from {known[0]:.3g} to {known[-1]:.3g}"


def _median_speed(values: Column) -> str:
    known = sorted(_known(values))
    return f"Training passes {known[len(known) // 2]:,.0f} images a second"


def _most_memory(values: Column) -> str:
    return f"Training takes up to {numbers.count(max(_known(values)))} MiB of memory"


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
    note="Median over the epochs. An image counts once for each architecture it passes.",
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
    weights, terms = _known(epochs.landmark_weight), _known(epochs.landmark_loss)
    if not terms:
        return "The landmark term does not act yet; its weight λ is 0"
    return f"The landmark term is {terms[-1]:.3g}, and counts with a weight λ of {weights[-1]:.3g}"


def _forgetting(feed: RunFeed) -> None:
    epochs = feed.digest.epochs
    chart.show(
        "How much worse an architecture is at the end of the epoch than right after its update",
        curves.forgetting(epochs, feed.run_id),
        "training-forgetting",
        {"epoch": epochs.epoch, **{name: getattr(epochs, name) for name in curves.FORGETTING}},
        "Error difference on one held-out batch; 0 is ideal, above 0 the others made it forget.",
    )
