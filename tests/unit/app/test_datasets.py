"""The Datasets page: cards, one data set, adding with problems per file, deleting, no rights."""

from __future__ import annotations

import io
import json
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_help import Open, words
from PIL import Image
from played_run import played
from streamlit.testing.v1 import AppTest

from app import client, drafts
from app import lab_datasets as lab_data
from app.lab_datasets import Known
from app.widgets import dataset_balance, dataset_pictures
from engine.datasets.imported import Counts, imported_names
from engine.datasets.importing import ImportChoice, import_data
from engine.datasets.preview import Preview, make_preview
from engine.datasets.splits import make_split
from engine.spec.data import DataSpec

PAGE = "screens/datasets.py"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the lab's data sets; the digits have been looked through already."""
    monkeypatch.setenv("NASW_DATA", str(tmp_path / "data"))
    folder = tmp_path / "data" / "datasets"
    make_preview("digits", folder)
    return folder


@pytest.fixture
def shapes(home: Path, tmp_path: Path) -> Path:
    """An imported data set `shapes` of 12 + 4 images in two classes."""
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.integers(0, 256, (12, 10, 8, 3), dtype=np.uint8),
        "y_train": np.arange(12) % 3 // 2,
        "x_test": rng.integers(0, 256, (4, 10, 8, 3), dtype=np.uint8),
        "y_test": np.arange(4) % 2,
        "classes": np.array(["<b>round</b>", "square"]),
    }
    np.savez(tmp_path / "shapes.npz", **arrays)
    choice = ImportChoice(title="Shapes *of* mine")
    source = str(tmp_path / "shapes.npz")
    import_data("npz", source, "shapes", home, choice, lambda what, done, total: None)
    return home


def pictures_zip(path: Path, bad: int) -> Path:
    buffer = io.BytesIO()
    Image.new("L", (6, 6), 9).save(buffer, "PNG")
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("cat/1.png", "cat/2.png", "cat/3.png", "dog/1.png", "dog/2.png"):
            archive.writestr(name, buffer.getvalue())
        for number in range(bad):
            archive.writestr(f"dog/bad{number}.png", b"nothing")
    return path


def finished(test: AppTest, key: str) -> AppTest:
    """Wait for a background task, then draw the page again."""
    deadline = time.monotonic() + 60
    while True:
        task = client.tasks().get(key)
        if task is not None and task.state != "running":
            return test.run()
        assert time.monotonic() < deadline, f"{key} did not end"
        time.sleep(0.1)


def images_of(test: AppTest) -> int:
    return len(test.image)


def test_cards_of_what_there_is(open_page: Open, shapes: Path) -> None:
    test = open_page(PAGE)
    said = words(test)
    assert not test.exception
    assert "Shapes \\*of\\* mine" in said
    assert "Handwritten digits" in said
    assert "The classes are nearly even, with 174 to 183 training images each." in said
    assert "2 (&lt;b&gt;round&lt;/b&gt;, square)" in said
    assert images_of(test) == 2
    assert [b.label for b in test.button if b.key == "fetch-cifar10"] == ["Fetch it"]


