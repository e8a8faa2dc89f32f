"""The size space: texts, counts and costs against what NATS-Bench published."""

from __future__ import annotations

import gzip
import json
import os
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sizes_cases import PUBLISHED, drawn, size

from engine.compose import check
from engine.core.architecture import Architecture
from engine.core.capabilities import OP_MIXTURE, WIDTH_SLICES
from engine.export.graph_svg import svg
from engine.spaces.nats_size import LAYERS, NATS_SIZE_SPACE, WIDTHS, widths_of
from engine.spec.errors import ArchitectureError, SpecError
from engine.spec.experiment import ExperimentSpec
from engine.spec.network import NetworkSpec, NormSpec

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("NASW_SHARED_DATA") or ROOT.parent / "shared" / "data")
RECORDS = DATA / "nats_raw_records_6archs.json.gz"
SIDES = {"ImageNet16-120": (120, 16), "cifar100": (100, 32)}
INDICES = st.tuples(*[st.integers(0, 7)] * 5)


@pytest.mark.parametrize("text", PUBLISHED)
def test_costs_are_those_published(text: str) -> None:
    for (classes, side), wanted in PUBLISHED[text][1].items():
        # Whatever `cells` says: the space has one a stage.
        cost = NATS_SIZE_SPACE.cost(size(text), NetworkSpec(classes=classes, resolution=side))
        assert (cost.params, cost.flops) == wanted


@pytest.mark.skipif(
    not RECORDS.is_file(), reason=f"there is no {RECORDS.name} in NASW_SHARED_DATA"
)
def test_costs_are_those_of_every_record() -> None:
    with gzip.open(RECORDS, "rt", encoding="utf-8") as file:
        records = [one for one in json.load(file) if one["space"] == "size"]
    assert len({(one["index"], one["dataset"]) for one in records}) == 12
    listed = list(NATS_SIZE_SPACE.enumerate())
    for one in records:
        classes, side = SIDES.get(one["dataset"], (10, 32))
        architecture = size(one["arch"])
        cost = NATS_SIZE_SPACE.cost(architecture, NetworkSpec(classes=classes, resolution=side))
        assert cost.params == round(one["params_M"] * 1e6)
        assert cost.flops == round(one["flops_M"] * 1e6)
        assert listed[one["index"]] == architecture


def test_there_are_as_many_as_published_all_different() -> None:
    assert NATS_SIZE_SPACE.size == 32_768
    forms = {NATS_SIZE_SPACE.canonical(one) for one in NATS_SIZE_SPACE.enumerate()}
    assert len(forms) == 32_768


@pytest.mark.parametrize("text", PUBLISHED)
def test_the_published_index_is_the_place_in_the_list(text: str) -> None:
    place = int("".join(map(str, size(text).indices)), base=8)
    assert place == PUBLISHED[text][0]


@given(INDICES)
def test_texts_read_back(indices: tuple[int, ...]) -> None:
    one = Architecture("nats_size", indices)
    text = NATS_SIZE_SPACE.to_text(one)
    assert text == ":".join(str(8 * (i + 1)) for i in indices)
    assert NATS_SIZE_SPACE.parse(f" {text}\n") == one
    assert NATS_SIZE_SPACE.canonical(one) == text


@given(st.text(max_size=30) | st.text("0123456789:", max_size=20))
def test_any_other_text_is_refused_in_a_sentence(text: str) -> None:
    try:
        found = NATS_SIZE_SPACE.parse(text)
    except ArchitectureError as error:
        assert str(error).endswith(".")
    else:
        assert NATS_SIZE_SPACE.to_text(found) == text.strip()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("8:8:8:8", "5 widths joined by `:`"),
        ("8:8:8:8:8:8", "5 widths joined by `:`"),
        ("8:8:12:8:8", "Layer 3 cannot have `12` channels; possible are 8, 16"),
        ("8:8:8:8:+8", "Layer 5 cannot have `\\+8`"),
        ("08:8:8:8:8", "Layer 1"),
        ("8: 8:8:8:8", "Layer 2"),
        ("|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|", "given was"),
        ("9" * 100_000, "given was `9{80}`"),
    ],
)
def test_wrong_texts_name_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(ArchitectureError, match=words) as caught:
        NATS_SIZE_SPACE.parse(text)
    assert len(str(caught.value)) < 300


