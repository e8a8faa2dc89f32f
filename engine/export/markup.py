"""Tables as Markdown and LaTeX, for papers and notes. No torch here."""

from __future__ import annotations

from collections.abc import Sequence

from engine.spec.errors import ExportError

Cell = str | int | float | bool | None

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    '"': r"\textquotedbl{}",
}


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[Cell]], digits: int = 3) -> str:
    """Return a table in GitHub's Markdown; columns of numbers are aligned to the right.

    Args:
        header: titles.
        rows: one cell per column; None is written as an en dash.
        digits: decimals of fractions; whole numbers stay whole.

    Raises:
        ExportError: a row of another length.
    """
    _check(header, rows)
    rule = ["---:" if _numeric(rows, column) else "---" for column in range(len(header))]
    lines = [[_markdown(title) for title in header], rule]
    lines += [[_markdown(_text(cell, digits)) for cell in row] for row in rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def latex_table(
    header: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    digits: int = 3,
    caption: str | None = None,
    label: str | None = None,
) -> str:
    r"""Return a `tabular` with the rules of `booktabs`, in a `table` where there is a caption.

    Texts are escaped; see `markdown_table` for arguments and errors. Put
    `\usepackage{booktabs}` and `\usepackage[T1]{fontenc}` into the preamble.
    """
    _check(header, rows)
    if label is not None and caption is None:
        raise ExportError("A label belongs to a caption; give a caption, too.")
    columns = "".join("r" if _numeric(rows, column) else "l" for column in range(len(header)))
    body = "".join(_latex_line([_text(cell, digits) for cell in row]) for row in rows)
    table = (
        f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{_latex_line(header)}\\midrule\n{body}"
        "\\bottomrule\n\\end{tabular}\n"
    )
    if caption is None:
        return table
    marked = "" if label is None else f"\\label{{{label}}}\n"
    return (
        f"\\begin{{table}}\n\\centering\n\\caption{{{_latex(caption)}}}\n{marked}{table}"
        "\\end{table}\n"
    )


def _check(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise ExportError(
                f"Row {number} of the table has {len(row)} cells, its header {len(header)}."
            )


def _numeric(rows: Sequence[Sequence[Cell]], column: int) -> bool:
    cells = [row[column] for row in rows if row[column] is not None]
    return bool(cells) and all(
        isinstance(cell, int | float) and not isinstance(cell, bool) for cell in cells
    )


def _text(cell: Cell, digits: int) -> str:
    match cell:
        case None:
            return "–"
        case bool():
            return "yes" if cell else "no"
        case float():
            return f"{cell:.{digits}f}"
        case _:
            return str(cell)


def _markdown(text: str) -> str:
    """Keep a text in its cell: no line ends, no bars, no markup."""
    plain = " ".join(text.split())
    for letter in "\\`*_[]<>|~":
        plain = plain.replace(letter, f"\\{letter}")
    return plain


def _latex(text: str) -> str:
    plain = " ".join(text.split())
    return "".join(_LATEX.get(letter, "--" if letter == "–" else letter) for letter in plain)


def _latex_line(cells: Sequence[str]) -> str:
    return " & ".join(_latex(cell) for cell in cells) + r" \\" + "\n"
