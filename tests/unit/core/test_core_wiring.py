"""Canonical forms of graphs of operations, against trying all orders."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.wiring import Value, canonical_form

Graph = tuple[dict[int, str], dict[int, Value], list[Value]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Up to five atoms of two kinds on one or two inputs; every atom leads to an output."""
    count = draw(st.integers(0, 5))
    labels, sources, used = {}, {}, set()
    for atom in range(count):
        below = st.lists(st.sampled_from([-2, -1, *range(atom)]), min_size=1, max_size=3)
        labels[atom], sources[atom] = draw(st.sampled_from("ab")), tuple(sorted(draw(below)))
        used.update(sources[atom])
    outputs: list[Value] = [(atom,) for atom in range(count) if atom not in used]
    outputs += draw(st.lists(st.just(()) | st.just((-1,)), min_size=not count, max_size=1))
    if count and draw(st.booleans()):
        outputs.append(tuple(sorted(draw(st.lists(st.integers(0, count - 1), max_size=3)))))
    return labels, sources, outputs


def written(graph: Graph, order: tuple[int, ...]) -> tuple[object, ...]:
    """Write a graph with the atoms in an order."""
    labels, sources, outputs = graph
    names = {atom: place for place, atom in enumerate(order)}

    def named(value: Value) -> Value:
        return tuple(sorted(names.get(atom, atom) for atom in value))

    lines = tuple((labels[atom], named(sources[atom])) for atom in order)
    return tuple(sorted(named(value) for value in outputs)), lines


def smallest(graph: Graph) -> object:
    return min(written(graph, order) for order in permutations(graph[0]))


@st.composite
def neighbours(draw: st.DrawFn) -> tuple[Graph, Graph]:
    """Two graphs that differ in one label or one value, and may be the same nevertheless."""
    labels, sources, outputs = draw(graphs())
    if not labels:
        return (labels, sources, outputs), draw(graphs())
    atom = draw(st.sampled_from(sorted(labels)))
    if draw(st.booleans()):
        return (labels, sources, outputs), ({**labels, atom: "b"}, sources, outputs)
    below = st.lists(st.sampled_from([-2, -1, *range(atom)]), min_size=1, max_size=3)
    other = {**sources, atom: tuple(sorted(draw(below)))}
    return (labels, sources, outputs), (labels, other, outputs)


@given(st.tuples(graphs(), graphs()) | neighbours())
@settings(deadline=None, max_examples=150)
def test_texts_are_equal_exactly_for_graphs_that_all_orders_find_equal(
    pair: tuple[Graph, Graph],
) -> None:
    first, second = pair
    same = canonical_form(*first).text == canonical_form(*second).text
    assert same == (smallest(first) == smallest(second))


@given(graphs(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=150)
def test_names_do_not_matter_and_equal_places_play_the_same_part(
    graph: Graph, random: object
) -> None:
    labels, sources, outputs = graph
    atoms = list(labels)
    random.shuffle(atoms)  # type: ignore[attr-defined]
    names = {**{atom: 10 + place for place, atom in enumerate(atoms)}, -1: -1, -2: -2}
    moved: Graph = (
        {names[a]: label for a, label in labels.items()},
        {names[a]: tuple(sorted(names[s] for s in value)) for a, value in sources.items()},
        [tuple(sorted(names[a] for a in value)) for value in outputs[::-1]],
    )
    ours, theirs = canonical_form(*graph), canonical_form(*moved)
    assert ours.text == theirs.text
    pair = dict(zip(ours.atoms, theirs.atoms, strict=True)) | {-1: -1, -2: -2}
    for atom, other in pair.items():
        if atom >= 0:
            assert labels[atom] == moved[0][other]
            assert sorted(pair[s] for s in sources[atom]) == list(moved[1][other])
    for place, other in zip(ours.outputs, theirs.outputs, strict=True):
        assert sorted(pair[a] for a in outputs[place]) == list(moved[2][other])


def test_many_equal_branches_take_no_factorial_of_orders() -> None:
    count = 12
    labels = dict.fromkeys(range(2 * count), "a")
    sources: dict[int, Value] = {i: (-1,) for i in range(count)}
    sources |= {count + i: (i,) for i in range(count)}
    form = canonical_form(labels, sources, [tuple(range(count, 2 * count))])
    assert len(form.atoms) == 2 * count
