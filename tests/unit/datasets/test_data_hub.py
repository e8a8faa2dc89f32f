"""Hugging Face, imitated on this machine: its list of parquet files, and the files."""

from __future__ import annotations

import http.server
import io
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
import pytest
from import_cases import bring, left_behind, png, values
from pyarrow import parquet

from engine.datasets import hub_files, load
from engine.datasets.hub import HubChoice, choose
from engine.datasets.hub_columns import find_columns
from engine.datasets.hub_files import HubFile, Listing
from engine.spec.data import DataSpec
from engine.spec.errors import DataError

FEATURES = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": ["cat", "dog"]}}


@dataclass
class Hub:
    """What the server offers, and what it was asked."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)
    partial: bool = False
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def offer(self, split: str, data: bytes, config: str = "default", size: int = 0) -> None:
        name = f"/{config}/{split}/{len(self.files)}.parquet"
        self.files[name] = data
        entry = {"dataset": "a/b", "config": config, "split": split, "filename": "x"}
        entry |= {"url": self.address + name, "size": size or len(data)}
        self.entries.append(entry)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    state = Hub()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            where = urlsplit(self.path)
            state.asked.append(where.path)
            body = state.files.get(where.path)
            if where.path == "/parquet" and parse_qs(where.query)["dataset"] == ["a/b"]:
                found = {"parquet_files": state.entries, "partial": state.partial}
                body = json.dumps(found).encode()
            self.send_response(404 if body is None else state.status)
            for key, value in state.headers.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setattr(hub_files, "SERVER", state.address)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()


def table(
    labels: list[Any], first: int = 0, features: dict[str, Any] | None = None, **columns: str
) -> bytes:
    """Return a parquet file with a picture a label, as Hugging Face writes them."""
    image, label = columns.get("image", "image"), columns.get("label", "label")
    pictures = [{"bytes": png(first + n), "path": f"{n}.png"} for n in range(len(labels))]
    made = pa.table({image: pictures, label: labels, "id": list(range(len(labels)))})
    if features is not None:
        told = {"huggingface": json.dumps({"info": {"features": features}})}
        made = made.replace_schema_metadata(told)
    buffer = io.BytesIO()
    parquet.write_table(made, buffer, row_group_size=2)
    return buffer.getvalue()


def test_a_data_set_is_read_with_its_classes_and_parts(hub: Hub, tmp_path: Path) -> None:
    hub.offer("train", table([0, 1, 0], features=FEATURES))
    hub.offer("train", table([1, 1], first=50, features=FEATURES))
    hub.offer("test", table([1, 0], first=100, features=FEATURES))
    hub.offer("extra", b"never asked for")
    made = bring("huggingface", "a/b", tmp_path, "cats")
    data = load(DataSpec(name="imported", path="cats"), tmp_path)
    assert made.classes == ("cat", "dog")
    assert data.labels.tolist() == [0, 1, 0, 1, 1]
    assert values(data.images) == [0, 1, 2, 50, 51]
    assert data.test_labels is not None and data.test_images is not None
    assert data.test_labels.tolist() == [1, 0]
    assert values(data.test_images) == [100, 101]
    expected = "huggingface.co/datasets/a/b (configuration default, splits train and test)"
    assert made.origin == expected
    assert len(hub.asked) == 4
    assert not list((tmp_path / "downloads").iterdir())


@pytest.mark.parametrize(
    ("labels", "classes", "numbers"),
    [([7, 3, 7], ("3", "7"), [1, 0, 1]), (["z", "a", "z"], ("a", "z"), [1, 0, 1])],
)
def test_without_features_types_and_names_decide(
    hub: Hub, tmp_path: Path, labels: list[Any], classes: tuple[str, ...], numbers: list[int]
) -> None:
    hub.offer("train", table(labels, image="img", label="target"))
    hub.partial = True
    made = bring("huggingface", "a/b", tmp_path)
    assert made.classes == classes
    assert load(DataSpec(name="imported", path="photos"), tmp_path).labels.tolist() == numbers
    assert "only its beginning" in made.origin
    assert made.counts.test is None


def test_wanted_columns_and_splits(hub: Hub, tmp_path: Path) -> None:
    features = FEATURES | {"fine": {"_type": "ClassLabel", "names": ["x", "y", "z"]}}
    features["tone"] = features.pop("label")
    data = pa.table(
        {
            "image": [{"bytes": png(n), "path": None} for n in range(4)],
            "fine": [0, 1, 2, 0],
            "tone": [0, 1, 0, 1],
        }
    ).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    buffer = io.BytesIO()
    parquet.write_table(data, buffer)
    hub.offer("first", buffer.getvalue())
    hub.offer("second", buffer.getvalue())
    with pytest.raises(DataError, match="--train-split: choose a split to train with; there are"):
        bring("huggingface", "a/b", tmp_path)
    with pytest.raises(DataError, match=r"class labels .* \(found several: fine, tone\)"):
        bring("huggingface", "a/b", tmp_path, hub=HubChoice(train="second"))
    choice = HubChoice(train="second", test="first", label="fine")
    made = bring("huggingface", "a/b", tmp_path, hub=choice)
    assert (made.classes, made.counts.test) == (("x", "y", "z"), (2, 1, 1))
    with pytest.raises(DataError, match="--image-column: there is no column `pic`"):
        bring("huggingface", "a/b", tmp_path, "b", hub=HubChoice(train="first", image="pic"))


def test_bad_pictures_are_named_by_row(hub: Hub, tmp_path: Path) -> None:
    pictures = [png(1), b"x", None, png(4)]
    rows = [None if data is None else {"bytes": data, "path": ""} for data in pictures]
    buffer = io.BytesIO()
    parquet.write_table(pa.table({"image": rows, "label": [0, 1, 0, 1]}), buffer)
    hub.offer("train", buffer.getvalue())
    with pytest.raises(DataError) as caught:
        bring("huggingface", "a/b", tmp_path)
    assert "train, row 1: this picture cannot be read" in str(caught.value)
    assert "train, row 2: it has no picture" in str(caught.value)
    made = bring("huggingface", "a/b", tmp_path, skip=True)
    assert made.counts.train == (1, 1)
    assert hub.asked.count(next(iter(hub.files))) == 1, "the first download was kept"


def test_pictures_without_a_class_are_refused(hub: Hub, tmp_path: Path) -> None:
    hub.offer("train", table([0, 1, -1], features=FEATURES))
    with pytest.raises(DataError, match="1 of its pictures have no class"):
        bring("huggingface", "a/b", tmp_path)


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (401, {}, "no public data set `a/b`"),
        (403, {}, "private or gated"),
        (404, {}, "spelled otherwise"),
        (500, {"X-Error-Code": "ResponseNotReady"}, "still converting `a/b`"),
        (501, {}, "offers no parquet form of `a/b` .it answered 501"),
    ],
)
def test_what_the_server_refuses(
    hub: Hub, tmp_path: Path, status: int, headers: dict[str, str], said: str
) -> None:
    hub.status, hub.headers = status, headers
    with pytest.raises(DataError, match=said):
        bring("huggingface", "a/b", tmp_path)
    assert left_behind(tmp_path) == []


def test_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(hub_files, "SERVER", "http://127.0.0.1:9")
    with pytest.raises(DataError, match="no connection to Hugging Face .*Connection refused"):
        bring("huggingface", "a/b", tmp_path)


def _empty(hub: Hub) -> None:
    pass


def _short(hub: Hub) -> None:
    hub.offer("train", table([0, 1]), size=10**6)


def _longer(hub: Hub) -> None:
    hub.offer("train", table([0, 1]), size=10)


def _large(hub: Hub) -> None:
    hub.offer("train", table([0, 1]), size=2**40)


def _damaged(hub: Hub) -> None:
    hub.offer("train", b"PAR1 and then nothing that fits")


def _elsewhere(hub: Hub) -> None:
    hub.offer("train", b"")
    hub.entries[0]["url"] = "file:///etc/passwd"


def _text(hub: Hub) -> None:
    buffer = io.BytesIO()
    parquet.write_table(pa.table({"text": ["a"], "label": [0]}), buffer)
    hub.offer("train", buffer.getvalue())


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (_empty, "no parquet form of `a/b`"),
        (_short, r"\d+ bytes arrived, 1000000 were promised"),
        (_longer, "bytes arrived, 10 were promised"),
        (_large, "at most 16 GB are fetched"),
        (_damaged, "parquet files cannot be read"),
        (_elsewhere, "a form that is not known here"),
        (_text, r"no column of pictures .*\(found none\)"),
    ],
)
def test_what_cannot_be_used(
    hub: Hub, tmp_path: Path, prepare: Callable[[Hub], None], said: str
) -> None:
    prepare(hub)
    with pytest.raises(DataError, match=said):
        bring("huggingface", "a/b", tmp_path)
    assert not (tmp_path / "imported").exists()


@pytest.mark.parametrize("name", ["", "../x", "a/b/c", "a b", "a/..", "http://x/y"])
def test_what_is_no_id_is_never_asked_for(hub: Hub, tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="is no id of Hugging Face"):
        bring("huggingface", name, tmp_path)
    assert hub.asked == []


def test_choosing_configuration_and_splits() -> None:
    def listing(*pairs: str) -> Listing:
        return Listing(tuple(HubFile(*pair.split("/"), "u", 1) for pair in pairs), False)

    one = listing("plain/train", "plain/validation", "plain/test")
    assert choose(one, HubChoice()) == ("plain", "train", "test")
    assert choose(one, HubChoice(test="none")) == ("plain", "train", "")
    assert choose(one, HubChoice(train="test")) == ("plain", "test", "validation")
    assert choose(listing("x/all"), HubChoice()) == ("x", "all", "")
    assert choose(listing("x/train", "default/train"), HubChoice())[0] == "default"
    for pairs, choice, said in (
        (("x/train", "y/train"), HubChoice(), "--config: choose a configuration; there are: x, y"),
        (("x/train",), HubChoice(config="z"), "--config: there is no configuration `z`"),
        (("x/train",), HubChoice(test="q"), "--test-split: there is no test split `q`"),
    ):
        with pytest.raises(DataError, match=said):
            choose(listing(*pairs), choice)


def test_of_several_label_columns_the_usual_one_is_taken() -> None:
    names = {"_type": "ClassLabel", "names": ["a", "b"]}
    features = {"img": {"_type": "Image"}, "fine_label": names, "coarse_label": names}
    told = {"huggingface": json.dumps({"info": {"features": features}})}
    schema = pa.schema(
        [("img", pa.binary()), ("fine_label", pa.int64()), ("coarse_label", pa.int64())], told
    )
    found = find_columns(schema)
    assert (found.image, found.label, found.classes) == ("img", "fine_label", ("a", "b"))
