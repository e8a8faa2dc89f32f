"""Every fault of a definition is a sentence at its field and line, with a remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from custom_cases import EXAMPLES, definitions
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.compose import check
from engine.spaces import get_space
from engine.spaces.custom_faults import definition_faults
from engine.spec.errors import SpecError
from engine.spec.experiment import ExperimentSpec
from engine.spec.files import load, load_mapping, read_mapping
from engine.spec.lines import line_of, located, located_in

CELL = "kind: cell\nnodes: [in, mid, out]\n"
LIST = "operations: [none, nor_conv_3x3]\n"
EDGES = "edges:\n  in->mid:\n  mid->out:\n"
# (definition, field, line, words of the sentence)
FAULTS = [
    # fields
    ("nodes: [a, b]", "kind", None, "give the kind of the space, one of cell, chain, sizes."),
    ("kind: cel", "kind", 1, "one of cell, chain, sizes; given was 'cel'"),
    (CELL, "edges", None, "this field is missing"),
    (CELL + LIST + EDGES + "stage: 2", "stage", 7, "Did you mean `stages`?"),
    (CELL + LIST + EDGES + "stages: 9", "stages", 7, "less than or equal to 6; given was 9"),
    (CELL + LIST + EDGES + "stages: many", "stages", 7, "valid integer"),
    ("kind: cell\nnodes:\n- in\n- no\nedges: {}", "nodes.1", 4, "write names in quotes"),
    (CELL + "edges:\n  in->mid: [{}]", "edges.in->mid.0", 4, "valid string"),
    (CELL + "edges: 3", "edges", 3, "valid dictionary"),
    ("file: other.yaml", "file", 1, "Write the definition itself here."),
    # operations
    (
        CELL + LIST + "edges:\n  in->mid: [none, nor_conv_4x4]",
        "edges.in->mid.1",
        5,
        "there is no operation `nor_conv_4x4`. Did you mean `nor_conv_3x3`? Known are none, skip_",
    ),
    (
        CELL + "operations: [zzz]\n" + EDGES,
        "operations.0",
        3,
        "there is no operation `zzz`. Known",
    ),
    (CELL + "operations: []\n" + EDGES, "operations", 3, "the list is empty"),
    (CELL + LIST + "edges:\n  in->mid: []", "edges.in->mid", 5, "the list is empty"),
    (CELL + LIST + "edges:\n  in->mid: none", "edges.in->mid", 5, "is no edge; leave it out"),
    (
        CELL + LIST + "edges:\n  in->mid:\n  - none\n  - none",
        "edges.in->mid.1",
        7,
        "stands here twice; keep one",
    ),
    (CELL + EDGES, "edges.in->mid", 4, "or give `operations` for all"),
    # nodes
    ("kind: cell\nnodes: [in]\nedges: {in->in: none}", "nodes", 2, "2 to 16 nodes; given were 1"),
    ("kind: cell\nnodes:\n- in\n- a-b\nedges: {}", "nodes.1", 4, "letters, digits and `_`"),
    ("kind: cell\nnodes:\n- in\n- in\nedges: {}", "nodes.1", 4, "twice; names must differ"),
    # edges
    (CELL + LIST + "edges: {}", "edges", 4, "at least one edge"),
    (CELL + LIST + "edges:\n  in-mid:", "edges.in-mid", 5, "`source->target`; given was `in-mid`"),
    (CELL + LIST + "edges:\n  in->mid->out:", "edges.in->mid->out", 5, "`source->target`"),
    (CELL + LIST + EDGES + "  in->mit:", "edges.in->mit", 7, "Did you mean `mid`?"),
    (
        CELL + LIST + EDGES + "  in->zz:",
        "edges.in->zz",
        7,
        "Add it to `nodes`, or name another. The nodes are in, mid, out.",
    ),
    (CELL + LIST + EDGES + "  mid->mid:", "edges.mid->mid", 7, "an edge joins two nodes"),
    (CELL + LIST + EDGES + "  out->in:", "edges.out->in", 7, "no edge enters it"),
    (CELL + LIST + EDGES + "  in -> mid:", "edges.in -> mid", 7, "twice, see `in->mid`"),
    (
        CELL + LIST + EDGES + "  out->mid:",
        "edges.out->mid",
        7,
        "closes the cycle mid->out->mid; turn or remove it",
    ),
    # reachability and outputs
    (
        CELL + LIST + "edges:\n  in->out:\n  mid->out:",
        "nodes.1",
        2,
        "no path leads from `in` to the node `mid`; give it an edge, or remove it.",
    ),
    (
        CELL + LIST + "edges:\n  in->out:\n  in->mid:",
        "nodes.1",
        2,
        "leads to no output (`out`); give it an edge there, name it in `output`, or remove it.",
    ),
    (CELL + LIST + EDGES + "output: []", "output", 7, "name the node whose value leaves"),
    (CELL + LIST + EDGES + "output: owt", "output.0", 7, "Did you mean `out`?"),
    (CELL + LIST + EDGES + "output: [out, in]", "output.1", 7, "`in` is the cell's input"),
    (CELL + LIST + EDGES + "output: [out, out]", "output.1", 7, "keep one of the two"),
    (
        CELL + "operations: [nor_conv_3x3]\n" + EDGES,
        "edges",
        4,
        "nothing is chosen in this space",
    ),
    # chains
    ("kind: chain\nblocks: []", "blocks", 2, "at least 1 item"),
    ("kind: chain\nblocks:\n- width: 0", "blocks.0.width", 3, "greater than or equal to 1"),
    ("kind: chain\nblocks:\n- stride: 3", "blocks.0.stride", 3, "1 or 2; given was 3"),
    ("kind: chain\nblocks:\n- stridde: 3", "blocks.0.stridde", 3, "Did you mean `stride`?"),
    (
        "kind: chain\nblocks:\n- width: 3",
        "blocks.0.operations",
        3,
        "give the chain's `operations`",
    ),
    (
        "kind: chain\nblocks:\n- operations: [none, nor_conv_3x3]",
        "blocks.0.operations.0",
        3,
        "reaches no class; `skip_connect` leaves a block out",
    ),
    (
        "kind: chain\nblocks:\n- stride: 2\n  operations: [nor_conv_3x3, skip_connect]",
        "blocks.0.operations.1",
        4,
        "keeps the size of the image, and the stride is 2 here; use `skip_or_reduce`",
    ),
    (
        "kind: chain\nblocks:\n- width: 8\n  operations: [nor_conv_3x3, max_pool_3x3]",
        "blocks.0.operations.1",
        4,
        "keeps the number of channels, and 16 become 8 here; use `nor_conv_1x1`",
    ),
    (
        "kind: chain\nblocks:\n- {width: 8, stride: 2, operations: [max_pool_3x3, nor_conv_3x3]}",
        "blocks.0.operations.0",
        3,
        "`skip_or_reduce` is the plain way to a smaller image with other channels",
    ),
    (
        "kind: chain\nstem: 1\nblocks:\n- {stride: 2, operations: [skip_or_reduce, nor_conv_3x3]}",
        "blocks.0.operations.0",
        4,
        "the width is 1; use `nor_conv_1x1`",
    ),
    (
        "kind: chain\noperations: [skip_connect, nor_conv_3x3]\nblocks:\n- {}\n- stride: 2",
        "blocks.1",
        5,
        "`skip_connect` cannot stand here",
    ),
    (
        "kind: chain\noperations: [nor_conv_1x1, nor_conv_3x3]\n"
        "blocks: [{repeat: 60}, {repeat: 60}]",
        "blocks",
        3,
        "up to 100 blocks; these are 120",
    ),
    ("kind: chain\noperations: [nor_conv_1x1]\nblocks:\n- {}", "blocks", 3, "nothing is chosen"),
    # sizes
    ("kind: sizes\nlayers:\n- {}", "layers.0.widths", 3, "this field is missing"),
    ("kind: sizes\nlayers:\n- width: 3", "layers.0.width", 3, "Did you mean `widths`?"),
    ("kind: sizes\nlayers:\n- widths: []", "layers.0.widths", 3, "the list is empty"),
    ("kind: sizes\nlayers:\n- widths: [8, 0]", "layers.0.widths.1", 3, "than or equal to 1"),
    ("kind: sizes\nlayers:\n- widths: [8, -4]", "layers.0.widths.1", 3, "given was -4"),
    ("kind: sizes\nlayers:\n- widths: [8, 8]", "layers.0.widths.1", 3, "8 stands here twice"),
    (
        "kind: sizes\nlayers:\n- widths: [8, 9]\n  kernels: [3, 4]",
        "layers.0.kernels.1",
        4,
        "an odd side, so that the size stays; given was 4",
    ),
    ("kind: sizes\nlayers:\n- widths: 8", "layers", 2, "nothing is chosen"),
]


@pytest.mark.parametrize(("text", "field", "line", "words"), FAULTS)
def test_every_fault_names_field_line_and_remedy(
    text: str, field: str, line: int | None, words: str, tmp_path: Path
) -> None:
    faults = definition_faults(read_mapping(text), "")
    # An unknown field hides what is missing, so that several can be found.
    found = next(fault for fault in faults if fault.field == field)
    assert words in found.problem and found.problem.endswith(".")
    assert located(found, text).problem == (
        found.problem if line is None else f"line {line}: {found.problem}"
    )
    with pytest.raises(SpecError) as caught:
        get_space("custom", read_mapping(text))
    assert caught.value.field == f"space_settings.{faults[0].field}"
    if field == "file":
        return
    # The same inline: the lines are those of the experiment file.
    inline = "seed: 1\nspace: custom\nspace_settings:\n" + "".join(
        f"  {row}\n" for row in text.splitlines()
    )
    path = tmp_path / "experiment.yaml"
    path.write_text(inline)
    (fault,) = (f for f in check(load(path)) if f.field.startswith("space_settings"))
    assert fault.field == caught.value.field
    where = line_of(inline, fault.field)
    first = line_of(text, faults[0].field)
    assert where == (3 if first is None else first + 3)


@given(definitions)
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_well_formed_is_taken(definition: dict[str, Any]) -> None:
    written = yaml.safe_dump(definition)
    assert definition_faults(read_mapping(written)) == []
    assert get_space("custom", definition).name == "custom"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.sampled_from(sorted(EXAMPLES)), st.data())
@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_given_is_taken_or_refused_in_sentences(kind: str, data: Any) -> None:
    value = dict(EXAMPLES[kind])
    key = data.draw(st.sampled_from([*value, "extra"]))
    value[key] = data.draw(VALUES)
    for fault in definition_faults(value):
        assert fault.field.startswith("space_settings.") and fault.problem.endswith(".")
        assert len(fault.problem) < 1000


# -- files of their own --------------------------------------------------------------------------
def written(folder: Path, definition: str, more: str = "") -> Path:
    (folder / "spaces").mkdir()
    (folder / "spaces" / "mine.yaml").write_text(definition)
    path = folder / "experiment.yaml"
    path.write_text(f"space: custom\nspace_settings: {{file: spaces/mine.yaml}}\n{more}")
    return path


def test_a_definition_is_read_beside_the_experiment_and_stands_in_its_record(
    tmp_path: Path,
) -> None:
    text = yaml.safe_dump(EXAMPLES["chain"])
    spec = load(written(tmp_path, text, "evaluation: {sample: 10}\n"))
    assert spec.space_settings == EXAMPLES["chain"]
    assert check(spec) == []
    (tmp_path / "spaces" / "mine.yaml").unlink()
    again = ExperimentSpec.model_validate(spec.model_dump())
    assert get_space("custom", again.space_settings).size == 4**4 * 3 * 2 * 3


def test_faults_of_a_definition_name_its_file_and_line(tmp_path: Path) -> None:
    path = written(tmp_path, CELL + LIST + EDGES + "  in->mit:\n")
    (fault,) = (f for f in check(load(path)) if f.field.startswith("space_settings"))
    assert located_in(fault, path).problem.startswith(
        "line 7 of spaces/mine.yaml: there is no node `mit`"
    )
    other = located_in(SpecError("space", "wrong."), path)
    assert other.problem == "line 1: wrong."


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        (None, "cannot read "),
        ("", "spaces/mine.yaml: an experiment file is"),
        ("{}", "spaces/mine.yaml is empty."),
        ("a: *b", "spaces/mine.yaml: line 1: YAML aliases"),
        ("a: [", "spaces/mine.yaml: this is not valid YAML"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    definition: str | None, words: str, tmp_path: Path
) -> None:
    path = written(tmp_path, definition or "")
    if definition is None:
        (tmp_path / "spaces" / "mine.yaml").unlink()
    with pytest.raises(SpecError) as caught:
        load_mapping(path)
    assert caught.value.field == "space_settings.file"
    assert caught.value.problem.startswith(words)
    path.write_text("space_settings: {file: [1]}")
    with pytest.raises(SpecError, match=r"give the name of a file; given was \[1\]"):
        load_mapping(path)


def test_lines_are_those_of_the_deepest_part_that_is_there() -> None:
    text = "a:\n  b.c:\n  - d: 1\n  - e:\n      f: 2\n  b: 3\n"
    for field, line in (
        ("a", 1),
        ("a.b.c", 2),
        ("a.b.c.0", 3),
        ("a.b.c.0.d", 3),
        ("a.b.c.1.e.f", 5),
        ("a.b.c.1.e.zzz", 4),
        ("a.b.c.7", 2),
        ("a.b", 6),
        ("a.zzz", 1),
        ("zzz", None),
        ("", None),
    ):
        assert line_of(text, field) == line, field
