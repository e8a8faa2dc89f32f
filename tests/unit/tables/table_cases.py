"""Files in the official formats, written from scratch, that the tests of tables share."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
# Cells of NAS-Bench-201: the first two build the same network, the third another one.
CELLS = (
    "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|",
    "|none~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|skip_connect~2|",
    "|nor_conv_1x1~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|",
)
TORCH_MAGIC = 0x1950A86A20F9469CFC6C


def shared(name: str) -> Path:
    """Return a file of published data, or skip the test."""
    given = os.environ.get("NASW_SHARED_DATA")
    path = (Path(given) if given else ROOT.parent / "shared" / "data") / name
    if not path.is_file():
        pytest.skip(f"no published data: {path} is absent (set NASW_SHARED_DATA)")
    return path


# -- NAS-Bench-201 and NATS-Bench ---------------------------------------------------------------
def training(
    dataset: str, seed: int, epochs: int, ends: dict[str, float], every_epoch: bool = True
) -> dict[str, Any]:
    """Return the results of a training as the official files keep them."""
    accuracies: dict[str, float] = {}
    for split, end in ends.items():
        for epoch in range(epochs if every_epoch else 0):
            accuracies[f"{split}@{epoch}"] = end * (epoch + 1) / epochs
        accuracies[f"{split}@{epochs - 1}"] = end
    return {
        "name": dataset,
        "net_state_dict": None,
        "train_acc1es": OrderedDict((epoch, 50.0 + epoch) for epoch in range(epochs)),
        "train_acc5es": None,
        "train_losses": OrderedDict((epoch, 1.0 / (epoch + 1)) for epoch in range(epochs)),
        "train_times": OrderedDict((epoch, 2.5) for epoch in range(epochs)),
        "arch_config": {"channel": 16, "num_cells": 5},
        "params": 0.129306,
        "flop": 15.64737,
        "seed": seed,
        "epochs": epochs,
        "latency": [0.01, 0.02],
        "eval_names": list(ends),
        "eval_acc1es": accuracies,
        "eval_losses": {key: 0.5 for key in accuracies},
        "eval_times": {key: 0.1 for key in accuracies},
    }


def results(index: int, text: str, trainings: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the files keep of one architecture and one budget."""
    return {
        "arch_index": index,
        "arch_str": text,
        "all_results": {(one["name"], one["seed"]): one for one in trainings},
        "dataset_seed": {one["name"]: [one["seed"]] for one in trainings},
        "clear_net_done": True,
    }


def benchmark(texts: tuple[str, ...] = CELLS, hps: tuple[str, str] = ("12", "200")) -> Any:
    """Return the content of a small official file; see `expected` for its means."""
    infos = {}
    for index, text in enumerate(texts):
        short = [training("cifar10-valid", 777, 3, {"x-valid": 40.0 + index, "ori-test": 39.0})]
        long = [
            training("cifar10-valid", seed, 5, {"x-valid": 60.0 + index + offset}, False)
            for seed, offset in ((777, 0.0), (888, 0.5), (999, 2.5))
        ]
        infos[index] = {
            hps[0]: results(index, text, short),
            hps[1]: results(index, text, long),
        }
    return {
        "meta_archs": list(texts),
        "total_archs": len(texts),
        "arch2infos": infos,
        "evaluated_indexes": set(infos),
    }


def write_bz2(path: Path, content: Any, protocol: int = 4) -> Path:
    path.write_bytes(bz2.compress(pickle.dumps(content, protocol)))
    return path


def write_old_torch(path: Path, content: Any) -> Path:
    """Write what torch wrote before version 1.6: four pickles, then storages."""
    parts = (TORCH_MAGIC, 1001, {"little_endian": True}, content, [])
    path.write_bytes(b"".join(pickle.dumps(part, 2) for part in parts))
    return path


def write_new_torch(path: Path, content: Any) -> Path:
    """Write what torch writes since: a zip archive with a pickle."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(content, 2))
        archive.writestr("archive/version", "3\n")
    return path


def raw_records() -> list[dict[str, Any]]:
    """Return the published raw records of six architectures, or skip."""
    with gzip.open(shared("nats_raw_records_6archs.json.gz"), "rt") as file:
        return json.load(file)  # type: ignore[no-any-return]


def raw_benchmark(space: str) -> Any:
    """Return an official file's content with the published raw records of a space."""
    records = [one for one in raw_records() if one["space"] == space]
    infos: dict[int, dict[str, Any]] = {}
    for one in records:
        budget = str(one["budget_epochs"])
        epochs = one["budget_epochs"]
        run = training(one["dataset"], one["seed"], epochs, {})
        run["eval_names"] = list(one["eval_acc"])
        run["eval_acc1es"] = {
            f"{split}@{epoch - 1}": accuracy
            for split, values in one["eval_acc"].items()
            for epoch, accuracy in values
        }
        run["train_acc1es"] = dict(enumerate(one["train_acc"]))
        run["params"], run["flop"] = one["params_M"], one["flops_M"]
        place = infos.setdefault(one["index"], {})
        if budget not in place:
            place[budget] = results(one["index"], one["arch"], [])
        place[budget]["all_results"][(one["dataset"], one["seed"])] = run
    names = {one["index"]: one["arch"] for one in records}
    listed = [names.get(index, f"unknown {index}") for index in range(max(names) + 1)]
    return {"meta_archs": listed, "arch2infos": infos, "evaluated_indexes": sorted(infos)}


# -- TensorFlow records and protobuf ------------------------------------------------------------
def crc32c(data: bytes) -> int:
    """Castagnoli's CRC bit by bit, straight from its definition."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def tf_record(data: bytes) -> bytes:
    head = struct.pack("<Q", len(data))
    sums = [struct.pack("<I", masked(crc32c(part))) for part in (head, data)]
    return head + sums[0] + data + sums[1]


def varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def double(field: int, value: float) -> bytes:
    return varint(field << 3 | 1) + struct.pack("<d", value)


def evaluation(values: tuple[float, ...], path: str = "") -> bytes:
    body = b"".join(double(field, value) for field, value in enumerate(values, start=1))
    name = path.encode()
    return body + (varint(6 << 3 | 2) + varint(len(name)) + name if path else b"")


def metrics(evaluations: list[bytes], parameters: int) -> bytes:
    parts = [varint(1 << 3 | 2) + varint(len(one)) + one for one in evaluations]
    return b"".join(parts) + varint(2 << 3) + varint(parameters) + double(3, 1234.5)


def nb101_record(
    fingerprint: str, epochs: int, adjacency: str, operations: str, ends: tuple[float, ...]
) -> bytes:
    """Return a record; `ends` are train, validation and test accuracy at the end."""
    steps = [
        evaluation(
            (share * epochs, share * 100.0, *(share * end for end in ends)), "/x/model.ckpt"
        )
        for share in (0.0, 0.5, 1.0)
    ]
    coded = base64.b64encode(metrics(steps, 2_694_282)).decode()
    return json.dumps([fingerprint, epochs, adjacency, operations, coded]).encode()


def write_records(path: Path, records: list[bytes]) -> Path:
    stream = io.BytesIO()
    for record in records:
        stream.write(tf_record(record))
    path.write_bytes(stream.getvalue())
    return path
