"""Every page, light and dark, on a desk and on a phone: silent, self-contained, well set."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from visits import (
    CHAPTERS,
    GENERATED,
    HTML,
    PAGES,
    ROOT,
    THEMES,
    Visit,
    address,
    views,
    visit,
)

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
NARROWEST = 320
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]

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
      return box.width && (box.right > column.right + 1 || box.left < column.left - 1)
        && (e.matches("figure, :not(.picture-scroll) > img, video, canvas") || !boxed(e));
    })
    .map(e => e.outerHTML.slice(0, 200));
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

# A displayed formula is not broken, in a fold neither: it scrolls, and says so.
BROKEN_DISPLAYS = """async () => {
 const folds = [...document.querySelectorAll("details:not([open])")];
 for (const fold of folds) fold.open = true;
 for (let k = 0; k < 3; k++) await new Promise(requestAnimationFrame);
 const broken = [...document.querySelectorAll(".katex-display")].filter(display => {
  const html = display.querySelector(".katex-html"), bases = [...html.children];
  const places = bases.map(e => e.getBoundingClientRect()).filter(e => e.width);
  const wide = display.scrollWidth > display.clientWidth;
  return places.some((e, i) => i && e.left < places[i - 1].left)
    || html.scrollWidth > html.clientWidth + 1
    || wide !== display.matches(".wide") || wide !== (display.tabIndex === 0);
 });
 for (const fold of folds) fold.open = false;
 return broken.map(display => display.parentElement.id);
}"""

UNALIGNED = """() => [...document.querySelectorAll("figure.explorable")].filter(figure => {
  const sliders = [...figure.querySelectorAll("input[type=range]")];
  const edges = sliders.map(e => e.getBoundingClientRect());
  return edges.some(e => e.left !== edges[0].left || e.right !== edges[0].right);
}).map(figure => figure.id)"""

SAID = """() => {
  const folds = [...document.querySelectorAll("details:not([open])")];
  for (const fold of folds) fold.open = true;
  const said = [...document.querySelectorAll("figure.live")].map(figure => {
    live.start(figure);
    return [figure.querySelector("svg").ariaLabel, figure.querySelector("img").alt];
  });
  for (const fold of folds) fold.open = false;
  return said;
}"""

# axe looks at each piece of text, 20,000 on a page. It needs to see a formula's MathML, which it
# has no rules for, and its picture, all in one colour, as one text each; and of the tokens of a
# kind, which look alike in like boxes, the first.
UNFOLD = """() => {
  for (const details of document.querySelectorAll("details")) details.open = true;
  for (const button of document.querySelectorAll(".toggle-button-hidden")) button.click();
  for (const math of document.querySelectorAll(".katex-html, .katex-mathml"))
    math.textContent = math.textContent;
  const seen = new Set();
  for (const token of document.querySelectorAll("pre span[class]")) {
    const kind = token.className + " in " + token.closest("div").parentNode.className;
    if (seen.has(kind)) token.replaceWith(...token.childNodes);
    seen.add(kind);
  }
}"""

AUDIT = """async tags => {
  const options = {runOnly: tags, resultTypes: ["violations"], preload: false};
  const {violations} = await axe.run(document, options);
  return violations.flatMap(({id, nodes}) => nodes.map(({target, failureSummary, html}) =>
    `${id} at ${target.join(" ")}\\n  ${failureSummary}\\n  ${html.slice(0, 200)}`));
}"""


@pytest.fixture(
    scope="module", params=views([*PAGES, *GENERATED]), ids=lambda view: "-".join(map(str, view))
)
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


def test_every_image_is_shown(view: Visit) -> None:
    """Lazy images load as soon as they are asked for."""
    broken = view.page.evaluate(
        """() => Promise.all([...document.images].map(async image => {
          image.loading = "eager";
          try { await image.decode(); } catch { return image.outerHTML.slice(0, 200); }
        }))"""
    )
    assert not list(filter(None, broken))


def test_each_drawing_says_at_the_start_what_its_picture_does(view: Visit) -> None:
    said = view.page.evaluate(SAID)
    assert said or view.place not in CHAPTERS or "the_case" in view.place
    assert [drawn for drawn, _ in said] == [stored for _, stored in said]


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


@pytest.mark.parametrize(
    "wrong",
    [STICKING_OUT, ORPHANS, BROKEN_DISPLAYS, UNALIGNED],
    ids=["out of the column", "orphaned comma", "broken display", "unaligned sliders"],
)
def test_nothing_is_ill_set(view: Visit, wrong: str) -> None:
    assert not view.page.evaluate(wrong)


def test_nothing_is_wider_than_the_narrowest_phone(view: Visit) -> None:
    size = view.page.viewport_size
    view.page.set_viewport_size({"width": NARROWEST, "height": 700})
    width = view.page.evaluate("document.documentElement.scrollWidth")
    view.page.set_viewport_size(size)
    assert width <= NARROWEST


def test_page_wears_the_chosen_theme(view: Visit) -> None:
    theme, channels = view.page.evaluate(
        """() => [document.documentElement.dataset.theme,
                  getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number)]"""
    )
    assert theme == view.theme
    assert (sum(channels[:3]) / 3 > 128) == (view.theme == "light")


def test_axe_finds_no_violation_with_everything_unfolded(view: Visit) -> None:
    """The last test of a view, for it leaves the page unfolded."""
    if not AXE.is_file():
        pytest.fail("axe-core is missing: run `npm ci`, or `make test`, which does", False)
    view.page.emulate_media(reduced_motion="reduce")
    view.page.clock.install()
    view.page.evaluate(UNFOLD)
    view.page.clock.run_for(1000)  # the theme waits for a quiet moment before it looks again
    view.page.evaluate(AXE.read_text(encoding="utf-8"))
    found = view.page.evaluate(AUDIT, RULES)
    assert not found, "\n".join([f"{len(found)} violations", *found[:20]])


@pytest.mark.parametrize("theme", THEMES)
def test_first_visit_is_silent_and_follows_the_system(browser: Browser, theme: str) -> None:
    opened = visit(browser, address(PAGES[0]), theme, first=True)
    worn = opened.page.evaluate("() => document.documentElement.dataset.theme")
    opened.close()
    assert worn == theme
    assert not opened.troubles
