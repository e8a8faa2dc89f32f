"""The benchmark programs: rows are complete, and a red test forbids a claim of speed."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]


def _module(name: str) -> ModuleType:
    """The benchmarks are programs run from the root, not part of the installed package."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    return importlib.import_module(f"benchmarks.kernels.{name}")


@pytest.fixture
def small_case() -> object:
    torch.set_num_threads(1)
    return _module("registry").Case("small", "bp", 2, (2, 3, 4, 4), True, True)


def test_all_providers_compute_the_same(small_case: object) -> None:
    registry = _module("registry")
    device = torch.device("cpu")
    for case in (small_case, *(c for c in registry.CASES if c.shape[-1] == 8)):
        data = registry.inputs(case, device)
        results = [function(case, data) for function in registry.providers(device).values()]
        assert len(results) == 2
        torch.testing.assert_close(results[0], results[1], rtol=1e-4, atol=1e-4)


def test_no_two_cases_share_a_row() -> None:
    cases = _module("registry").CASES
    assert len({(c.kernel, c.name, c.shape_text) for c in cases}) == len(cases)


def test_rows_replace_older_ones_of_the_same_measurement(
    small_case: object, tmp_path: Path
) -> None:
    run = _module("run")
    path = tmp_path / "device.csv"
    for _ in range(2):
        run.write(path, run.measure(small_case, torch.device("cpu"), seconds=0.0))
    rows = run.read(path)
    assert {(r["provider"], r["mode"]) for r in rows} == {
        (p, m) for p in ("composition", "reference") for m in ("fwd", "bwd")
    }
    assert len(rows) == 4
    for row in rows:
        assert 0 < float(row["p20_ms"]) <= float(row["p50_ms"]) <= float(row["p80_ms"])
        assert row["torch"] == torch.__version__ and row["device"].startswith("CPU")


@pytest.mark.parametrize("green", [True, False])
def test_a_red_test_forbids_a_claim(
    green: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run, registry, verify = _module("run"), _module("registry"), _module("verify")
    test = tmp_path / "test_it.py"
    test.write_text(f"def test_it():\n    assert {green}\n")
    monkeypatch.setattr(registry, "TESTS", {"node_sum": (str(test),)})
    key = dict.fromkeys(run.KEY, "x") | {"kernel": "node_sum"}
    times = {"composition": "6.0", "reference": "2.0", "triton": "1.0"}
    rows = [
        {**key, "provider": name, "p20_ms": ms, "p50_ms": ms, "p80_ms": ms}
        for name, ms in times.items()
    ]
    run.write(tmp_path / "device.csv", rows)
    assert verify.main([str(tmp_path / "device.csv")]) == (0 if green else 1)
    text = capsys.readouterr().out
    assert ("3.00x" in text) == green
    assert "6.00x" not in text, "triton rows of another device must not be reported"
    assert ("its tests are red" in text) != green
