"""Adding a data set: upload, file or folder on the server, or Hugging Face."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app import lab_datasets as lab
from app.guard import attempt
from engine.datasets.imported import require_free
from engine.datasets.registry import DATASETS
from engine.spec.errors import DataError

UPLOAD, SERVER, HUB = "Upload", "File or folder on the server", "Hugging Face"
LAYOUT = (
    "Pictures: one folder per class (`cat/1.jpg`, `dog/2.png`), with or without `train/` and "
    "`test/` above. Arrays (npz): `x_train` and `y_train`, with or without `x_test` and `y_test`."
)
# Field of Hugging Face, option, what it is.
_HUB_FIELDS = (
    ("Configuration", "--config", "Also called subset"),
    ("Training split", "--train-split", "Empty: `train`"),
    ("Test split", "--test-split", "Empty: `test` or `validation`; `none` for none"),
    ("Image column", "--image-column", "Empty: the one of type Image"),
    ("Label column", "--label-column", "Empty: the one of type ClassLabel"),
)


@dataclass(frozen=True)
class _Wanted:
    """What the form holds: where from, how to call it, further options."""

    kind: str
    source: str
    suggested: str
    upload: st.runtime.uploaded_file_manager.UploadedFile | None = None
    options: tuple[str, ...] = ()


def draw(expanded: bool) -> None:
    """Draw the form."""
    with st.expander("Add a data set", icon=":material/add_photo_alternate:", expanded=expanded):
        way = st.segmented_control(
            "From", [UPLOAD, SERVER, HUB], default=UPLOAD, required=True, key="add-way"
        )
        wanted = {UPLOAD: _upload, SERVER: _server, HUB: _hub}[way]()
        _common(wanted)


def _upload() -> _Wanted | None:
    st.caption(LAYOUT)
    number = st.session_state.get("data-uploads", 0)
    file = st.file_uploader(
        f"ZIP archive or npz file, up to {lab.UPLOAD_MB // 1024} GB",
        ["zip", "npz"],
        key=f"data-upload-{number}",
        max_upload_size=lab.UPLOAD_MB,
    )
    if file is None:
        return None
    suffix = Path(file.name).suffix.lower()
    return _Wanted(suffix.removeprefix("."), file.name, lab.name_from(file.name), file)


def _server() -> _Wanted | None:
    st.caption(LAYOUT)
    path = st.text_input(
        "Path on the server",
        key="add-path",
        placeholder="/data/photos, /data/photos.zip or /data/photos.npz",
        help="For what is too large to upload; nothing there is changed",
    ).strip()
    if not path:
        return None
    place = Path(path).expanduser()
    if place.is_dir():
        return _Wanted("folder", path, lab.name_from(place.name))
    kind = place.suffix.lower().removeprefix(".")
    if not place.is_file() or kind not in ("zip", "npz"):
        st.error(f"There is no folder, ZIP archive or npz file `{path}` on the server.")
        return None
    return _Wanted(kind, path, lab.name_from(place.name))


def _hub() -> _Wanted | None:
    st.caption(
        "The server fetches the data set's public parquet form over HTTPS. None of its code is "
        "run. The server has to be online."
    )
    dataset = st.text_input("Id", key="add-hub", placeholder="ylecun/mnist").strip()
    options: list[str] = []
    with st.expander("Configuration, splits and columns"):
        columns = st.columns(len(_HUB_FIELDS))
        for column, (label, option, hint) in zip(columns, _HUB_FIELDS, strict=True):
            with column:
                value = st.text_input(label, key=f"add{option}", help=hint, placeholder="found")
            if value.strip():
                options += [option, value.strip()]
    if not dataset:
        return None
    return _Wanted("huggingface", dataset, lab.name_from(dataset), options=tuple(options))


def _common(wanted: _Wanted | None) -> None:
    left, middle = st.columns(2)
    suggested = wanted.suggested if wanted else ""
    with left:
        given = st.text_input(
            "Name", key="add-name", placeholder=suggested or "photos",
            help="How experiments name it: letters, digits, `-` and `_`",
        ).strip()  # fmt: skip
    with middle:
        resolution = st.number_input(
            "Resolution (pixels)", 4, 512, None, 1, key="add-resolution",
            placeholder="as they are",
            help="Images are cut to the middle square and brought to this height and width. "
            "Needed where pictures have different sizes",
        )  # fmt: skip
    skip = st.checkbox(
        "Leave out files that cannot be used", key="add-skip",
        help="Otherwise the import is refused and names every such file",
    )  # fmt: skip
    name = given or suggested
    fault = _fault(name) if wanted else ""
    if fault:
        st.error(fault)
    if st.button(
        "Check and import",
        type="primary",
        icon=":material/check:",
        key="add-go",
        disabled=wanted is None or bool(fault),
    ):
        assert wanted is not None, "the button is off without a source"
        if attempt(lambda: _start(wanted, name, resolution, skip), "Checking the images"):
            st.session_state["data-uploads"] = st.session_state.get("data-uploads", 0) + 1
            st.rerun()


def _fault(name: str) -> str:
    try:
        require_free(lab.folder(), name, tuple(DATASETS.names()))
    except DataError as error:
        return str(error).removeprefix("--name: ").capitalize()
    return ""


def _start(wanted: _Wanted, name: str, resolution: int | None, skip: bool) -> None:
    source, upload = wanted.source, None
    if wanted.upload is not None:
        upload = lab.keep_upload(wanted.upload, wanted.source)
        source = str(upload)
    arguments = ["data", "import", wanted.kind, source, "--name", name, "--json"]
    if resolution is not None:
        arguments += ["--resolution", str(resolution)]
    arguments += [*wanted.options, *(["--skip-unreadable"] if skip else [])]
    lab.start_import(name, lab.Source(arguments, f"Importing {name}", upload))
