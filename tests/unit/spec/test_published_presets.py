"""Printed figures in the presets: every one names its table, and stands in it.

The second half needs the source documents as text files, in a folder that NASW_SOURCES names.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from engine.batch import read_batch
from engine.catalog import example_files
from engine.spec.experiment import PublishedFigure
from engine.spec.files import load_mapping

FIGURES = {
    (name, job.spec.name, metric): figure
    for name, path in example_files().items()
    if name.startswith("presets/")
    for job in read_batch(load_mapping(path)).require()
    if job.spec.seed == 0
    for metric, figure in job.spec.published.items()
}
DOCUMENTS = {"Yu's thesis": "000", "Landmark paper (Yu 2021)": "002"}
NAMED = re.compile(r"(?P<document>.+), Table (?P<table>\d+(\.\d+)?), .+")
AROUND = 45  # lines before and after a caption within which its table stands


def test_the_presets_of_printed_tables_have_figures() -> None:
    assert {name.removeprefix("presets/") for name, *_ in FIGURES} >= {
        "nb101_best", "nb201_best", "darts_best", "landmark_nb101", "landmark_nb201",
        "landmark_darts", "landmark_loss", "landmark_pairs", "landmark_rounds",
        "landmark_schedule", "landmark_weight",
    }  # fmt: skip


def test_every_figure_names_document_table_and_row() -> None:
    for where, figure in FIGURES.items():
        found = NAMED.fullmatch(figure.source)
        assert found and found["document"] in DOCUMENTS, where


def near(text: str, table: str) -> set[float]:
    """Return the numbers that are printed near the caption of a table."""
    lines = text.splitlines()
    number = table.replace(".", "[. ]")  # one caption was read without its point
    caption = re.compile(rf"Table {number}\s?[:.]\s")
    (place, *_) = [i for i, line in enumerate(lines) if caption.match(line)]
    part = "\n".join(lines[max(0, place - AROUND) : place + AROUND])
    return {float(number) for number in re.findall(r"\d+\.?\d*", part)}


@pytest.mark.parametrize("where", FIGURES, ids=lambda where: f"{where[1]}-{where[2]}")
def test_every_figure_stands_in_its_table(where: tuple[str, str, str]) -> None:
    folder = os.environ.get("NASW_SOURCES")
    if not folder:
        pytest.skip("NASW_SOURCES does not name the folder of the source documents")
    figure: PublishedFigure = FIGURES[where]
    found = NAMED.fullmatch(figure.source)
    assert found is not None
    (path,) = Path(folder).glob(f"{DOCUMENTS[found['document']]}_*.txt")
    printed = near(path.read_text(encoding="utf-8"), found["table"])
    shares = {round(100 * number, 6) for number in printed}  # accuracies of 000 are shares of 1
    assert figure.value in printed | shares, figure
