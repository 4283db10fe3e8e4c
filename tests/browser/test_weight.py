"""What a page weighs, served as static hosts do it, gzip-compressed; and that it holds still."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
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


@pytest.fixture(scope="module", params=list(product(PAGES, (DESK, PHONE))), ids=str)
def served(browser: Browser, site: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A page as a reader with nothing in the cache gets it from a host, scrolled through."""
    place, width = request.param
    opened = visit(browser, site + place, width=width)
    opened.fonts_ready = opened.page.evaluate(WATCH_SHIFTS)
    opened.shifts = opened.page.evaluate(SCROLL_THROUGH)
    yield opened
    opened.close()


def parcels(visit: Visit) -> dict[str, tuple[int, int]]:
    """For each file that was asked for its bytes as transferred, and how many are pictures."""
    return {
        address: weight(HTML / unquote(urlsplit(address).path).lstrip("/"))
        for address in visit.requests
        if not address.startswith("data:")
    }


def weight(path: Path) -> tuple[int, int]:
    """The bytes of a file as transferred, and how many of them are pictures."""
    body = path.read_bytes()
    size = len(gzip.compress(body, 6)) if path.suffix in COMPRESSED else len(body)
    if path.suffix in PICTURES:
        return size, size
    if path.suffix == ".html":
        return size, size - len(gzip.compress(INLINE_PICTURE.sub(b"", body), 6))
    return size, 0


def test_all_but_the_pictures_is_light(served: Visit) -> None:
    sent = parcels(served)
    assert sum(size - pictures for size, pictures in sent.values()) < BUT_PICTURES, sent


def test_page_is_light_in_all(served: Visit) -> None:
    sent = parcels(served)
    assert sum(size for size, _ in sent.values()) < IN_ALL, sent


def test_page_needs_few_requests(served: Visit) -> None:
    assert len(parcels(served)) <= REQUESTS


def test_no_script_is_heavy(served: Visit) -> None:
    files = [HTML / unquote(urlsplit(url).path).lstrip("/") for url in parcels(served)]
    sizes = {path.name: path.stat().st_size for path in files if path.suffix == ".js"}
    inline = served.page.evaluate(
        """() => [...document.scripts].filter(script => !script.src && !script.type)
          .map(script => new TextEncoder().encode(script.textContent).length)"""
    )
    assert sizes
    assert max(*sizes.values(), *inline) <= ONE_SCRIPT, sizes


def test_page_carries_no_data_that_nothing_reads(served: Visit) -> None:
    """The state of live widgets is for a library that the book does not load."""
    assert not served.page.locator("script[type*=widget]").count()


def test_layout_holds_still(served: Visit) -> None:
    """From the start, but for what the fonts move; wholly while the pictures come into sight."""
    assert sum(value for value, _, _ in served.shifts) < SHIFT_IN_ALL, served.shifts
    later = [shift for shift in served.shifts if shift[1] > served.fonts_ready]
    assert sum(value for value, _, _ in later) < SHIFT, later


def test_pictures_far_below_wait(served: Visit) -> None:
    """Those beyond the first two windows load when they come near, or are part of the page."""
    eager = served.page.evaluate(
        """() => [...document.images]
          .filter(image => image.loading !== "lazy" && !image.src.startsWith("data:"))
          .filter(image => image.getBoundingClientRect().top + scrollY > 2 * innerHeight)
          .map(image => image.alt)"""
    )
    assert not eager
