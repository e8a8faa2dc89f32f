"""`ranking.csv`, `landmarks.csv`, Markdown and LaTeX."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas
import pytest
from export_cases import SKELETONS, nb201, random_cells

from engine.export.markup import latex_table, markdown_table
from engine.export.tables import read_landmarks, read_ranking, write_landmarks, write_ranking
from engine.spaces import get_space
from engine.spec.errors import ExportError

SPACE = get_space("nb201")
NETWORK = SKELETONS["very small"]
SAMPLE = [nb201(indices) for indices in random_cells(5)]
SCORES = [10.0, 1 / 3 * 100, None, 99.99999999999999, 0.1 + 0.2]
TRUTH = [np.float64(91.25), None, 3.0, 4.5, 0.0]


def write(path: Path) -> Path:
    return write_ranking(path, SPACE, NETWORK, SAMPLE, SCORES, TRUTH, {SAMPLE[1]})


def test_ranking_columns_and_values(tmp_path: Path) -> None:
    text = write(tmp_path / "ranking.csv").read_text(encoding="utf-8")
    header, first = text.splitlines()[:2]
    assert header == "architecture,text,super_net_accuracy,ground_truth,is_landmark,params,flops"
    cost = SPACE.cost(SAMPLE[0], NETWORK)
    cells = [str(SAMPLE[0]), SPACE.to_text(SAMPLE[0]), "10.0", "91.25", "false"]
    assert first == ",".join([*cells, str(cost.params), str(cost.flops)])


def test_ranking_is_read_back_exactly(tmp_path: Path) -> None:
    rows = read_ranking(write(tmp_path / "ranking.csv"), SPACE)
    assert [row.architecture for row in rows] == SAMPLE
    assert [row.super_net_accuracy for row in rows] == SCORES
    assert [row.ground_truth for row in rows] == TRUTH
    assert [row.is_landmark for row in rows] == [False, True, False, False, False]
    for row, architecture in zip(rows, SAMPLE, strict=True):
        cost = SPACE.cost(architecture, NETWORK)
        assert (row.text, row.params, row.flops) == (
            SPACE.to_text(architecture),
            cost.params,
            cost.flops,
        )


def test_ranking_is_read_by_pandas(tmp_path: Path) -> None:
    table = pandas.read_csv(write(tmp_path / "ranking.csv"))
    assert table["is_landmark"].tolist() == [False, True, False, False, False]
    assert table["super_net_accuracy"].isna().tolist() == [False, False, True, False, False]
    assert table["params"].dtype == np.int64


def test_ranking_without_scores_or_truth(tmp_path: Path) -> None:
    path = write_ranking(tmp_path / "r.csv", SPACE, NETWORK, SAMPLE, [], [])
    assert {row.ground_truth for row in read_ranking(path, SPACE)} == {None}
    path = write_ranking(tmp_path / "r.csv", SPACE, NETWORK, [], [], [])
    assert read_ranking(path, SPACE) == []


def test_ranking_of_different_lengths_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="5 architectures cannot have 2 super-net"):
        write_ranking(tmp_path / "r.csv", SPACE, NETWORK, SAMPLE, [1.0, 2.0], TRUTH)
    assert not list(tmp_path.iterdir())


def damaged(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("architecture,text", "text,architecture", "The first line of"),
        ("10.0,", "ten,", "Line 2 of"),
        (",true,", ",yes,", "Line 3 of"),
        ("nb201:", "nb201:9.", "Line 2 of"),
        ("|+|", "|-|", "Line 2 of"),
        (",91.25,", ",91.25,,", "Line 2 of .* has 8 cells instead of 7"),
    ],
)
def test_damaged_rankings_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = write(tmp_path / "ranking.csv")
    damaged(path, old, new)
    with pytest.raises(ExportError, match=message):
        read_ranking(path, SPACE)


def test_a_binary_or_missing_ranking_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ranking.csv"
    with pytest.raises(ExportError, match="does not exist"):
        read_ranking(path, SPACE)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ExportError, match="is not a text file"):
        read_ranking(path, SPACE)


def test_landmarks(tmp_path: Path) -> None:
    known = [
        SimpleNamespace(architecture=architecture, value=90 + place / 3, round=1 + place // 2)
        for place, architecture in enumerate(SAMPLE)
    ]
    path = write_landmarks(tmp_path / "landmarks.csv", SPACE, known)
    with open(path, encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0] == ["round", "architecture", "text", "value"]
    assert lines[1] == ["1", str(SAMPLE[0]), SPACE.to_text(SAMPLE[0]), "90.0"]
    assert read_landmarks(path, SPACE) == [(k.round, k.architecture, k.value) for k in known]
    damaged(path, "90.0", "")
    with pytest.raises(ExportError, match="Line 2 of"):
        read_landmarks(path, SPACE)


# -- markup ----------------------------------------------------------------------------------
ROWS = [["nor_conv_3x3 | 50 %", 1, 0.12345, True], ["a & b\nc", None, 2.0, False]]
HEADER = ["name", "n", "tau", "known"]


def test_markdown() -> None:
    assert markdown_table(HEADER, ROWS) == (
        "| name | n | tau | known |\n"
        "| --- | ---: | ---: | --- |\n"
        "| nor\\_conv\\_3x3 \\| 50 % | 1 | 0.123 | yes |\n"
        "| a & b c | – | 2.000 | no |\n"
    )


def test_latex() -> None:
    assert latex_table(HEADER, ROWS, digits=2) == (
        "\\begin{tabular}{lrrl}\n\\toprule\n"
        "name & n & tau & known \\\\\n\\midrule\n"
        "nor\\_conv\\_3x3 \\textbar{} 50 \\% & 1 & 0.12 & yes \\\\\n"
        "a \\& b c & -- & 2.00 & no \\\\\n"
        "\\bottomrule\n\\end{tabular}\n"
    )


def test_latex_with_caption() -> None:
    text = latex_table(["a"], [["\\{x}"]], caption="50 % of #1", label="tab:one")
    assert text.startswith("\\begin{table}\n\\centering\n\\caption{50 \\% of \\#1}\n")
    assert "\\label{tab:one}\n\\begin{tabular}{l}" in text
    assert "\\textbackslash{}\\{x\\} \\\\" in text
    assert text.endswith("\\end{tabular}\n\\end{table}\n")
    with pytest.raises(ExportError, match="A label belongs to a caption"):
        latex_table(["a"], [], label="x")


def test_ragged_tables_are_refused() -> None:
    for table in (markdown_table, latex_table):
        with pytest.raises(ExportError, match="Row 2 of the table has 1 cells, its header 2"):
            table(["a", "b"], [[1, 2], [1]])
