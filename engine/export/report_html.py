"""A run as one HTML file that needs nothing else: no network, no script, no other file.

Whatever a person has typed is escaped. It reads offline, in light and dark, and on paper.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path

from engine.export.files import write_file
from engine.export.report_sections import SECTIONS
from engine.export.report_story import Story, read_story
from engine.export.report_words import moment, names, what_was_run
from engine.runs import RunFolder

STYLE = Path(__file__).with_name("report.css")
# Nothing may be fetched, should something have slipped through.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def report_html(folder: RunFolder) -> str:
    """Return the report of a run, finished or not.

    Raises:
        RunError: this is no run folder, or its record is damaged.
    """
    story = read_story(folder)
    body = "".join([_head(story), *(_section(story, name, draw) for name, draw in SECTIONS)])
    style = STYLE.read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(story.spec.name)} · NAS Workbench</title><style>{style}</style></head>\n"
        f"<body>{body}</body></html>\n"
    )


def write_report(run_dir: Path, out: Path | None = None) -> Path:
    """Write the report of a run and return its path.

    Args:
        run_dir: the run folder.
        out: file to write, or an existing folder; None: `<run id>.html` in the current folder.

    Raises:
        RunError: this is no run folder, or its record is damaged.
        ExportError: the file cannot be written.
    """
    folder = RunFolder(run_dir)
    text = report_html(folder)
    name = f"{run_dir.resolve().name}.html"
    path = Path(name) if out is None else out / name if out.is_dir() else out
    return write_file(path, text)


def _section(story: Story, name: str, draw: Callable[[Story], str]) -> str:
    content = draw(story)
    return f"<section><h2>{escape(name)}</h2>{content}</section>\n" if content else ""


def _head(story: Story) -> str:
    spec = story.spec
    facts = " · ".join(
        [
            *names(story),
            f"seed {spec.seed}",
            f"on {story.started.get('device') or spec.device}",
            f"queued {moment(story.created)}",
            *(f"#{tag}" for tag in spec.tags),
        ]
    )
    notes = f"<p>{escape(spec.notes)}</p>" if spec.notes else ""
    return (
        f'<header><h1>{escape(spec.name)}</h1><p><span class="state">'
        f"{escape(story.state.capitalize())}</span></p>"
        f'<p class="quiet">{escape(facts)}<br>Run {escape(story.run_id)}</p>'
        f"{_unfinished(story)}<p>{escape(what_was_run(story))}</p>{notes}</header>\n"
    )


def _unfinished(story: Story) -> str:
    if story.state == "finished":
        return ""
    reached = f"epoch {story.epochs[-1]['epoch']}" if story.epochs else "before the first epoch"
    why = f" {story.message}" if story.message else ""
    return (
        f'<p class="notice"><b>This run is not finished: it is {escape(story.state)}.</b> The '
        f"report shows what was known at {reached}, last changed {moment(story.changed)}; all "
        f"figures are those of that moment.{escape(why)}</p>"
    )
