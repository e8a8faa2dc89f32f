"""No file grows beyond 400 lines, swallows every error, or runs what it reads."""

from __future__ import annotations

import pytest
from source_rules import PRODUCT, ROOT, python_files, unsafe_uses

LONGEST = 400
# (file, what) that are meant to be there, each with its reason.
MEANT = {
    # The restricted reader of official archives, a child process of its own.
    ("engine/datasets/pickle_child.py", "pickle"),
    # Runs the text of `model.py` that this program has written a moment before, to check it.
    ("engine/export/onnx_file.py", "exec"),
}


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("try:\n    f()\nexcept:\n    pass", "bare except"),
        ("import pickle", "pickle"),
        ("def f():\n    from joblib import load", "joblib.load"),
        ("import_module('dill')", "dill"),
        ("eval('1')", "eval"),
        ("exec(text)", "exec"),
        ("__import__(name)", "__import__"),
        ("torch.load(path)", "torch.load without weights_only=True"),
        ("torch.load(path, weights_only=False)", "torch.load without weights_only=True"),
        ("torch.load(path, weights_only=flag)", "torch.load without weights_only=True"),
        ("from torch import load", "torch.load"),
        ("np.load(path, allow_pickle=True)", "allow_pickle"),
        ("pd.read_pickle(path)", "pd.read_pickle"),
        ("yaml.load(text, Loader=yaml.Loader)", "yaml.Loader"),
        ("yaml.unsafe_load(text)", "yaml.unsafe_load"),
        ("os.system('ls')", "os.system"),
        ("subprocess.run('ls', shell=True)", "shell"),
    ],
)
def test_the_reader_finds_each_fault(source: str, what: str) -> None:
    assert [found for _, found in unsafe_uses(source)] == [what]


def test_the_reader_passes_what_is_sound() -> None:
    source = """
try:
    network.eval()
except (ValueError, OSError):
    torch.load(path, weights_only=True)
    np.load(path, allow_pickle=False)
    yaml.load(text, Loader=yaml.SafeLoader)
    subprocess.run(["ls"], shell=False)
"""
    assert list(unsafe_uses(source)) == []


def test_nothing_read_is_run() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), what): line
        for path in python_files(*PRODUCT)
        for line, what in unsafe_uses(path.read_text(encoding="utf-8"))
    }
    assert {f"{file}:{line}: {what}" for (file, what), line in found.items()} == {
        f"{file}:{found[file, what]}: {what}" for file, what in MEANT if (file, what) in found
    }
    assert set(found) >= MEANT, "take an exception that is no longer there off the list"


def test_files_stay_short() -> None:
    files = python_files(*PRODUCT, "tests", "benchmarks")
    assert len(files) > 100
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in files
    }
    assert {name: count for name, count in lengths.items() if count > LONGEST} == {}
