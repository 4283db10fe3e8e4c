"""Every page, in both themes, on a desk and on a phone: silent, self-contained, well set."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from playwright.sync_api import Browser
from visits import DESK, GENERATED, HTML, PAGES, PHONE, THEMES, Visit, address, visit

VIEWS = list(product([*PAGES, *GENERATED], THEMES, (DESK, PHONE)))

UNRENDERED = r"""() => {
  const tex = /\$[^$]+\$|\\[a-zA-Z]{2,}|\\[()[\]]/;
  const skip = "pre, code, script, style, noscript, template, .katex";
  const texts = [document.title];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode())
    if (!walker.currentNode.parentElement.closest(skip)) texts.push(walker.currentNode.data);
  for (const name of ["alt", "aria-label", "aria-valuetext"])
    for (const element of document.querySelectorAll(`[${name}]`))
      texts.push(element.getAttribute(name));
  return texts.filter(text => tex.test(text)).map(text => text.trim().slice(0, 200));
}"""

BROKEN_MATH = """() => {
  const bare = [...document.querySelectorAll(".math")].filter(e => !e.querySelector(".katex"));
  const wrong = document.querySelectorAll(
    ".katex-error, merror, [mathcolor='#cc0000'], .katex [style*='#cc0000']");
  return [...bare, ...wrong].map(element => element.outerHTML.slice(0, 300));
}"""

# What scrolls in its own box may be wide, and so may the parts that a formula clips itself.
STICKING_OUT = """() => {
  const article = document.querySelector(".bd-article, .bd-search-container");
  const column = article.getBoundingClientRect();
  const boxed = element => {
    for (let e = element.parentElement; e !== article; e = e.parentElement)
      if (getComputedStyle(e).overflowX !== "visible") return true;
    return false;
  };
  return [...article.querySelectorAll("*:not(.katex *):not(svg *)")]
    .filter(e => e.checkVisibility() && !e.matches(".headerlink, .visually-hidden, .sr-only"))
    .filter(e => {
      const box = e.getBoundingClientRect();
      return box.width && (box.right > column.right + 1 || box.left < column.left - 1) && !boxed(e);
    })
    .map(e => e.outerHTML.slice(0, 200));
}"""

WIDE_FIGURES = """() => {
  const article = document.querySelector(".bd-article, .bd-search-container");
  const column = article.getBoundingClientRect();
  return [...article.querySelectorAll("figure, img, video, canvas")]
    .map(e => [e.getBoundingClientRect(), e])
    .filter(([box]) => box.left < column.left - 1 || box.right > column.right + 1)
    .map(([, e]) => e.outerHTML.slice(0, 100));
}"""

# A comma, a bracket or the like after a formula that has been left for the next line.
ORPHANS = r"""() => [...document.querySelectorAll(".bd-article span.math")].flatMap(formula => {
  const text = formula.nextSibling?.data ?? "";
  if (!/^[)\],.;:!?’”]/.test(text)) return [];
  const range = new Range();
  range.setStart(formula.nextSibling, 0);
  range.setEnd(formula.nextSibling, 1);
  const ends = [...formula.querySelectorAll(".base")].pop().getBoundingClientRect();
  const lost = ends.width && range.getBoundingClientRect().left < ends.left - 1;
  return lost ? [formula.textContent + text.slice(0, 40)] : [];
})"""

# A displayed formula is not broken: it scrolls, and says so.
BROKEN_DISPLAYS = """() => [...document.querySelectorAll(".katex-display")].filter(display => {
  const html = display.querySelector(".katex-html"), bases = [...html.children];
  const places = bases.map(e => e.getBoundingClientRect()).filter(e => e.width);
  const wide = display.scrollWidth > display.clientWidth;
  return places.some((e, i) => i && e.left < places[i - 1].left)
    || html.scrollWidth > html.clientWidth + 1
    || wide !== display.matches(".wide") || wide !== (display.tabIndex === 0);
}).map(display => display.parentElement.id)"""

UNALIGNED = """() => [...document.querySelectorAll("figure.explorable")].filter(figure => {
  const edges = [...figure.querySelectorAll("input")].map(e => e.getBoundingClientRect());
  return edges.some(e => e.left !== edges[0].left || e.right !== edges[0].right);
}).map(figure => figure.id)"""


@pytest.fixture(scope="module", params=VIEWS, ids=lambda view: "-".join(map(str, view)))
def view(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A page in one theme at one width, opened once for all tests of it."""
    place, theme, width = request.param
    opened = visit(browser, address(place), theme, width)
    yield opened
    opened.close()


def test_console_is_silent(view: Visit) -> None:
    assert not view.troubles


def test_page_asks_for_nothing_outside_the_book(view: Visit) -> None:
    own = (HTML.as_uri() + "/", "data:")
    assert not [url for url in view.requests if not url.startswith(own)]


def test_every_formula_is_rendered(view: Visit) -> None:
    assert not view.page.evaluate(BROKEN_MATH)


def test_no_tex_is_left_in_the_text(view: Visit) -> None:
    assert not view.page.evaluate(UNRENDERED)


def test_every_image_is_shown(view: Visit) -> None:
    """Lazy images load as soon as they are asked for."""
    broken = view.page.evaluate(
        """() => Promise.all([...document.images].map(async image => {
          image.loading = "eager";
          try { await image.decode(); } catch { return image.outerHTML.slice(0, 200); }
        }))"""
    )
    assert not list(filter(None, broken))


def test_page_does_not_scroll_sideways(view: Visit) -> None:
    scrolled = view.page.evaluate(
        """() => {
          const before = scrollY;
          scrollTo(10000, before);
          const far = scrollX;
          scrollTo(0, before);
          return [far, Math.max(0, document.documentElement.scrollWidth - innerWidth)];
        }"""
    )
    assert scrolled == [0, 0]


def test_nothing_sticks_out_of_the_text(view: Visit) -> None:
    assert not view.page.evaluate(STICKING_OUT)


def test_figures_are_no_wider_than_the_text(view: Visit) -> None:
    assert not view.page.evaluate(WIDE_FIGURES)


def test_no_line_begins_with_the_comma_of_a_formula(view: Visit) -> None:
    assert not view.page.evaluate(ORPHANS)


def test_displayed_formulas_are_whole(view: Visit) -> None:
    assert not view.page.evaluate(BROKEN_DISPLAYS)


def test_sliders_of_a_figure_stand_in_a_column(view: Visit) -> None:
    assert not view.page.evaluate(UNALIGNED)


def test_page_wears_the_chosen_theme(view: Visit) -> None:
    theme, channels = view.page.evaluate(
        """() => [document.documentElement.dataset.theme,
                  getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number)]"""
    )
    assert theme == view.theme
    assert (sum(channels[:3]) / 3 > 128) == (view.theme == "light")


@pytest.mark.parametrize("theme", THEMES)
def test_first_visit_is_silent_and_follows_the_system(browser: Browser, theme: str) -> None:
    opened = visit(browser, address(PAGES[0]), theme, first=True)
    worn = opened.page.evaluate("() => document.documentElement.dataset.theme")
    opened.close()
    assert worn == theme
    assert not opened.troubles
