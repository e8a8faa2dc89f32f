"""How the shared weights learn, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.digest import Epochs
from app.feed import RunFeed
from app.widgets import chart, curves, palette
from app.widgets.empty import empty


def draw(feed: RunFeed) -> None:
    """Draw the training tab."""
    epochs = feed.digest.epochs
    if not epochs.epoch:
        empty(
            "The super-net is not being trained yet",
            "Loss, landmark term, learning rate and speed appear with the first epoch.",
        )
        return
    left, right = st.columns(2, gap="medium")
    with left:
        _single(feed, "loss", _loss_sentence(epochs), "cross-entropy loss", palette.ACCENT)
        _single(
            feed,
            "learning_rate",
            "The learning rate follows its schedule",
            "learning rate",
            palette.VIOLET,
        )
    with right:
        if any(value is not None for value in epochs.landmark_weight):
            _landmark(feed)
        else:
            _accuracy(feed)
        _single(
            feed,
            "images_per_second",
            _speed_sentence(epochs.images_per_second),
            "training images per second",
            palette.GREEN,
        )
    if any(value is not None for value in epochs.forgetting):
        _forgetting(feed)


def _forgetting(feed: RunFeed) -> None:
    epochs = feed.digest.epochs
    chart.show(
        "How much worse an architecture is at the end of the epoch than right after its update",
        curves.forgetting(epochs, feed.run_id),
        "training-forgetting",
        {"epoch": epochs.epoch, **{name: getattr(epochs, name) for name in curves.FORGETTING}},
        "Error difference on one held-out batch; 0 is ideal, above 0 the others made it forget.",
    )


def _single(
    feed: RunFeed,
    column: str,
    sentence: str,
    axis: str,
    colour: palette.Colour,
) -> None:
    epochs = feed.digest.epochs
    values = getattr(epochs, column)
    if all(value is None for value in values):
        empty(f"No {axis}", "This run does not record it.")
        return
    chart.show(
        sentence,
        curves.single(epochs, column, axis, colour, feed.run_id),
        f"training-{column}",
        {"epoch": epochs.epoch, column: values},
    )


def _accuracy(feed: RunFeed) -> None:
    _single(
        feed,
        "accuracy",
        "Accuracy on the training images of the sampled paths",
        "training accuracy (%)",
        palette.GREEN,
    )


def _landmark(feed: RunFeed) -> None:
    epochs = feed.digest.epochs
    chart.show(
        "The landmark term counts more as its weight λ rises",
        curves.landmark(epochs, feed.run_id),
        "training-landmark",
        {
            "epoch": epochs.epoch,
            "landmark_loss": epochs.landmark_loss,
            "landmark_weight": epochs.landmark_weight,
        },
    )


def _loss_sentence(epochs: Epochs) -> str:
    known = [value for value in epochs.loss if value is not None]
    if len(known) < 2:
        return "The loss after the first epoch"
    verb = "fell" if known[-1] < known[0] else "went"
    return f"The loss {verb} from {known[0]:.3g} to {known[-1]:.3g}"


def _speed_sentence(speeds: Sequence[float | None]) -> str:
    known = sorted(value for value in speeds if value is not None)
    if not known:
        return "Training speed"
    return f"Training passes {known[len(known) // 2]:,.0f} images a second"
