"""What axe-core finds wrong with a page, by the rules of WCAG 2 at levels A and AA."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

OPTIONS = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
MARKED = 1200  # milliseconds until `static/reach.js` has seen what was drawn last
SERIOUS = ("serious", "critical")


def violations(page: Page) -> list[str]:
    """Return the serious and critical violations: rule, what it is, and up to three places."""
    page.wait_for_timeout(MARKED)
    found = Axe().run(page, options=OPTIONS).response["violations"]
    return [_line(rule) for rule in found if rule["impact"] in SERIOUS]


def _line(rule: dict) -> str:  # type: ignore[type-arg]
    places = "; ".join(
        f"{node['html'][:160]} ({(node.get('any') or node.get('all') or [{}])[0].get('message')})"
        for node in rule["nodes"][:3]
    )
    return f"{rule['id']}: {rule['help']} [{len(rule['nodes'])}] {places}"
