"""The kinds of spaces that a definition can describe, each with an example to load."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from engine.catalog import EXAMPLES

KINDS = {
    "cell": "A cell: nodes are sums of their edges, and every edge chooses an operation. Cells "
    "are stacked as in NAS-Bench-201. `nodes`, `operations` (of edges that list none), `edges` "
    "as `source->target` with operations of their own, `output`, `stages`.",
    "chain": "A chain: blocks in a row choose an operation each. A block may have `width`, "
    "`stride: 2`, `repeat` and `operations` of its own; `stem` are the channels before it.",
    "sizes": "Sizes: layers in a row choose a width from `widths` and a kernel from `kernels`. "
    "A layer may have `stride: 2` and `block: residual`; narrow layers use the first channels "
    "of the widest.",
}
FOLDER = EXAMPLES / "spaces"
# Most useful ones first; `docs/custom_space.md` has all of them with what they can change.
OPERATIONS = (
    "`none` (cells only), `skip_connect`, `nor_conv_1x1`, `nor_conv_3x3`, `sep_conv_3x3`, "
    "`sep_conv_5x5`, `sep_conv_7x7`, `dil_conv_3x3`, `dil_conv_5x5`, `conv_7x1_1x7`, "
    "`avg_pool_3x3`, `max_pool_3x3`, `avg_pool_3x3_norm`, `max_pool_3x3_norm`, `skip_or_reduce`"
)


def example(kind: str) -> str:
    """Return the file of a kind's example, comments included.

    Raises:
        OSError: it is not there.
    """
    return (FOLDER / f"{kind}.yaml").read_text(encoding="utf-8")


def draw(key: str, load: Callable[[str], None]) -> None:
    """Draw the kinds and what loads their examples.

    Args:
        key: prefix of widget keys.
        load: is given the text of the example that was asked for.
    """
    with st.expander("The three kinds, with examples to load", icon=":material/school:"):
        for kind, words in KINDS.items():
            left, right = st.columns([2, 1], vertical_alignment="center")
            left.markdown(f"`kind: {kind}`  \n{words}")
            right.button(
                "Load example",
                key=f"{key}:example:{kind}",
                icon=":material/file_open:",
                width="stretch",
                on_click=_load,
                args=(kind, load),
            )
        st.caption(f"Operations: {OPERATIONS}. `docs/custom_space.md` says what each can change.")


def _load(kind: str, load: Callable[[str], None]) -> None:
    try:
        load(example(kind))
    except OSError:
        st.toast(f"The example of `{kind}` is not in this installation.", icon=":material/error:")