def test_neighbours_differ_in_one_layer() -> None:
    for one in drawn(5):
        near = NATS_SIZE_SPACE.neighbours(one)
        assert len(set(near)) == len(near) == 5 * 7
        assert {NATS_SIZE_SPACE.hamming(one, other) for other in near} == {1}


@given(INDICES, st.integers(2, 40))
@settings(max_examples=50)
def test_widths_are_eighths_of_four_times_the_channels(
    indices: tuple[int, ...], channels: int
) -> None:
    widths = widths_of(indices, NetworkSpec(channels=channels))
    assert widths == tuple(int(np.ceil((i + 1) / 8 * 4 * channels)) for i in indices)
    every = widths_of(tuple(range(8)), NetworkSpec(channels=channels))
    assert len(set(every)) == 8 and every[-1] == 4 * channels
    assert widths_of(tuple(range(8)), NetworkSpec()) == WIDTHS


def test_costs_grow_with_every_width_but_for_the_projection() -> None:
    network = NetworkSpec(channels=4, norm=NormSpec(affine=False))
    for one in drawn(10, seed=3):
        for position in range(len(LAYERS)):
            costs = []
            for option in range(8):
                indices = list(one.indices)
                indices[position] = option
                changed = Architecture.of("nats_size", indices)
                costs.append(NATS_SIZE_SPACE.cost(changed, network).params)
            assert costs == sorted(costs)
    affine = network.model_copy(update={"norm": NormSpec()})
    # Stem 2, cell 5 x 2, block 2 x 2, cell 6 x 4, block 2 x 2, cell 5 x 2, head 2; twice each.
    one = size("8:8:16:8:8")
    more = NATS_SIZE_SPACE.cost(one, affine).params - NATS_SIZE_SPACE.cost(one, network).params
    assert more == 2 * (2 + 10 + 4 + 24 + 4 + 10 + 2)


def test_drawings_show_every_width() -> None:
    graphs = NATS_SIZE_SPACE.graphs(size("8:64:24:16:32"))
    chain = graphs["layers"]
    assert chain.nodes[1:-1] == ("stem: 8", "1: 8", "2: 64", "3: 24", "4: 16", "5: 32")
    assert [edge[:2] for edge in chain.edges] == list(
        zip(chain.nodes, chain.nodes[1:], strict=False)
    )
    cell = {(source, target): op for source, target, op, _ in graphs["cell"].edges}
    text = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+"
    text += "|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
    for target, group in enumerate(text.split("+"), start=1):
        for term in group.strip("|").split("|"):
            op, source = term.split("~")
            assert cell.pop((source, str(target))) == op
    assert not cell
    assert "residual block" in svg(graphs, title="sizes")


def test_what_cannot_run_is_refused_with_a_reason() -> None:
    assert WIDTH_SLICES in NATS_SIZE_SPACE.provides
    assert OP_MIXTURE not in NATS_SIZE_SPACE.provides
    (fault,) = check(ExperimentSpec(space="nats_size", algorithm="fairnas"))
    assert "choices between operations" in str(fault) and "`nats_size`" in str(fault)
    narrow = {"space": "nats_size", "network": {"channels": 1}}
    (fault,) = check(ExperimentSpec.model_validate(narrow))
    assert fault.field == "network.channels" and "at least 2" in fault.problem
    with pytest.raises(SpecError, match="at least 2"):
        NATS_SIZE_SPACE.cost(size("8:8:8:8:8"), NetworkSpec(channels=1))
    for algorithm, channels in product(("spos", "rsps", "random_a"), (2, 3, 16)):
        spec = {"space": "nats_size", "network": {"channels": channels}, "algorithm": algorithm}
        assert check(ExperimentSpec.model_validate(spec)) == []
