"""Texts of NAS-Bench-101 cells: round trips, the benchmark's own forms, refusals."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nb101_cases import TEXTS, arch, drawn, matrix_of, subspace

from engine.core.architecture import Architecture
from engine.spaces.nb101 import NB101_SPACE
from engine.spaces.nb101_text import read_cell
from engine.spec.errors import ArchitectureError

FULL = {
    "conv3x3": "conv3x3-bn-relu",
    "conv1x1": "conv1x1-bn-relu",
    "maxpool3x3": "maxpool3x3",
}
LETTERS = {"conv3x3": "3", "conv1x1": "1", "maxpool3x3": "P"}


def test_a_text_by_hand() -> None:
    one = arch("conv1x1(0);conv3x3(0,1);output(0,2)")
    chosen = NB101_SPACE.decode(one)
    edges = {name for name, option in chosen.items() if option == "on"}
    assert edges == {"input->1", "input->2", "1->2", "2->output", "input->output"}
    assert chosen["vertex 1"] == "conv1x1-bn-relu" and chosen["vertex 2"] == "conv3x3-bn-relu"
    # Vertices without edges and with the first operation are not written.
    assert {chosen[f"vertex {n}"] for n in (3, 4, 5)} == {"conv3x3-bn-relu"}
    assert NB101_SPACE.to_text(one) == "conv1x1(0);conv3x3(0,1);output(0,2)"


@pytest.mark.parametrize("text", TEXTS)
def test_texts_read_back(text: str) -> None:
    assert NB101_SPACE.to_text(arch(text)) == text
    assert arch(f" {text.replace(';', ' ; ')}\n") == arch(text)


@given(st.integers(0, 2**32))
@settings(deadline=None)
def test_any_architecture_reads_back_in_every_form(seed: int) -> None:
    (one,) = drawn(1, seed)
    matrix, operations = matrix_of(one)
    rows = matrix.tolist()
    names = ["input", *(FULL[name] for name in operations), "output"]
    digits = "".join(str(bit) for row in rows for bit in row)
    letters = f"I{''.join(LETTERS[name] for name in operations)}O"
    for text in (
        NB101_SPACE.to_text(one),
        f"ModelSpec(matrix={rows}, ops={names})",
        f"api.ModelSpec( matrix = {rows},\n ops = {json.dumps(names)} )",
        json.dumps({"module_adjacency": rows, "module_operations": names, "more": 1}),
        json.dumps({"matrix": rows, "ops": ["input", *operations, "output"]}),
        f"{digits} {letters}",
        f"{digits},{letters}",
        f"{digits};{','.join(names)}",
    ):
        assert NB101_SPACE.parse(text) == one
    assert NB101_SPACE.of_matrix(rows, names) == one


@given(st.sampled_from([3, 4, 5, 6]), st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_all_subspaces_write_alike_and_read_each_other(nodes: int, seed: int) -> None:
    small = subspace(nodes)
    (one,) = drawn(1, seed, small)
    text = small.to_text(one)
    for larger in range(nodes, 8):
        there = subspace(larger).parse(text)
        assert subspace(larger).to_text(there) == text
        assert subspace(larger).canonical(there) == small.canonical(one)
        assert small.parse(subspace(larger).to_text(there)) == one


def test_dead_vertices_make_room_in_a_subspace() -> None:
    """Results of the whole space are read in sub-spaces, which is where ground truth is kept."""
    large = arch("maxpool3x3();conv1x1(0);conv3x3(2);maxpool3x3(1);conv1x1(0);output(3)")
    small = subspace(4).parse(NB101_SPACE.to_text(large))
    assert subspace(4).to_text(small) == "conv1x1(0);conv3x3(1);output(2)"
    assert subspace(4).canonical(small) == NB101_SPACE.canonical(large)
    with pytest.raises(ArchitectureError, match="at most 3 vertices.*given were 7"):
        subspace(3).parse(NB101_SPACE.to_text(large))


@given(st.text(max_size=60) | st.text("conv3x1(0,1);outpumal[]{}=' ", max_size=60))
def test_any_other_text_is_refused_in_a_sentence(text: str) -> None:
    try:
        found = NB101_SPACE.parse(text)
    except ArchitectureError as error:
        assert str(error).endswith(".") and len(str(error)) < 400
    else:
        assert NB101_SPACE.parse(NB101_SPACE.to_text(found)) == found


@given(st.lists(st.lists(st.sampled_from([0, 1, 2, "1", None, [1]]), max_size=4), max_size=4),
       st.lists(st.sampled_from(["input", "conv3x3", "output", "x", 3]), max_size=4))  # fmt: skip
def test_any_other_record_is_refused_in_a_sentence(matrix: object, operations: object) -> None:
    try:
        read_cell(json.dumps({"matrix": matrix, "ops": operations}))
    except ArchitectureError as error:
        assert str(error).endswith(".")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "looks like `conv3x3\\(0\\);conv1x1\\(0,1\\);output\\(1,2\\)`"),
        ("conv3x3(0)", "The last vertex of a cell is `output"),
        ("conv5x5(0);output(1)", "`conv5x5` is no operation of NAS-Bench-101; it has conv3x3"),
        ("conv3x3(1);output(1)", "Vertex 1 reads each of the vertices 0 to 0 at most once"),
        ("conv3x3(0);output(1,0)", "in ascending order; given was `output\\(1,0\\)`"),
        ("conv3x3(0);output(1,1)", "at most once"),
        ("conv3x3(0);output()", "No path leads"),
        ("conv3x3();output(1)", "No path leads"),
        ("conv3x3(0);conv3x3(0,1);conv3x3(0,1,2);conv3x3(0,3);output(0,4)",
         "at most 9 edges.*given were 10"),
        ("maxpool3x3(0);" * 6 + "output(1,2,3,4,5,6)", "at most 7 vertices.*given were 8"),
        ("01 IO", "of 2 operations has 4 digits; given were 2"),
        ("0110 IO", "The edge 1->0 leads backward"),
        ("0100 IX", "start with `input` and end with `output`; given was input, X"),
        ("0100 OI", "start with `input`"),
        ("010001000 IZO", "`Z` is no operation"),
        ("{}", "`module_adjacency` and `module_operations` or `matrix` and `ops`"),
        ("{", "cannot be read"),
        ('{"matrix": [[0, 2], [0, 0]], "ops": ["input", "output"]}', "the numbers 0 and 1"),
        ('{"matrix": [[0, 1]], "ops": ["input", "output"]}', "2 rows of 2 numbers"),
        ('{"matrix": 3, "ops": ["input", "output"]}', "2 rows of 2 numbers"),
        ('{"matrix": [], "ops": "IO"}', "a list of names"),
        ("ModelSpec(matrix=[[0, 1], [0, 0]], ops=[input, output])", "cannot be read as lists"),
        ("ModelSpec(matrix=" + "[" * 1500 + ", ops=[])", "looks like"),
        ("1" * 100_000, "takes 100000 characters"),
    ],
)  # fmt: skip
def test_wrong_texts_name_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(ArchitectureError, match=words) as caught:
        NB101_SPACE.parse(text)
    assert len(str(caught.value)) < 400


def test_architectures_of_other_subspaces_are_refused() -> None:
    two = "conv3x3(0);conv3x3(0);output(1,2)"
    assert subspace(4, 2).parse(two)
    with pytest.raises(ArchitectureError, match="the output reads 1 inner vertices; given were 2"):
        subspace(4, 1).parse(two)
    one = arch(two)
    with pytest.raises(ArchitectureError, match="has 8 choices; given were 26"):
        subspace(4).canonical(one)
    with pytest.raises(ArchitectureError, match="No path"):
        NB101_SPACE.check(Architecture("nb101", (0,) * 26))
