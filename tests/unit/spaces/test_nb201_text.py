"""The strings of NAS-Bench-201, both ways, and what is said of broken ones."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.core.architecture import Architecture
from engine.spaces.nb201 import EDGES, NB201_SPACE, OPERATIONS
from engine.spec.errors import ArchitectureError

GOOD = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|none~2|"
indices = st.tuples(*[st.integers(0, 4)] * 6)


def test_all_15625_round_trip() -> None:
    everything = list(NB201_SPACE.enumerate())
    texts = [NB201_SPACE.to_text(one) for one in everything]
    assert NB201_SPACE.size == len(set(everything)) == len(set(texts)) == 15_625
    assert [NB201_SPACE.parse(text) for text in texts] == everything


def test_the_published_strings_in_the_published_code(published: list[dict[str, str]]) -> None:
    """`ops` has a digit per edge in the order of the string: 0->1, 0->2, 1->2, 0->3, ..."""
    for row in published:
        architecture = NB201_SPACE.parse(row["arch_str"])
        assert "".join(map(str, architecture.indices)) == row["ops"]
        assert NB201_SPACE.to_text(architecture) == row["arch_str"]


def test_a_string_by_hand() -> None:
    found = NB201_SPACE.parse(GOOD)
    assert NB201_SPACE.decode(found) == {
        "0->1": "avg_pool_3x3",
        "0->2": "nor_conv_1x1",
        "1->2": "skip_connect",
        "0->3": "nor_conv_1x1",
        "1->3": "skip_connect",
        "2->3": "none",
    }
    assert found.indices == (4, 2, 1, 2, 1, 0)


@given(indices, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_terms_may_stand_in_any_order(chosen: tuple[int, ...], shuffle: random.Random) -> None:
    groups: list[list[str]] = [[], [], []]
    for index, (source, target) in zip(chosen, EDGES, strict=True):
        groups[target - 1].append(f"{OPERATIONS[index]}~{source}")
    for group in groups:
        shuffle.shuffle(group)
    text = "+".join(f"|{'|'.join(group)}|" for group in groups)
    assert NB201_SPACE.parse(f" {text}\n") == Architecture("nb201", chosen)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "given was ``"),
        ("|none~0|", "given was `|none~0|`"),
        (GOOD + "+|none~0|none~1|none~2|none~3|", "3 groups"),
        (GOOD.replace("|+|", "+"), "given was `|avg_pool_3x3~0`"),
        (GOOD.replace("skip_connect~1|none", "skip_connect|none"), "given was `|nor_conv_1x1~0|s"),
        (GOOD.replace("~2", "~x"), "none~x"),
        (GOOD.replace("~2", "~"), "none~|"),
        (GOOD.replace("~2", "~٢"), "none~٢"),
        (GOOD.replace("~2", f"~{'9' * 5000}"), "Group 3"),
        (GOOD.replace("~2", "~-1"), "none~-1"),
        (GOOD.replace("none", "max_pool_3x3"), "`max_pool_3x3` is no operation"),
        (GOOD.replace("none", "None"), "`None` is no operation"),
        (GOOD.replace("none~2", "none~3"), "Node 3 has no edge from node 3"),
        (GOOD.replace("none~2", "none~17"), "Node 3 has no edge from node 17"),
        (GOOD.replace("avg_pool_3x3~0", "avg_pool_3x3~1"), "Node 1 has no edge from node 1"),
        (GOOD.replace("none~2", "none~1"), "The edge 1->3 is given twice"),
        (GOOD.replace("|none~2|", "|"), "The edge 2->3 is missing in `|avg_pool_3x3~0|+"),
        (GOOD.replace("|none~2|", "||none~2|"), "Group 3 should look like"),
        (GOOD[1:], "given was `avg_pool_3x3~0|`"),
        (GOOD[:-1], "Group 3 should look like"),
        (GOOD.replace("+", " + "), "given was `|avg_pool_3x3~0| `"),
    ],
)
def test_faults_are_named(text: str, named: str) -> None:
    with pytest.raises(ArchitectureError) as caught:
        NB201_SPACE.parse(text)
    message = str(caught.value)
    assert named in message
    assert len(message) < 400, "a long text must not fill the page"


fragments = st.sampled_from(
    ["|", "~", "+", "0", "1", "2", "none", "skip_connect", " ", "\n", "~0"]
)


@given(st.one_of(st.text(max_size=80), st.lists(fragments, max_size=40).map("".join)))
@example(GOOD)
@settings(deadline=None, max_examples=300)
def test_any_other_text_is_refused_and_never_fails_otherwise(text: str) -> None:
    try:
        found = NB201_SPACE.parse(text)
    except ArchitectureError:
        return
    assert sorted(NB201_SPACE.to_text(found)) == sorted(text.strip())


@given(indices, st.integers(0, 200), st.sampled_from(["", "|", "~", "+", "1", "x"]))
@settings(deadline=None, max_examples=300)
def test_one_changed_character_is_refused_or_is_another_architecture(
    chosen: tuple[int, ...], place: int, put: str
) -> None:
    architecture = Architecture("nb201", chosen)
    text = NB201_SPACE.to_text(architecture)
    place %= len(text)
    changed = text[:place] + put + text[place + 1 :]
    try:
        found = NB201_SPACE.parse(changed)
    except ArchitectureError:
        return
    assert (found == architecture) == (changed == text)
