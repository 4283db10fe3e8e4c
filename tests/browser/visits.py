"""Visits to the built book: which pages it has, and a page opened under watch."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect
from sphinx_external_toc.parsing import parse_toc_yaml

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
PAGES = [f"{name}.html" for name in parse_toc_yaml(ROOT / "_toc.yml")]
CHAPTERS = [page for page in PAGES if (ROOT / page).with_suffix(".ipynb").exists()]
GENERATED = sorted({path.name for path in HTML.glob("*.html")} - {"index.html"})
THEMES = ("light", "dark")
DESK, PHONE = 1280, 390
PATIENCE = 180_000  # milliseconds; a page has 50,000 nodes, a test machine may be busy

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
        self.page.on("requestfailed", self.miss)

    def hear(self, message: ConsoleMessage) -> None:
        """Keeps errors and warnings; what scripts merely log is no trouble."""
        if message.type in ("error", "warning", "assert"):
            self.troubles.append(f"console {message.type}: {message.text[:300]}")

    def miss(self, request: Request) -> None:
        """Keeps a request that failed."""
        self.troubles.append(f"failed request: {request.url[:200]} ({request.failure})")

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


@dataclass(frozen=True)
class Stored:
    """An explorable as a notebook stores it."""

    name: str
    parameters: tuple[str, ...]
    starts: tuple[int, ...]
    data: dict[str, Any]
    png: str

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of values of each slider."""
        return tuple(len(slider["values"]) for slider in self.data["sliders"])

    @property
    def ends(self) -> tuple[int, ...]:
        """The last position of each slider."""
        return tuple(size - 1 for size in self.sizes)

    def frame(self, at: tuple[int, ...]) -> list[str]:
        """Picture and description at these positions of the sliders."""
        index = 0
        for size, position in zip(self.sizes, at, strict=True):
            index = index * size + position
        return self.data["frames"][index]

    def values(self, at: tuple[int, ...]) -> list[str]:
        """The values at these positions, as links and screen readers have them."""
        return [s["values"][i] for s, i in zip(self.data["sliders"], at, strict=True)]


def shown_on(place: str) -> list[str]:
    """The names of the explorables on a built page, in order; none if it is not built."""
    path = HTML / place
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return re.findall(r'<figure class="explorable" id="([^"]+)"', text)


@functools.cache
def stored_explorables() -> dict[str, Stored]:
    """Every explorable of the notebooks' outputs by name."""
    found = {}
    for notebook in sorted((ROOT / "book").glob("*.ipynb")):
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", ()):
                markup = "".join(output.get("data", {}).get("text/html", ""))
                if '<figure class="explorable"' not in markup:
                    continue
                figure = BeautifulSoup(markup, "html.parser").figure
                inputs = figure.find_all("input")
                found[str(figure["id"])] = Stored(
                    name=str(figure["id"]),
                    parameters=tuple(slider["name"] for slider in inputs),
                    starts=tuple(int(slider["value"]) for slider in inputs),
                    data=json.loads(figure.find("script").string),
                    png="".join(output["data"]["image/png"]),
                )
    return found
