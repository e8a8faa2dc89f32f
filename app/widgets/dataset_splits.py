"""The three parts that an experiment would make of a data set, for sizes that one can try."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import lab_datasets as lab
from app.lab_datasets import Known
from app.widgets import chart, dataset_balance, numbers
from app.widgets.dataset_balance import PARTS
from engine.datasets.preview import Preview
from engine.datasets.splits import Split
from engine.spec.data import DataSpec
from engine.spec.errors import DataError

USES = {
    "train": "the super-net and stand-alone networks learn from it",
    "held_out": "architectures are ranked by it",
    "test": "found networks are measured on it at the end",
}


def draw(item: Known, preview: Preview) -> None:
    """Draw the sizes to try and what comes of them."""
    st.subheader("The parts that a run would make of it", anchor=False)
    spec = _spec(item)
    try:
        split = lab.split(preview, spec)
    except DataError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.dataframe(pd.DataFrame(_rows(split)), hide_index=True, key="split-rows")
    chart.show(
        _sentence(split),
        dataset_balance.figure(f"split-{item.name}", split.classes, split.per_class),
        "data-split",
        dataset_balance.columns(split.classes, split.per_class),
        "Classes keep their proportions in every part. The same seed of the split gives the same "
        "parts; a smaller training part is contained in a larger one.",
    )


def _spec(item: Known) -> DataSpec:
    standard = DataSpec()
    left, middle, right = st.columns(3)
    with left:
        train = st.number_input(
            "Training images", 1, value=None, step=100, key="split-train",
            placeholder="all that are left", help="`data.train_images`",
        )  # fmt: skip
    with middle:
        share = st.number_input(
            "Held-out share", 0.01, 0.99, standard.held_out_fraction, 0.05, key="split-share",
            help="`data.held_out_fraction`: share of the training images to rank by",
        )  # fmt: skip
    with right:
        test = st.number_input(
            "Test images", 1, value=None, step=100, key="split-test",
            placeholder="the whole test set, or a fifth", help="`data.test_images`",
        )  # fmt: skip
    return item.spec.model_copy(
        update={"train_images": train, "held_out_fraction": share, "test_images": test}
    )


def _rows(split: Split) -> list[dict[str, str]]:
    rows = []
    for part, (title, *_) in PARTS.items():
        counts = split.per_class[part]
        low, high = min(counts), max(counts)
        rows.append(
            {
                "Part": title,
                "Images": numbers.count(sum(counts)),
                "Per class": f"{low:,}" if low == high else f"{low:,} to {high:,}",
                "What it is for": USES[part],
            }
        )
    return rows


def _sentence(split: Split) -> str:
    sizes = {part: sum(counts) for part, counts in split.per_class.items()}
    return (
        f"A run trains on {sizes['train']:,} images, ranks by {sizes['held_out']:,} and tests on "
        f"{sizes['test']:,}"
    )
