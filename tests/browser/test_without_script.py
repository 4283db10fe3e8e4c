"""With JavaScript off a page still has its text, its formulas and its figures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from visits import PAGES, Visit, address, visit

# Boxes that have no extent or lie outside the page are as good as missing.
UNSEEN = """selector => [...document.querySelectorAll(selector)]
  .filter(e => !e.closest("details:not([open]), .onlyprint, .preview"))
  .filter(e => e.textContent.trim() || e.matches("img"))
  .filter(e => {
    const box = e.getBoundingClientRect();
    return !e.checkVisibility({opacityProperty: true, visibilityProperty: true})
      || box.width < 2 || box.height < 2 || box.right < 0;
  })
  .map(e => e.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="module", params=PAGES)
def plain(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A page in a browser that runs no scripts."""
    opened = visit(browser, address(request.param), java_script_enabled=False)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "what",
    [
        ":is(h1, h2, h3, h4, p, li, dt, dd, td, th, pre, blockquote)",
        ".katex-html",
        ".solution section > *",
        "img",
    ],
    ids=["text", "formulas", "solutions", "figures"],
)
def test_all_is_visible(plain: Visit, what: str) -> None:
    assert plain.page.evaluate("() => document.documentElement.dataset.theme") is None
    assert not plain.page.evaluate(UNSEEN, f"article {what}")


def test_folded_code_can_be_opened(plain: Visit) -> None:
    folds = plain.page.locator("details.code")
    if folds.count():
        folds.first.locator("summary").click()
        assert folds.first.locator("pre").first.is_visible()
