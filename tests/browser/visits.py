"""Visits to the built book: which pages it has, and a page opened under watch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from sphinx_external_toc.parsing import parse_toc_yaml

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
PAGES = [f"{name}.html" for name in parse_toc_yaml(ROOT / "_toc.yml")]
CHAPTERS = [page for page in PAGES if (ROOT / page).with_suffix(".ipynb").exists()]
GENERATED = sorted({path.name for path in HTML.glob("*.html")} - {"index.html"})
THEMES = ("light", "dark")
DESK, PHONE = 1280, 390
PATIENCE = 180_000  # milliseconds; a page has 50,000 nodes, a test machine may be busy

REDRAWN = """([draws, rounds]) => {
  const all = [...live.figures.values()], times = [];
  for (let k = 0; k < rounds; k++) {
    const began = performance.now();
    for (let i = 0; i < draws; i++)
      for (const figure of all) { (CHANGE)(figure.state, k + i); figure.draw(); }
    document.body.getBoundingClientRect();
    times.push(performance.now() - began);
  }
  return [Math.min(...times), document.querySelectorAll("*").length];
}"""

expect.set_options(timeout=PATIENCE)


def often(values: Iterable[Any], usual: Iterable[Any]) -> list[Any]:
    """Parameters of a test: the usual ones in each run, the others every week."""
    every_run = set(usual)
    return [
        pytest.param(value, marks=() if value in every_run else pytest.mark.weekly)
        for value in values
    ]


def views(places: list[str]) -> list[Any]:
    """Each page light on a phone and dark on a desk; the other two ways every week."""
    usual = {("light", PHONE), ("dark", DESK)}
    ways = list(product(places, THEMES, (DESK, PHONE)))
    return often(ways, [way for way in ways if way[1:] in usual])


@dataclass
class Visit:
    """An open page and all that went wrong on it since."""

    page: Page
    place: str
    theme: str
    troubles: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Notes requests, errors and warnings from now on."""
        self.page.on("console", self.hear)
        self.page.on("pageerror", lambda error: self.troubles.append(f"page error: {error}"))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on(
            "requestfailed",
            lambda failed: self.troubles.append(f"failed: {failed.url[:200]} ({failed.failure})"),
        )

    def hear(self, message: ConsoleMessage) -> None:
        """Keeps errors and warnings; what scripts merely log is no trouble."""
        if message.type in ("error", "warning", "assert"):
            self.troubles.append(f"console {message.type}: {message.text[:300]}")

    def close(self) -> None:
        """Ends the visit."""
        self.page.context.close()


Open = Callable[..., Visit]


def visit(
    browser: Browser,
    address: str,
    theme: str = "light",
    width: int = DESK,
    *,
    first: bool = False,
    **options: Any,
) -> Visit:
    """Opens a page as a returning reader who chose that theme, or on a first visit."""
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if theme == "dark" else "light",
        **{"offline": address.startswith("file:"), **options},
    )
    context.set_default_timeout(PATIENCE)
    if not first:
        context.add_init_script(
            f"if (!localStorage.mode) localStorage.mode = localStorage.theme = '{theme}';"
        )
    seen = Visit(context.new_page(), address.removeprefix(f"{HTML.as_uri()}/"), theme)
    seen.watch()
    seen.page.goto(address)
    seen.page.evaluate("() => document.fonts.ready.then(() => true)")
    return seen


def address(place: str) -> str:
    """The address of a built page on the disk."""
    return (HTML / place).as_uri()


def redrawn(page: Page, change: str, draws: int = 1) -> tuple[float, int]:
    """The least milliseconds in which all live figures are changed and redrawn so many times.

    And by how many elements twenty such rounds let the page grow, once five have been.
    """
    script = REDRAWN.replace("CHANGE", change)
    _, before = page.evaluate(script, [draws, 5])
    best, after = page.evaluate(script, [draws, 20])
    return best, after - before
