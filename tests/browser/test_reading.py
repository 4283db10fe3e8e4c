"""What a reader does on a page: unfolds solutions and code, copies code, follows a reference."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from visits import CHAPTERS, PHONE, ROOT, Visit, address, visit


@pytest.fixture(scope="module", params=CHAPTERS)
def chapter(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A chapter, opened once for all tests of it."""
    opened = visit(
        browser, address(request.param), permissions=["clipboard-read", "clipboard-write"]
    )
    opened.place = request.param
    yield opened
    opened.close()
    assert not opened.troubles


def sources(place: str, kind: str) -> list[str]:
    """The sources of the cells of that kind in a chapter's notebook."""
    notebook = json.loads((ROOT / place).with_suffix(".ipynb").read_text(encoding="utf-8"))
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == kind]


def test_solutions_are_folded_and_open_by_keyboard(chapter: Visit) -> None:
    solutions = chapter.page.locator("div.solution").all()
    assert len(solutions) == sum(
        text.count("{exercise}") for text in sources(chapter.place, "markdown")
    )
    for solution in solutions:
        button = solution.locator("button.toggle-button")
        inside = solution.locator("section p").first
        for key, visible in (("Enter", True), ("Space", False)):
            expect(button).to_have_attribute("aria-expanded", str(not visible).lower())
            expect(inside).to_be_visible(visible=not visible)
            button.focus()
            chapter.page.keyboard.press(key)
        expect(inside).to_be_visible(visible=False)


def test_tab_reaches_the_button_of_a_solution(chapter: Visit) -> None:
    for solution in chapter.page.locator("div.solution").all():
        button = solution.locator("button.toggle-button")
        button.focus()
        chapter.page.keyboard.press("Shift+Tab")
        expect(button).not_to_be_focused()
        chapter.page.keyboard.press("Tab")
        expect(button).to_be_focused()


def test_the_whole_bar_of_a_solution_opens_it(chapter: Visit) -> None:
    for solution in chapter.page.locator("div.solution").all():
        bar, inside = solution.locator("p.admonition-title"), solution.locator("section p").first
        for visible in (True, False):
            bar.click(position={"x": 160, "y": 12})
            expect(inside).to_be_visible(visible=visible)


def test_folded_code_opens_by_keyboard(chapter: Visit) -> None:
    folds = chapter.page.locator("details.code").all()
    assert folds
    for fold in folds[:3]:
        code = fold.locator("pre")
        for key, visible in (("Enter", True), ("Space", False)):
            expect(code).to_be_visible(visible=not visible)
            fold.locator("summary").focus()
            chapter.page.keyboard.press(key)
            expect(code).to_be_visible(visible=visible)


def test_code_that_scrolls_is_reached_by_tab_once_its_fold_is_open(browser: Browser) -> None:
    phone = visit(browser, address(CHAPTERS[0]), width=PHONE)
    phone.page.locator("details.code").evaluate_all("all => all.forEach(fold => fold.open = true)")
    phone.page.wait_for_function(
        """() => {
          const code = [...document.querySelectorAll("details.code pre")];
          const wide = code.filter(pre => pre.scrollWidth > pre.clientWidth);
          return wide.length && wide.every(pre => pre.tabIndex === 0);
        }"""
    )
    phone.close()


def test_all_code_of_the_notebook_is_on_the_page(chapter: Visit) -> None:
    shown = chapter.page.locator("div.cell_input pre").all_text_contents()
    assert [text.strip() for text in shown] == [t.strip() for t in sources(chapter.place, "code")]


def test_every_code_cell_has_a_copy_button(chapter: Visit) -> None:
    cells = chapter.page.locator("div.cell_input div.highlight")
    assert cells.count() == cells.locator("button.copybtn").count() > 0


def test_copy_button_copies_the_code(chapter: Visit) -> None:
    """Of a cell that is open, and of one that is folded."""
    page = chapter.page
    page.locator("details.code").first.evaluate("details => { details.open = true }")
    open_cell = page.locator("div.cell_input:not(details *)").first
    for cell in (open_cell, page.locator("details.code div.cell_input").first):
        button = cell.locator("button.copybtn")
        button.focus()
        page.keyboard.press("Enter")
        expect(button).to_have_class("copybtn o-tooltip--left success")
        copied = page.evaluate("() => navigator.clipboard.readText()")
        assert copied.strip() == cell.locator("pre").text_content().strip()


def test_reference_shows_what_it_refers_to(chapter: Visit) -> None:
    """On focus; Escape and leaving hide it."""
    page = chapter.page
    page.emulate_media(reduced_motion="reduce")  # a page that still scrolls leaves the mouse
    link = page.locator("article p a.reference.internal[href^='#equation']").first
    preview = page.locator("div.preview")
    expect(preview).to_be_hidden()
    link.focus()
    expect(preview.locator(".katex").first).to_be_visible()
    assert preview.evaluate("e => e.getBoundingClientRect().right <= innerWidth")
    page.keyboard.press("Escape")
    expect(preview).to_be_hidden()
    link.blur()
    link.hover()
    expect(preview).to_be_visible()
    page.mouse.move(0, 0)
    expect(preview).to_be_hidden()


def test_reference_leads_to_its_target(opened: Callable[..., Visit]) -> None:
    page = opened(address(CHAPTERS[0])).page
    link = page.locator("article p a.reference.internal[href^='#']:has(.std-ref)").first
    target = link.evaluate("link => link.hash")
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{target}")
    box = page.locator(f"[id='{target[1:]}']").bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 400


def test_chapter_prints_with_its_title_and_all_figures(chapter: Visit, tmp_path: Path) -> None:
    """Read back by poppler: the heading on the first page, and every picture in full size."""
    tools = {name: shutil.which(name) for name in ("pdftotext", "pdfimages")}
    if None in tools.values():
        pytest.fail("poppler is missing: on Debian or Ubuntu apt-get install poppler-utils", False)
    paper = tmp_path / "chapter.pdf"
    paper.write_bytes(chapter.page.pdf(format="A4"))
    page = subprocess.check_output([tools["pdftotext"], "-l", "1", paper, "-"], text=True)
    heading = chapter.page.locator("article h1").first.text_content()
    assert page.lstrip().startswith(heading.removesuffix("#"))
    listed = subprocess.check_output([tools["pdfimages"], "-list", paper], text=True)
    rows = [line.split() for line in listed.splitlines()[2:]]
    widths = sorted(int(row[3]) for row in rows if row[2] == "image")
    shown = sorted(
        chapter.page.locator("article figure img").evaluate_all(
            "images => images.map(image => image.naturalWidth)"
        )
    )
    assert shown
    assert [width for width in widths if width in shown] == shown


def test_drawer_of_contents_closes_behind_a_link(browser: Browser) -> None:
    phone = visit(browser, address(CHAPTERS[0]), width=PHONE)
    phone.page.locator(".secondary-toggle").click()
    drawer = phone.page.locator("#pst-secondary-sidebar-modal")
    expect(drawer).to_be_visible()
    drawer.locator("a[href^='#']").last.click()
    expect(drawer).to_be_hidden()
    phone.close()


@pytest.mark.parametrize("name", ["All claims", "References"])
def test_list_of_pages_shows_this_page(browser: Browser, name: str) -> None:
    opened = visit(browser, address(CHAPTERS[0]))
    opened.page.locator(".bd-sidebar-primary").get_by_role("link", name=name).click()
    opened.page.wait_for_load_state()
    entry = opened.page.locator(".bd-sidebar-primary .toctree-l1.current > a")
    expect(entry).to_be_in_viewport()
    opened.close()
