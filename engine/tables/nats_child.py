"""Child process: read an official NAS-Bench-201 or NATS-Bench file, write one line a record.

Run as a script by `nats_official`, in a bare interpreter with the standard library only. Limits
on memory, time and files are set before the first byte is looked at. The lines are JSON objects:

    {"meta": [architecture, ...]}       the list that the records' indices refer to
    {"index": i, "runs": [[data set, epochs, seed, {quantity: number}], ...]}
    {"at": bytes read, "of": bytes in all}
    {"restart": true}                   forget what was said so far, it comes again
    {"done": number of architectures}   the last line of a complete reading
    {"error": "..."}                    the last line of any other
"""

from __future__ import annotations

import bz2
import importlib.util
import io
import json
import os
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

MEMORY_BYTES = 2**30
CPU_SECONDS = 6 * 3600
EVERY = 50  # records between two reports of progress
TORCH_MAGIC = 0x1950A86A20F9469CFC6C  # first of the four pickles of torch's files before 1.6
RECORD_KEY = "all_results"  # what the results of one architecture stand under
META = "meta.pickle.pbz2"
_RECORD_FILE = re.compile(r"[0-9]{1,6}\.pickle\.pbz2")


def _machine_module() -> Any:
    """Load the file beside this one; a bare interpreter does not know our packages."""
    path = Path(__file__).with_name("pickle_machine.py")
    spec = importlib.util.spec_from_file_location("pickle_machine", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


machine = _machine_module()


class Damaged(Exception):
    """The file is a pickle, but not one of these benchmarks, or not a whole one."""


class Reader:
    """Says what the records contain, one by one.

    Args:
        say: writes a line.
    """

    def __init__(self, say: Callable[[dict[str, Any]], None]) -> None:
        self.say = say
        self.position: Callable[[], int] = lambda: 0
        self.total = 0
        self.found: set[int] = set()

    def on_dict(self, entries: dict[Any, Any]) -> None:
        """Shorten the results of a training to its end; say those of an architecture."""
        if "eval_acc1es" in entries and "seed" in entries:
            run = run_of(entries)
            entries.clear()
            entries["run"] = run
        elif RECORD_KEY in entries:
            self._record(entries)
            entries.clear()

    def _record(self, entries: dict[Any, Any]) -> None:
        runs = []
        for (dataset, seed), results in entries[RECORD_KEY].items():
            epochs, numbers = results["run"]
            runs.append([dataset, epochs, seed, numbers])
        self.say({"index": entries["arch_index"], "runs": runs})
        self.found.add(entries["arch_index"])
        if len(self.found) % EVERY == 0:
            self.say({"at": self.position(), "of": self.total})

    def read_file(self, path: Path) -> None:
        """Read a file with all architectures."""
        self.total = path.stat().st_size
        content = self._twice(path)
        if type(content) is not dict or "meta_archs" not in content:
            raise Damaged("it is not a file of these benchmarks: it has no `meta_archs`")
        self.say({"meta": content["meta_archs"]})
        expected = len(content.get("evaluated_indexes", ()))
        if len(self.found) < expected:
            raise Damaged(f"it has the results of {len(self.found)} of {expected} architectures")

    def read_folder(self, folder: Path) -> None:
        """Read a folder with a file per architecture."""
        content, _ = self._once(folder / META)
        if type(content) is not dict or "meta_archs" not in content:
            raise Damaged(f"its {META} has no `meta_archs`")
        self.say({"meta": content["meta_archs"]})
        paths = sorted(path for path in folder.iterdir() if _RECORD_FILE.fullmatch(path.name))
        for number, path in enumerate(paths, start=1):
            before = len(self.found)
            self._once(path)
            if len(self.found) == before:
                raise Damaged(f"{path.name} has no results")
            if number % EVERY == 0:
                self.say({"at": number, "of": len(paths)})

    def _twice(self, path: Path) -> Any:
        """Read a large file; once more where the first reading forgot what it needed later."""
        content, missed = self._once(path, RECORD_KEY)
        if missed:
            self.say({"restart": True})
            self.found.clear()
            content, _ = self._once(path, RECORD_KEY, frozenset(missed))
        return content

    def _once(
        self, path: Path, record_key: str | None = None, wanted: frozenset[int] = frozenset()
    ) -> tuple[Any, set[int]]:
        with path.open("rb") as file:
            self.position = file.tell
            reader = machine.Machine(_uncompressed(file), self.on_dict, record_key, wanted)
            content = reader.load()
            if content == TORCH_MAGIC:
                reader.load()  # version of the format
                reader.load()  # the machine that wrote it
                content = reader.load()
            return content, reader.missed


def _uncompressed(file: BinaryIO) -> BinaryIO:
    start = file.read(4)
    file.seek(0)
    if start[:3] == b"BZh":
        return io.BufferedReader(bz2.BZ2File(file), 1 << 20)
    if start == b"PK\x03\x04":
        archive = zipfile.ZipFile(file)
        names = [name for name in archive.namelist() if name.split("/")[1:] == ["data.pkl"]]
        if len(names) != 1:
            raise Damaged("it is a zip archive, but not one that torch wrote")
        return io.BufferedReader(cast(io.RawIOBase, archive.open(names[0])), 1 << 20)
    if start[:1] == b"\x80":
        return file
    raise Damaged("it begins neither like a `.pbz2` nor like a `.pth` file")


def run_of(entries: dict[Any, Any]) -> list[Any]:
    """Return the epochs of a training and what was measured at its end."""
    epochs = entries["epochs"]
    if type(epochs) is not int or epochs < 1:
        raise Damaged("a training has an impossible number of epochs")
    found = {}
    for split in entries["eval_names"]:
        try:
            found[split] = entries["eval_acc1es"][f"{split}@{epochs - 1}"]
        except KeyError:
            raise Damaged(f"a training lacks the accuracy on `{split}` at its end") from None
    if type(entries.get("train_acc1es")) is dict:
        found["train"] = entries["train_acc1es"].get(epochs - 1)
    if type(entries.get("train_times")) is dict:
        found["training_time"] = sum(entries["train_times"].values())
    latency = entries.get("latency")
    if type(latency) is list and latency:
        found["latency"] = sum(latency) / len(latency)
    found["params"], found["flops"] = entries["params"], entries["flop"]
    numbers = {key: number for key, number in found.items() if number is not None}
    return [epochs, numbers]


def _limit() -> None:
    import resource

    for kind, amount in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (amount, amount))


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")


def main() -> None:
    """Read, answer, and never raise what the file brought about."""
    path = Path(sys.argv[1])
    try:
        _limit()
        reader = Reader(_say)
        if path.is_dir():
            reader.read_folder(path)
        else:
            reader.read_file(path)
        _say({"done": len(reader.found)})
    except machine.Refused as error:
        _say({"error": f"it asks for {error}, which no official file does"})
    except Damaged as error:
        _say({"error": str(error)})
    except MemoryError:
        _say({"error": "it asks for too much memory"})
    except OSError as error:
        _say({"error": f"it cannot be read ({error.strerror or error})"})
    except Exception as error:  # damaged bytes raise almost anything; all of it means "damaged"
        _say({"error": f"it is damaged ({type(error).__name__})"})
    sys.stdout.flush()
    os._exit(0)  # a gigabyte of small objects takes long to free


if __name__ == "__main__":
    main()
