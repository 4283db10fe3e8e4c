"""Visits to the built book: which pages it has, and a page opened under watch."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from playwright.sync_api import Browser, ConsoleMessage, Page, Request
from sphinx_external_toc.parsing import parse_toc_yaml

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
PAGES = [f"{name}.html" for name in parse_toc_yaml(ROOT / "_toc.yml")]
CHAPTERS = [page for page in PAGES if (ROOT / page).with_suffix(".ipynb").exists()]
GENERATED = sorted({path.name for path in HTML.glob("*.html")} - {"index.html"})
THEMES = ("light", "dark")
DESK, PHONE = 1280, 390
PATIENCE = 60_000  # milliseconds; a page has 40,000 nodes, a test machine may be busy


@dataclass
class Visit:
    """An open page and all that went wrong on it since."""

    page: Page
    place: str
    theme: str
    width: int
    troubles: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    shifts: list[Any] = field(default_factory=list)
    fonts_ready: float = 0.0

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
    seen = Visit(context.new_page(), address, theme, width)
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
    starts: tuple[int, ...]
    data: dict[str, Any]
    png: str

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of values of each slider."""
        return tuple(len(slider["values"]) for slider in self.data["sliders"])

    @property
    def parameters(self) -> tuple[str, ...]:
        """The name of each slider."""
        return tuple(self.data["parameters"])

    def frame(self, at: tuple[int, ...]) -> list[str]:
        """Picture and description at these positions of the sliders."""
        index = 0
        for size, position in zip(self.sizes, at, strict=True):
            index = index * size + position
        return self.data["frames"][index]

    def values(self, at: tuple[int, ...]) -> list[str]:
        """The values at these positions, as links and screen readers have them."""
        return [s["values"][i] for s, i in zip(self.data["sliders"], at, strict=True)]


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
                data = json.loads(figure.find("script").string)
                data["parameters"] = [slider["name"] for slider in inputs]
                starts = tuple(int(slider["value"]) for slider in inputs)
                name = str(figure["id"])
                found[name] = Stored(name, starts, data, "".join(output["data"]["image/png"]))
    return found