def test_the_first_look_prepares_what_pages_show(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASW_DATA", str(tmp_path / "empty"))
    test = open_page(PAGE)
    assert "Looking through the pictures for the first time" in words(test)
    assert "No data set of your own yet" in words(test)
    test = finished(test, lab_data.PREVIEW + "digits")
    assert images_of(test) == 1


def test_one_data_set(open_page: Open, shapes: Path, runs: Path) -> None:
    folder = played(runs, data={"name": "imported", "path": "shapes"})
    played(runs)
    test = open_page(PAGE, data="shapes")
    said = words(test)
    assert not test.exception
    for part in ("8 × 10 pixels, colour", "data: {name: imported, path: shapes}", "shapes.npz"):
        assert part in said
    assert "<b>round" not in said
    assert "Used by 1 experiment" in said
    assert [run.run_id for run in lab_data.used_by(_known("shapes"))] == [folder.run_id]
    galleries = [e for e in test.get("html") if '<div class="nw-gallery"' in e.proto.body]
    assert galleries[0].proto.body.count("<img ") == 12
    test.selectbox(key="data-class").set_value("square").run()
    galleries = [e for e in test.get("html") if '<div class="nw-gallery"' in e.proto.body]
    assert galleries[0].proto.body.count("<img ") == 4
    test.segmented_control(key="data-part").set_value("Test").run()
    galleries = [e for e in test.get("html") if '<div class="nw-gallery"' in e.proto.body]
    assert galleries[0].proto.body.count("<img ") == 2


def _known(name: str) -> Known:
    found = lab_data.find(name)
    assert found is not None
    return found


def test_sizes_to_try_and_impossible_ones(open_page: Open, shapes: Path) -> None:
    test = open_page(PAGE, data="shapes")
    rows = test.dataframe[0].value
    assert rows["Images"].tolist() == ["6", "6", "4"]
    assert rows["Per class"].tolist() == ["2 to 4", "2 to 4", "2"]
    test.number_input(key="split-train").set_value(3).run()
    assert test.dataframe[0].value["Images"].tolist() == ["3", "6", "4"]
    test.number_input(key="split-train").set_value(9).run()
    assert "data.train_images: 9 given, but 6 are available" in test.error[0].value


def test_what_is_not_there(open_page: Open, home: Path) -> None:
    assert "There is no such data set" in words(open_page(PAGE, data="nothing"))
    test = open_page(PAGE, data="cifar10")
    assert "Not on this machine" in words(test)


def test_use_in_a_new_experiment(open_page: Open, shapes: Path) -> None:
    test = open_page(PAGE)
    test.button(key="use-shapes").click().run()
    assert not test.exception
    data = test.session_state[drafts._BASE]["data"]
    assert (data["name"], data["path"], data["resolution"]) == ("imported", "shapes", 8)


def test_importing_with_bad_files_then_without_them(
    open_page: Open, home: Path, tmp_path: Path
) -> None:
    archive = pictures_zip(tmp_path / "my pets.zip", bad=2)
    test = open_page(PAGE)
    test.segmented_control(key="add-way").set_value("File or folder on the server").run()
    test.text_input(key="add-path").set_value(str(archive)).run()
    assert test.text_input(key="add-name").placeholder == "my-pets"
    test.button(key="add-go").click().run()
    test = finished(test, lab_data.IMPORT + "my-pets")
    assert "2 files cannot be used; nothing was imported" in test.error[0].value
    said = words(test)
    assert "`dog/bad0.png`: this picture cannot be read" in said
    assert imported_names(home) == []
    test.button(key=f"without-{lab_data.IMPORT}my-pets").click().run()
    test = finished(test, lab_data.IMPORT + "my-pets")
    assert "2 files were left out" in test.success[0].value
    assert imported_names(home) == ["my-pets"]
    test.button(key=f"drop-{lab_data.IMPORT}my-pets").click().run()
    assert imported_names(home) == []
    assert client.tasks().all(lab_data.IMPORT) == []


def test_bad_paths_and_names_are_told_before_anything_runs(
    open_page: Open, shapes: Path, tmp_path: Path
) -> None:
    test = open_page(PAGE)
    test.segmented_control(key="add-way").set_value("File or folder on the server").run()
    test.text_input(key="add-path").set_value(str(tmp_path / "none.zip")).run()
    assert "There is no folder, ZIP archive or npz file" in test.error[0].value
    assert test.button(key="add-go").disabled
    test.text_input(key="add-path").set_value(str(tmp_path)).run()
    test.text_input(key="add-name").set_value("shapes").run()
    assert test.error[0].value == "There is a data set `shapes` already; give it another name."
    assert test.button(key="add-go").disabled
    assert client.tasks().all(lab_data.IMPORT) == []


def test_an_upload_is_kept_only_until_its_outcome_was_seen(
    open_page: Open, home: Path, tmp_path: Path
) -> None:
    open_page(PAGE)
    archive = pictures_zip(tmp_path / "x.zip", bad=0)
    with archive.open("rb") as file:
        path = lab_data.keep_upload(file, "../my pets?.zip")
    assert path.name == "my_pets_.zip"
    assert path.is_relative_to(home / "uploads")
    arguments = ["data", "import", "zip", str(path), "--name", "pets", "--json"]
    lab_data.start_import("pets", lab_data.Source(arguments, "Importing pets", path))
    test = finished(open_page(PAGE), lab_data.IMPORT + "pets")
    assert "pets is ready" in test.success[0].value
    test.button(key=f"keep-{lab_data.IMPORT}pets").click().run()
    assert imported_names(home) == ["pets"]
    assert not path.parent.exists()


def test_deleting_asks_once(open_page: Open, shapes: Path) -> None:
    test = open_page(PAGE, data="shapes")
    test.button(key="delete-data").click().run()
    assert imported_names(shapes) == []
    assert "No data set of your own yet" in words(test)


def test_a_damaged_data_set_is_a_card_with_a_sentence(open_page: Open, shapes: Path) -> None:
    (shapes / "imported" / "shapes" / "dataset.json").write_text("{}")
    test = open_page(PAGE)
    assert not test.exception
    assert "is damaged" in test.error[0].value


def test_without_rights_nothing_can_be_changed(
    open_page: Open, shapes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASW_READ_ONLY", "1")
    changing = ("add", "fetch", "take", "delete")
    for query in ({}, {"data": "shapes"}):
        test = open_page(PAGE, **query)
        assert not test.exception
        keys = [str(button.key) for button in test.button]
        assert [key for key in keys if key.startswith(changing)] == []
    assert "Shapes" in words(open_page(PAGE))


# -- parts ----------------------------------------------------------------------------------------
@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(3, 30), min_size=2, max_size=6),
    tested=st.booleans(),
    seed=st.integers(0, 5),
    share=st.floats(0.2, 0.8),
)
def test_counts_of_a_split_do_not_depend_on_the_order_of_images(
    counts: list[int], tested: bool, seed: int, share: float
) -> None:
    spec = DataSpec(split_seed=seed, held_out_fraction=share)
    labels = np.repeat(np.arange(len(counts)), counts)
    mixed = np.random.default_rng(seed).permutation(labels)
    classes = tuple(map(str, range(len(counts))))
    preview = Preview(
        name="x", stamp="", source="", classes=classes, height=1, width=1, channels=1,
        counts=Counts(train=tuple(counts), test=tuple(counts) if tested else None),
        mean=(0,), std=(1,), fingerprint="",
    )  # fmt: skip
    expected: object = None
    found: object = None
    try:
        expected = make_split(mixed, mixed[::-1] if tested else None, classes, spec).per_class
    except Exception as error:
        expected = str(error)
    try:
        found = lab_data.split(preview, spec).per_class
    except Exception as error:
        found = str(error)
    assert found == expected


