"""What a page weighs, served as static hosts do it, gzip-compressed; and that it holds still."""

from __future__ import annotations

import functools
import gzip
import re
from collections.abc import Iterator
from itertools import product
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser
from visits import DESK, HTML, PAGES, PHONE, Visit, visit

BUT_PICTURES = 500_000  # bytes as transferred
IN_ALL = 1_500_000
REQUESTS = 40
ONE_SCRIPT = 150_000  # bytes as executed
SHIFT = 0.01  # of the window, once the fonts are there
SHIFT_IN_ALL = 0.05  # half of what counts as good, https://web.dev/articles/cls

COMPRESSED = {".html", ".css", ".js", ".svg", ".json"}
PICTURES = {".png", ".webp", ".jpg", ".gif", ".svg"}
INLINE_PICTURE = re.compile(rb"data:image/[a-z+]+;base64,[A-Za-z0-9+/=]*")

WATCH_SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver(list => shifts.push(...list.getEntries()))
    .observe({type: "layout-shift", buffered: true});
  return performance.now();
}"""
SCROLL_THROUGH = """async () => {
  const drawn = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  await drawn();
  for (let y = 0; y < document.documentElement.scrollHeight; y += 4 * innerHeight) {
    scrollTo({top: y, behavior: "instant"});
    await drawn();
  }
  return shifts.map(shift => [shift.value, shift.startTime,
    shift.sources.map(({node}) => (node?.outerHTML ?? node?.data ?? "").slice(0, 120))]);
}"""
EAGER_FAR_BELOW = """() => [...document.images]
  .filter(image => image.loading !== "lazy" && !image.src.startsWith("data:"))
  .filter(image => image.getBoundingClientRect().top + scrollY > 2 * innerHeight)
  .map(image => image.alt)"""
INLINE_SCRIPTS = """() => [...document.scripts].filter(script => !script.src && !script.type)
  .map(script => new TextEncoder().encode(script.textContent).length)"""


Served = tuple[Visit, float, list[tuple[float, float, list[str]]]]


@pytest.fixture(scope="module", params=list(product(PAGES, (DESK, PHONE))), ids=str)
def served(browser: Browser, site: str, request: pytest.FixtureRequest) -> Iterator[Served]:
    """A page as a reader with an empty cache gets it and scrolls through it, and what shifted."""
    place, width = request.param
    opened = visit(browser, site + place, width=width)
    yield opened, opened.page.evaluate(WATCH_SHIFTS), opened.page.evaluate(SCROLL_THROUGH)
    opened.close()


@functools.cache
def weight(name: str) -> tuple[int, int]:
    """The bytes of a file as transferred, and how many of them are pictures."""
    path = HTML / name
    body = path.read_bytes()
    size = len(gzip.compress(body, 6)) if path.suffix in COMPRESSED else len(body)
    if path.suffix in PICTURES:
        return size, size
    if path.suffix == ".html":
        return size, size - len(gzip.compress(INLINE_PICTURE.sub(b"", body), 6))
    return size, 0


def test_page_is_light(served: Served) -> None:
    sent = [url for url in served[0].requests if not url.startswith("data:")]
    files = [unquote(urlsplit(url).path).lstrip("/") for url in sent]
    weights = {name: weight(name) for name in files}
    assert sum(size for size, _ in weights.values()) < IN_ALL, weights
    assert sum(size - pictures for size, pictures in weights.values()) < BUT_PICTURES, weights
    assert len([name for name in files if not weight(name)[1]]) <= REQUESTS  # pictures come late
    scripts = {name: (HTML / name).stat().st_size for name in files if name.endswith(".js")}
    assert scripts
    assert max(*scripts.values(), *served[0].page.evaluate(INLINE_SCRIPTS)) <= ONE_SCRIPT, scripts


def test_layout_holds_still(served: Served) -> None:
    """From the start, but for what the fonts move; wholly while the pictures come into sight."""
    _, fonts_ready, shifts = served
    assert sum(value for value, _, _ in shifts) < SHIFT_IN_ALL, shifts
    later = [shift for shift in shifts if shift[1] > fonts_ready]
    assert sum(value for value, _, _ in later) < SHIFT, later


def test_pictures_far_below_wait(served: Served) -> None:
    """Those beyond the first two windows load when they come near, or are part of the page."""
    assert not served[0].page.evaluate(EAGER_FAR_BELOW)
