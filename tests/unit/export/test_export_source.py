"""`model.py` builds the network that we build, and is fit to be read and kept."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from export_cases import (
    CELLS,
    DATA,
    SKELETONS,
    exported_network,
    full_record,
    images_for,
    module_of,
    nb201,
    random_cells,
    record_of,
    scrambled,
)

from engine.export.python_source import python_source
from engine.export.record import ArchitectureRecord, DataRecord, describe
from engine.export.sources import SOURCES, get_source
from engine.export.weights import exported_state
from engine.networks import Route, SuperNet
from engine.networks.builder import BUILDERS
from engine.networks.norm import EPSILON
from engine.spec.errors import ExportError
from engine.spec.network import NetworkSpec

ROOT = Path(__file__).resolve().parents[3]
PAIRS = [(name, skeleton) for name in CELLS for skeleton in SKELETONS]


def compare(record: ArchitectureRecord) -> None:
    """Hold both networks against each other: training step, gradients, averages, evaluation."""
    ours, theirs = scrambled(record), exported_network(record)
    rename = get_source(record.space).renaming(record.architecture)
    theirs.load_state_dict(exported_state(ours, record), strict=True)
    images, route = images_for(record), Route.of(record.architecture)

    theirs.train()
    with ours.policy.tracking():
        wanted = ours(images, route)
    given = theirs(images)
    torch.testing.assert_close(given, wanted, rtol=1e-4, atol=1e-5)

    weight = torch.linspace(-1, 1, given.numel()).reshape(given.shape)
    (wanted * weight).sum().backward()
    (given * weight).sum().backward()
    gradients = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    assert len(gradients) == len(list(ours.parameters()))
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(
            gradients[rename(name)], parameter.grad, rtol=1e-3, atol=1e-4, msg=name
        )

    state = theirs.state_dict()
    for name, value in ours.state_dict().items():
        torch.testing.assert_close(state[rename(name)], value, rtol=1e-4, atol=1e-5, msg=name)

    compare_evaluation(record, ours, theirs.eval(), images)


def compare_evaluation(
    record: ArchitectureRecord, ours: SuperNet, theirs: torch.nn.Module, images: torch.Tensor
) -> None:
    with ours.probing():
        wanted, given = ours(images, Route.of(record.architecture)), theirs(images)
    assert wanted.abs().max() > 1e-3
    torch.testing.assert_close(given, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("cell", "skeleton"), PAIRS)
def test_special_cells_are_the_same_network(cell: str, skeleton: str) -> None:
    compare(record_of(CELLS[cell], skeleton))


@pytest.mark.parametrize("skeleton", SKELETONS)
def test_random_cells_are_the_same_network(skeleton: str) -> None:
    for indices in random_cells(25, seed=len(skeleton)):
        compare(record_of(indices, skeleton))


def test_published_skeleton_has_the_published_number_of_parameters() -> None:
    # NAS-Bench-201 gives 1.531546 million for the cell of six 3x3 convolutions on CIFAR-10.
    record = describe(nb201(CELLS["all conv 3x3"]), NetworkSpec())
    count = sum(parameter.numel() for parameter in exported_network(record).parameters())
    assert count == 1_531_546


@pytest.mark.parametrize("cell", CELLS)
def test_header_counts_what_the_file_builds(cell: str) -> None:
    record = record_of(CELLS[cell], "colour, no affine")
    count = sum(parameter.numel() for parameter in exported_network(record).parameters())
    assert get_source("nb201").cost(record.architecture, record.network).params == count
    text = python_source(record)
    assert f"# {count:,} parameters, " in text
    # The benchmark's own count is given, too, exactly where dead operations make it larger.
    assert ("The space counts operations" in text) == (record.params != count)
    assert f"# {record.text}\n" in text


def test_every_buildable_space_has_a_source() -> None:
    assert SOURCES.names() == BUILDERS.names()


def test_a_space_without_source_is_refused() -> None:
    with pytest.raises(ExportError, match="space `unheard-of` cannot be written as Python"):
        get_source("unheard-of")


def test_epsilon_is_that_of_our_normalisation() -> None:
    norms = [m for m in exported_network(full_record()).modules() if hasattr(m, "eps")]
    assert norms and {norm.eps for norm in norms} == {EPSILON}


@pytest.mark.parametrize("cell", CELLS)
def test_only_what_is_used_is_defined(cell: str) -> None:
    text = python_source(record_of(CELLS[cell], "very small"))
    for name in ("ReluConvNorm", "average_pool"):
        assert text.count(name) != 1, f"{name} is defined but not used"


def test_file_imports_torch_and_the_standard_library_only() -> None:
    tree = ast.parse(python_source(full_record(), "weights.safetensors"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    assert "torch" in names
    assert names - {"torch"} <= set(sys.stdlib_module_names)


def test_file_passes_the_linter_and_the_formatter(tmp_path: Path) -> None:
    records = [full_record(), full_record(data=None)]
    records += [record_of(indices, "very small") for indices in CELLS.values()]
    for number, record in enumerate(records):
        for weights in (None, "weights.safetensors"):
            path = tmp_path / f"model_{number}_{weights is None}.py"
            path.write_text(python_source(record, weights), encoding="utf-8")
    common = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", str(tmp_path)]
    for command in (["check", *common], ["format", "--check", *common]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


HOSTILE = [
    'end"""\nimport os; os.abort()\n"""',
    "line\nraise SystemExit(3)",
    "carriage\rraise SystemExit(3)",
    "nul\0 and \x0c and \u2028raise SystemExit(3)",
    "coding: latin-1",
    "back\\slash ' \" $facts ${x} {y}",
    "lone \ud800 surrogate",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_of_users_stay_texts(text: str) -> None:
    classes = [text, *DATA["classes"][1:]]
    data = DataRecord.of({**DATA, "name": text, "source": text, "classes": classes})
    record = full_record(data=data, run_name=text, algorithm=text, searcher=text, run_id=text)
    source = python_source(record, text)
    plain = python_source(full_record(), "weights.safetensors")
    kinds = [type(node) for node in ast.parse(source.encode()).body]
    assert kinds == [type(node) for node in ast.parse(plain.encode()).body]
    module = module_of(source)
    assert tuple(classes) == module.CLASSES
    assert text == module.WEIGHTS


def test_normalise_does_what_training_did() -> None:
    module = module_of(python_source(full_record()))
    pixels = torch.rand(2, 1, 9, 9)
    torch.testing.assert_close(module.normalise(pixels), (pixels - 0.25) / 0.5)
    assert tuple(DATA["classes"]) == module.CLASSES
    without = full_record(data=DataRecord.of(DATA, normalised=False))
    assert not hasattr(module_of(python_source(without)), "normalise")


def test_many_classes_are_written_one_a_line() -> None:
    names = [f"class number {number}" for number in range(7)]
    data = DataRecord.of({**DATA, "classes": names})
    text = python_source(full_record(data=data))
    assert max(map(len, text.splitlines())) <= 99
    assert tuple(names) == module_of(text).CLASSES


def test_untrained_file_builds_random_values() -> None:
    network = module_of(python_source(full_record())).build()
    assert network.training
    assert not (network.stem.conv.weight == 0).all()