def test_montage_puts_every_image_where_it_belongs() -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 30, 30, 1), dtype=np.uint8)
    picture = np.asarray(Image.open(io.BytesIO(dataset_pictures.montage(images, 2, gap=3))))
    factor = 3
    assert picture.shape == ((3 * 33 - 3) * factor, (2 * 33 - 3) * factor, 4)
    plain = picture[::factor, ::factor]
    assert (picture[1::factor, 2::factor] == plain).all()
    for place, image in enumerate(images):
        top, left = place // 2 * 33, place % 2 * 33
        cut = plain[top : top + 30, left : left + 30]
        assert (cut[..., :3] == image).all()
        assert (cut[..., 3] == 255).all()
    assert plain[..., 3].sum() == 5 * 30 * 30 * 255


@pytest.mark.parametrize(
    ("classes", "each", "columns"), [(2, 12, 10), (4, 10, 10), (5, 3, 5), (10, 9, 10)]
)
def test_a_montage_has_every_class(classes: int, each: int, columns: int) -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(classes), each))
    rows, wide = dataset_pictures.sampler(labels, classes)
    assert wide == columns
    grid = labels[rows].reshape(-1, wide)
    expected = np.arange(classes)[:, None] if classes <= 4 else np.arange(classes)[None]
    assert (grid == expected).all()
    assert len(set(rows)) == len(rows)


def test_a_montage_of_many_or_rare_classes() -> None:
    labels = np.repeat(np.arange(100), 3)
    rows, wide = dataset_pictures.sampler(labels, 100)
    assert (wide, len(rows)) == (10, 30)
    assert labels[rows][:10].tolist() == [0, 11, 22, 33, 44, 55, 66, 77, 88, 99]
    rows, wide = dataset_pictures.sampler(np.array([0, 1, 1]), 2)
    assert (rows, wide) == ([0, 1, 2], 3)


def test_balance() -> None:
    counts = {"train": [4, 2], "test": [1, 0]}
    figure = dataset_balance.figure("x", ["a", "b"], counts)
    assert [(bar["name"], bar["type"], bar["y"]) for bar in figure["data"]] == [
        ("Training", "bar", [4, 2]),
        ("Test", "bar", [1, 0]),
    ]
    many = dataset_balance.figure("x", list(map(str, range(100))), {"train": [5] * 100})
    assert many["data"][0]["mode"] == "markers"
    assert len(many["layout"]["xaxis"]["tickvals"]) == 25
    json.dumps([figure, many])
    assert dataset_balance.sentence([5, 5]) == "Every class has 5 training images"
    assert "nearly even, with 8 to 10" in dataset_balance.sentence([8, 10])
    assert "differ in size, with 5 to 10" in dataset_balance.sentence([10, 5])
    assert "uneven, with 1 to 10" in dataset_balance.sentence([10, 1])
    drawn = dataset_balance.bars([2, 1], 'a "b"')
    assert drawn.count("<rect") == 2
    assert 'height="0.500"' in drawn
    assert "a &quot;b&quot;" in drawn


def test_names_made_of_files_and_ids() -> None:
    names = {"my pets.ZIP": "my-pets", "a/b/": "b", "uoft-cs/cifar10": "cifar10", "??.npz": ""}
    assert {text: lab_data.name_from(text) for text in names} == names
