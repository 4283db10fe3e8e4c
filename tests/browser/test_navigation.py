"""Ways through the book: search, contents, theme."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Page, expect
from visits import CHAPTERS, HTML, PAGES, PHONE, Open, address, often

# Goes to a section and says which one is in sight; at the end of a page that may be another one.
SCROLL_TO = """([wanted, all]) => {
  const top = hash => document.getElementById(hash.slice(1))
    .querySelector("h2, h3").getBoundingClientRect().top;
  document.getElementById(wanted.slice(1)).scrollIntoView({behavior: "instant"});
  return all.filter(hash => top(hash) < 0.3 * innerHeight).pop();
}"""


def heading(place: str) -> str:
    """The words of a page's heading, without its number."""
    soup = BeautifulSoup((HTML / place).read_text(encoding="utf-8"), "html.parser")
    top = soup.select_one("article h1")
    for part in top.select(".section-number, .headerlink"):
        part.decompose()
    return top.get_text().strip()


def results(page: Page) -> list[str]:
    """The places that a search found, best first."""
    summary = page.locator("#search-results .search-summary")
    expect(summary).to_have_text(re.compile("Search finished|did not match"))
    links = page.locator("#search-results li a").evaluate_all("links => links.map(a => a.href)")
    return [link.split("#")[0].split("?")[0] for link in links]


@pytest.mark.parametrize("place", often(PAGES, [PAGES[0], CHAPTERS[-1], PAGES[-1]]))
def test_search_finds_a_page_by_its_heading(opened: Open, site: str, place: str) -> None:
    page = opened(f"{site}search.html?q={quote(heading(place))}").page
    assert site + place in results(page)[:3]


def test_search_from_a_page_by_keyboard(opened: Open, site: str) -> None:
    page = opened(site + PAGES[0]).page
    page.keyboard.press("Control+k")
    expect(page.locator("dialog[open] input[type=search]")).to_be_focused()
    page.keyboard.type(heading(CHAPTERS[0]))
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=*")
    assert results(page)[0] == site + CHAPTERS[0]


def test_search_works_from_the_disk(opened: Open) -> None:
    page = opened(address("search.html") + f"?q={quote(heading(CHAPTERS[0]))}").page
    assert results(page)[0] == address(CHAPTERS[0])


def test_search_says_when_it_finds_nothing(opened: Open, site: str) -> None:
    page = opened(f"{site}search.html?q=xyzzyplugh").page
    assert not results(page)


@pytest.mark.parametrize("place", often(CHAPTERS, CHAPTERS[:1]))
def test_contents_of_the_page_mark_the_section_in_sight(opened: Open, place: str) -> None:
    """On the way down, on the way up, and after jumps."""
    page = opened(address(place)).page
    entries = page.locator("nav.page-toc a").evaluate_all("all => all.map(a => a.hash)")
    for entry in [*entries[1::2], *entries[::-2], entries[-1]]:
        seen = page.evaluate(SCROLL_TO, [entry, entries])
        expect(page.locator(f"nav.page-toc a.active[href='{seen}']")).to_have_count(1)


def test_contents_open_on_a_phone_by_keyboard(opened: Open) -> None:
    page = opened(address(PAGES[0]), width=PHONE).page
    link = page.locator("dialog a.reference.internal[href='notation.html']:visible")
    expect(link).to_have_count(0)
    page.locator("button.primary-toggle").press("Enter")
    expect(link).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_have_count(0)


def test_contents_of_a_chapter_close_behind_a_link_on_a_phone(opened: Open) -> None:
    phone = opened(address(CHAPTERS[0]), width=PHONE).page
    phone.locator(".secondary-toggle").click()
    drawer = phone.locator("#pst-secondary-sidebar-modal")
    expect(drawer).to_be_visible()
    drawer.locator("a[href^='#']").last.click()
    expect(drawer).to_be_hidden()


def test_list_of_pages_shows_this_page(opened: Open) -> None:
    page = opened(address(PAGES[-1])).page
    entry = page.locator(".bd-sidebar-primary .toctree-l1.current > a")
    expect(entry).to_be_in_viewport()


def test_theme_button_goes_through_the_themes_and_is_remembered(opened: Open, site: str) -> None:
    """On a host; from the disk Chromium may open the next page before it has stored the choice."""
    page = opened(site + PAGES[0]).page
    worn = {}
    for _ in range(4):
        page.locator("button.theme-switch-button").press("Enter")
        mode, theme = page.evaluate(
            "() => ['mode', 'theme'].map(name => document.documentElement.dataset[name])"
        )
        worn[mode] = theme
    page.goto(site + PAGES[-1])
    assert page.evaluate("() => document.documentElement.dataset.mode") == mode
    assert worn == {"auto": "light", "dark": "dark", "light": "light"}
