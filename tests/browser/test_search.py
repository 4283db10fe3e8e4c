"""Search: what readers type finds its place, from the disk, and the place is marked."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect
from visits import HTML, PHONE, Open, Visit, address, visit

# What a reader would type, and where the answer stands: written before there was an index.
QUERIES = {
    # words of the field
    "nuclear norm": "implicit_bias_matrices",
    "lazy training": "lazy_training#ntk-lazy",
    "early stopping": "path_norm#pn-implicit-reg",
    "strict saddle": "matrix_completion#mc-plan",
    "incoherence": "matrix_completion#mc-def-completion",
    "minimum description length": "universal_learning#nfl-mdl",
    "Rademacher complexity": "path_norm#pn-capacity",
    "exponentiated gradient": "implicit_bias#ib-entropy",
    "momentum": "implicit_bias#ib-off-manifold",
    "maximum margin": "implicit_bias#ib-geometry",
    "arc-cosine kernel": "ntk#ntk-arc-cosine",
    "commuting measurements": "implicit_bias_matrices#ib-commuting",
    # titles of statements and of sections
    "no spurious local minima": "matrix_completion#mc-theorem",
    "conjecture is false": "implicit_bias_matrices#ib-nuclear",
    "one rate for each eigenvector": "lazy_training#ntk-rate",
    "path-sgd": "path_sgd#pn-path-sgd",
    "the 3-chain": "matrix_completion_limits#mc-chain",
    "handwritten digits kernel": "lazy_training#handwritten-digits",
    # what a reader remembers, and how he spells it
    "does gradient descent find the sparsest solution": "implicit_bias",
    "shortest program not computable": "universal_learning#nfl-uncomputable",
    "can gradients learn parity": "universal_learning#nfl-parity-wall",
    "wide network stays near initialization": "ntk#ntk-wide",
    "incoherance": "matrix_completion#mc-def-completion",
    "matrix bernstein": "matrix_completion#mc-concentration-uniform",
    "rescaling relu": "path_norm#pn-invariant",
    "crypto": "universal_learning#nfl-crypto",
    # formulas, as TeX and in words
    r"\ell_1": "implicit_bias#ib-l1",
    "l1 norm": "implicit_bias#ib-l1",
    r"X=UU^\top": "implicit_bias_matrices",
    r"\lVert X\rVert_*": "implicit_bias_matrices",
    "least trace": "implicit_bias_matrices#ib-dual",
    "operator norm": "matrix_completion#mc-concentration-uniform",
}
FIRST = {"nuclear norm", "lazy training", "incoherence", "the 3-chain", "l1 norm"}


def found(page: Page) -> list[str]:
    """The places that the search lists, best first, as in ``QUERIES``."""
    expect(page.locator("#search-results .search-summary")).not_to_be_empty()
    links = page.locator("#search-results li a").evaluate_all(
        "all => all.map(a => a.pathname.split('/').pop() + a.hash)"
    )
    return [link.replace(".html", "") for link in links]


@pytest.fixture(scope="module")
def search(browser: Browser) -> Iterator[Visit]:
    """The page of the search, for one query after the other."""
    opened = visit(browser, address("search.html"))
    yield opened
    opened.close()


@pytest.mark.parametrize("query", QUERIES)
def test_search_finds_the_place(search: Visit, query: str) -> None:
    """Among the first three; the place itself, or any on the page where the page is the answer."""
    wanted = QUERIES[query]
    search.page.goto(f"{address('search.html')}?q={quote(query)}")
    places = [p if "#" in wanted else p.split("#")[0] for p in found(search.page)]
    assert not search.troubles
    assert wanted in places[: 1 if query in FIRST else 3], places[:6]


def test_a_result_opens_at_its_place_and_marks_it(opened: Open) -> None:
    """Also what lies in a fold; the words of the query are marked in it."""
    page = opened(f"{address('search.html')}?q={quote('commuting measurements')}").page
    found(page)
    page.locator("#search-results a[href*='#ib-commuting']").click()
    place = page.locator("#ib-commuting.found")
    expect(place).to_be_in_viewport()
    page.wait_for_function("CSS.highlights.get('found')?.size > 1")


def test_the_dialog_lists_places_as_one_types(opened: Open) -> None:
    """And arrows go from the field into the list and back."""
    page = opened(address("book/intro.html"), width=PHONE).page
    page.keyboard.press("Control+k")
    page.keyboard.type("nuclear norm")
    links = page.locator("dialog[open] .found-places a")
    expect(links.first).to_have_attribute("href", re.compile("implicit_bias_matrices"))
    page.keyboard.press("ArrowDown")
    expect(links.first).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/implicit_bias_matrices.html?found=nuclear%20norm#*")


def test_nothing_of_the_search_comes_before_it_is_used(opened: Open) -> None:
    sent = opened(address("book/intro.html")).requests
    assert not [url for url in sent if re.search("places|minisearch|searchindex", url)]


def test_what_the_search_loads_is_light() -> None:
    """A chapter adds about 35 kB to the places, 12 kB as transferred."""
    sizes = {
        name: len(gzip.compress((HTML / "_static" / name).read_bytes(), 6))
        for name in ("find.js", "minisearch.js", "places.js")
    }
    assert sizes["find.js"] < 5_000
    assert sum(sizes.values()) < 300_000, sizes


def test_the_map_of_a_chapter_by_keyboard_and_on_a_phone(opened: Open) -> None:
    """Its nodes are links in the order of reading; on a phone the list stands for the drawing."""
    desk = opened(address("book/matrix_completion.html")).page
    node = desk.locator(".statement-map svg a[data-label='mc-theorem']")
    node.focus()
    desk.keyboard.press("Enter")
    expect(desk.locator("#mc-theorem")).to_be_in_viewport()
    phone = opened(address("book/matrix_completion.html"), width=PHONE).page
    expect(phone.locator(".statement-map svg")).to_be_hidden()
    phone.locator(".map-list summary").click()
    phone.locator(".map-list li > a:first-child[href$='#mc-theorem']").click()
    expect(phone.locator("#mc-theorem")).to_be_in_viewport()
