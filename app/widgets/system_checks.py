"""Self-check of the kernels and the doctor: started by a button, shown as a table."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import streamlit as st

from app import client, health
from app.background import Task
from app.guard import attempt
from app.rights import may_edit
from app.widgets.task_box import task_boxes

_MARKS = {
    "ok": ("In order", "nw-ok"),
    "warn": ("Worth a look", "nw-warn"),
    "fail": ("Does not work", "nw-fail"),
}


def kernels() -> None:
    """Draw the kernels of the page's machine and the self-check."""
    st.caption(
        "Values and gradients are compared with 64-bit arithmetic written out independently, on "
        "the page's machine. A run notes in its log which implementation it uses."
    )
    task = _task(health.KERNELS, "Self-check", ":material/rule:", health.check_kernels)
    if task is None:
        return
    operations = task.output.get("operations") or []
    st.html(kernel_table(task.output, operations))


def doctor() -> None:
    """Draw the doctor and its findings."""
    st.caption("Looks at Python, packages, GPU, folders, disk, memory and data sets.")
    task = _task(health.DOCTOR, "Examine this machine", ":material/stethoscope:", health.examine)
    if task is None:
        return
    findings = task.output.get("findings") or []
    st.html(finding_table(findings))
    with st.expander("As text, to copy", icon=":material/content_copy:"):
        st.code(as_text(findings), language=None, wrap_lines=True)


def _task(key: str, label: str, icon: str, start: Callable[[], None]) -> Task | None:
    """Draw button and progress; return the task once it is done."""
    task = client.tasks().get(key)
    if task is not None and task.state == "running":
        task_boxes(key)
        return None
    if may_edit():
        again = f"{label} again" if task is not None else label
        st.button(again, key=f"start-{key}", icon=icon, on_click=_start, args=(start,))
    if task is not None and task.state != "done":
        task_boxes(key)
        return None
    return task


def _start(start: Callable[[], None]) -> None:
    attempt(start, "Begun")


def finding_table(findings: list[dict[str, Any]], look: str = "") -> str:
    """Return findings as HTML, what is wrong first; `look` is a further class."""
    order = {"fail": 0, "warn": 1, "ok": 2}
    known = [one for one in findings if one.get("verdict") in order]
    rows = "".join(_finding(one) for one in sorted(known, key=lambda f: order[f["verdict"]]))
    return f'<ul class="nw-findings {look}">{rows}</ul>'


def _finding(one: dict[str, Any]) -> str:
    word, look = _MARKS[one["verdict"]]
    remedy = f'<p class="nw-quiet">{_code(str(one.get("remedy") or ""))}</p>'
    return (
        f'<li class="{look}"><b>{escape(str(one["name"]))}</b>'
        f'<span class="nw-verdict nw-small">{word}</span>'
        f"<div><p>{escape(str(one['found']))}</p>{remedy if one.get('remedy') else ''}</div></li>"
    )


def _code(text: str) -> str:
    """Escape a sentence and set what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(
        f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts)
    )


def as_text(findings: list[dict[str, Any]]) -> str:
    """Write the findings as plain lines, for a letter to whoever helps."""
    lines = []
    for one in findings:
        remedy = f" {one['remedy']}" if one.get("remedy") else ""
        lines.append(f"{one['verdict']:5}{one['name']}: {one['found']}.{remedy}")
    return "\n".join(lines)


def kernel_table(told: dict[str, Any], operations: list[dict[str, Any]]) -> str:
    """Return what the self-check found as HTML."""
    findings = []
    for row in operations:
        sound = row.get("sound")
        worst = row.get("worst")
        error = (
            ""
            if worst is None
            else f"; largest error of {row['cases']} cases {worst:.1e}".replace(
                "e-", "e\N{NON-BREAKING HYPHEN}"
            )
        )
        findings.append(
            {
                "name": row["operation"],
                "verdict": "fail" if sound is False else "ok",
                "found": f"runs as {row['implementation']}: {row['reason']}{error}",
                "remedy": "Set `NAS_KERNELS=reference` and report it." if sound is False else "",
            }
        )
    where = f"{told.get('device', '')}, torch {told.get('torch', '')}, CUDA {told.get('cuda')}"
    where = where.replace("CUDA None", "without CUDA")
    return (
        finding_table(findings, "nw-narrow") + f'<p class="nw-quiet nw-small">{escape(where)}</p>'
    )
