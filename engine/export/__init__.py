"""Taking results away: source, weights, drawings, tables, bundles.

What is imported here needs no torch, so pages may import it. The parts that need torch are
`weights` (networks from and to safetensors), `onnx_file` and `command` (the terminal's `export`).
"""

from __future__ import annotations

from engine.export.bundle import bundle_bytes, write_bundle
from engine.export.dot import dot_source
from engine.export.folder import (
    FoundArchitecture,
    drawing,
    open_architecture,
    write_architecture_folder,
)
from engine.export.graph_svg import svg
from engine.export.markup import latex_table, markdown_table
from engine.export.python_source import python_source
from engine.export.record import (
    ArchitectureRecord,
    DataRecord,
    describe,
    load_architecture_json,
    write_architecture_json,
)
from engine.export.tables import write_landmarks, write_ranking

__all__ = [
    "ArchitectureRecord",
    "DataRecord",
    "FoundArchitecture",
    "bundle_bytes",
    "describe",
    "dot_source",
    "drawing",
    "latex_table",
    "load_architecture_json",
    "markdown_table",
    "open_architecture",
    "python_source",
    "svg",
    "write_architecture_folder",
    "write_architecture_json",
    "write_bundle",
    "write_landmarks",
    "write_ranking",
]
