"""Search: what readers type finds its place, from the disk, and the place is marked."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from visits import HTML, PHONE, Open, address

# What a reader would type, and where the answer stands: written before there was an index.
QUERIES = {
    # words of the field
    "nuclear norm": "implicit_bias_matrices",
    "lazy training": "ntk#ntk-lazy",
    "early stopping": "path_norm#pn-implicit-reg",
    "strict saddle": "matrix_completion#mc-plan",
    "incoherence": "matrix_completion#mc-def-completion",
    "minimum description length": "no_free_lunch#nfl-mdl",
    "Rademacher complexity": "path_norm#pn-capacity",
    "exponentiated gradient": "implicit_bias#ib-entropy",
    "momentum": "implicit_bias#ib-off-manifold",
    "maximum margin": "implicit_bias#ib-geometry",
    "arc-cosine kernel": "ntk#ntk-arc-cosine",
    "commuting measurements": "implicit_bias_matrices#ib-commuting",
    # titles of statements and of sections
    "no spurious local minima": "matrix_completion#mc-theorem",
    "conjecture is false": "implicit_bias_matrices#ib-nuclear",
    "one rate for each eigenvector": "ntk#ntk-rate",
    "path-sgd": "path_norm#pn-path-sgd",
    "the 3-chain": "matrix_completion#mc-chain",
    "handwritten digits ntk": "ntk#handwritten-digits",
    # what a reader remembers, and how he spells it
    "does gradient descent find the sparsest solution": "implicit_bias",
    "shortest program not computable": "no_free_lunch#nfl-uncomputable",
    "can gradients learn parity": "no_free_lunch#nfl-parity-wall",
    "wide network stays near initialization": "ntk#ntk-wide",
    "incoherance": "matrix_completion#mc-def-completion",
    "matrix bernstein": "matrix_completion#mc-concentration-uniform",
    "rescaling relu": "path_norm#pn-invariant",
    "crypto": "no_free_lunch#nfl-crypto",
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


def ask(opened: Open, query: str) -> list[str]:
    """What the page of the search finds, opened from the disk."""
    return found(opened(f"{address('search.html')}?q={quote(query)}").page)


@pytest.mark.parametrize("query", QUERIES)
def test_search_finds_the_place(opened: Open, query: str) -> None:
    """Among the first three; the place itself, or any on the page where the page is the answer."""
    wanted = QUERIES[query]
    places = [p if "#" in wanted else p.split("#")[0] for p in ask(opened, query)]
    assert wanted in places[: 1 if query in FIRST else 3], places[:6]
