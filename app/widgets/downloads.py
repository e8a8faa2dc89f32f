"""Everything that can be taken away; files are read when a button is pressed, not before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from app import client
from app.guard import attempt
from app.rights import may_edit
from engine.runs import RunFolder

# File in `architectures/<rank>/`, button, what it is.
_FILES = (
    ("model.py", "model.py", "The exact network as Python that needs only torch", "code"),
    ("weights.safetensors", "Weights", "Trained weights, loaded by model.py", "database"),
    ("model.onnx", "ONNX", "For onnxruntime and other engines", "deployed_code"),
    ("architecture.json", "JSON", "Choices, costs and accuracies", "data_object"),
    ("graph.svg", "SVG", "The drawn cell", "image"),
)
_TYPES = {
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".csv": "text/csv",
    ".py": "text/x-python",
    ".yaml": "application/yaml",
    ".txt": "text/plain",
    ".jsonl": "application/x-ndjson",
}


def _zip(label: str, folder: Path, name: str, key: str, hint: str, **look: Any) -> None:
    """Draw the button of a folder as ZIP, which is made when it is pressed."""
    st.download_button(
        label,
        data=lambda: client.zipped(folder),
        file_name=f"{name}.zip",
        mime="application/zip",
        key=key,
        help=hint,
        on_click="ignore",
        **({"icon": ":material/folder_zip:"} | look),
    )


def bundle(run_id: str) -> None:
    """Draw the button for the whole run folder as one ZIP."""
    hint = "Specification, environment, events, ranking, result and found architectures"
    _zip("Download bundle", client.folder(run_id).path, run_id, "bundle", hint)


def architecture(run: RunFolder, rank: int) -> None:
    """Draw the buttons of one found architecture."""
    place = run.path / "architectures" / str(rank)
    with st.container(horizontal=True, gap="small", key=f"take-{rank}"):
        _zip(
            "All as ZIP",
            place,
            f"{run.run_id}-architecture-{rank}",
            f"all-{rank}",
            "Unpack it and run `python model.py`: it finds the weights beside it",
            type="primary",
        )
        for name, label, hint, icon in _FILES:
            path = place / name
            if path.is_file():
                _file(path, label, hint, icon)
            elif name == "model.onnx" and (place / "weights.safetensors").is_file():
                _make_onnx(run, rank)


def every_rank(run: RunFolder) -> None:
    """Draw the button for all found architectures of a run."""
    folder, name = run.path / "architectures", f"{run.run_id}-architectures"
    hint = "The files of every found architecture, in a folder each"
    _zip("All ranks as ZIP", folder, name, "all-ranks", hint)


def trained(folder: Path, name: str) -> None:
    """Draw the button of a training from scratch: weights, model.py and record."""
    hint = "Trained weights, model.py that loads them, and the record of the training"
    look = {"icon": ":material/download:", "type": "tertiary"}
    _zip("Download", folder, name, f"take-{name}", hint, **look)


def _make_onnx(run: RunFolder, rank: int) -> None:
    if may_edit() and st.button(
        "Make ONNX",
        icon=":material/deployed_code:",
        key=f"onnx-{rank}",
        help="Writes model.onnx and checks it against torch with onnxruntime",
    ):
        with st.spinner("Writing the ONNX file and checking it against torch (up to a minute)"):
            made = attempt(lambda: client.export_onnx(run, rank), "The ONNX file is ready")
        if made:
            st.rerun(scope="fragment")


def _file(path: Path, label: str, hint: str, icon: str) -> None:
    st.download_button(
        label,
        data=path.read_bytes,
        file_name=path.name,
        mime=_TYPES.get(path.suffix, "application/octet-stream"),
        key=f"file-{path.parent.name}-{path.name}",
        icon=f":material/{icon}:",
        help=hint,
        on_click="ignore",
    )


def plain_file(path: Path, label: str) -> None:
    """Draw the small button of one file of a run folder."""
    st.download_button(
        "Download",
        data=path.read_bytes,
        file_name=path.name,
        mime=_TYPES.get(path.suffix, "application/octet-stream"),
        key=f"take-{label}",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        help=f"Download {label}",
    )
