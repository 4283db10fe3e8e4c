"""What a reader does on a page: unfolds solutions and code, copies code, follows a link, prints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from pypdf import PdfReader
from visits import CHAPTERS, PHONE, Open, Visit, address, often, visit

WIDE_CODE_IS_IN_THE_TAB_ORDER = """() => {
  const code = [...document.querySelectorAll("details.code pre")];
  const wide = code.filter(pre => pre.scrollWidth > pre.clientWidth);
  return wide.length && wide.every(pre => pre.tabIndex === 0);
}"""


@pytest.fixture(scope="module", params=often(CHAPTERS, CHAPTERS[:1]))
def chapter(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A chapter, opened once for all tests of it."""
    clipboard = ["clipboard-read", "clipboard-write"]
    opened = visit(browser, address(request.param), permissions=clipboard)
    yield opened
    opened.close()
    assert not opened.troubles


def test_all_solutions_are_folded(chapter: Visit) -> None:
    solutions = chapter.page.locator("div.solution")
    expect(solutions.locator("button[aria-expanded=false]")).to_have_count(solutions.count())
    assert not chapter.page.locator("div.solution section p:visible").count()


def test_a_solution_opens_by_keyboard_and_by_its_whole_bar(chapter: Visit) -> None:
    solution = chapter.page.locator("div.solution").first
    button, inside = solution.locator("button.toggle-button"), solution.locator("section p").first
    button.press("Shift+Tab")
    expect(button).not_to_be_focused()
    chapter.page.keyboard.press("Tab")
    expect(button).to_be_focused()
    for key, opens in (("Enter", True), ("Space", False)):
        chapter.page.keyboard.press(key)
        expect(button).to_have_attribute("aria-expanded", str(opens).lower())
        expect(inside).to_be_visible(visible=opens)
    for opens in (True, False):
        solution.locator("p.admonition-title").click(position={"x": 160, "y": 12})
        expect(inside).to_be_visible(visible=opens)


def test_a_guess_opens_the_answer_and_lifts_the_veil(opened: Open) -> None:
    page = opened(address("book/implicit_bias.html")).page
    boxes = page.locator(".admonition.predict")
    assert boxes.count() >= 2
    for box in boxes.all():
        answer = box.locator("details")
        right = answer.locator("strong").first.text_content().removesuffix(".")
        wrong = box.locator(".options button").filter(has_not_text=right).first
        expect(answer.locator("strong").first).to_be_hidden()
        wrong.press("Enter")
        expect(wrong).to_have_class("wrong")
        expect(answer.locator("strong").first).to_be_visible()
        box.get_by_role("button", name=right, exact=True).press("Space")
        expect(box.locator("button.right")).to_have_attribute("aria-pressed", "true")
    assert not page.locator(".veiled").count()


def test_what_answers_is_veiled_before_and_never_on_paper_or_without_script(
    browser: Browser, opened: Open
) -> None:
    place = address("book/implicit_bias.html")
    page = opened(place).page
    veiled = page.locator(".veiled").first
    expect(veiled).to_be_attached()
    filters = "e => getComputedStyle(e.firstElementChild).filter"
    assert veiled.evaluate("e => e.inert")
    assert "contrast(0)" in veiled.evaluate(filters)
    page.emulate_media(media="print")
    assert veiled.evaluate(filters) == "none"
    plain = visit(browser, place, java_script_enabled=False)
    assert not plain.page.locator(".veiled, .predict button").count()
    plain.close()


def test_folded_code_opens_by_keyboard(chapter: Visit) -> None:
    fold = chapter.page.locator("details.code").first
    expect(fold.locator("pre").first).to_be_hidden()
    for key, opens in (("Enter", True), ("Space", False)):
        fold.locator("summary").press(key)
        expect(fold.locator("pre").first).to_be_visible(visible=opens)


def test_code_that_scrolls_is_reached_by_tab_once_its_fold_is_open(opened: Open) -> None:
    page = opened(address(CHAPTERS[0]), width=PHONE).page
    page.locator("details.code").evaluate_all("all => all.forEach(fold => fold.open = true)")
    page.wait_for_function(WIDE_CODE_IS_IN_THE_TAB_ORDER)


def test_panels_side_by_side_can_be_read_on_a_phone(opened: Open) -> None:
    """Each keeps a width, and their box scrolls; on a desk it does not."""
    page = opened(address("book/implicit_bias.html"), width=PHONE).page
    box = page.locator("article .picture-scroll:visible").first
    panels = int(box.evaluate("e => e.style.getPropertyValue('--panels')"))
    assert panels >= 2
    full = int(box.locator("img").get_attribute("width"))
    assert box.locator("img").bounding_box()["width"] >= min(16 * 16 * panels, full)
    expect(box).to_have_attribute("tabindex", "0")
    assert box.evaluate("e => getComputedStyle(e).maskImage") != "none"
    box.evaluate("e => { e.scrollLeft = e.scrollWidth }")
    expect(box).to_have_css("mask-image", "none")  # nothing more to come, nothing fades
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(box).not_to_have_attribute("tabindex", "0")


def test_copy_button_copies_the_code(chapter: Visit) -> None:
    """Every cell has one; of a cell that is open, and of one that is folded."""
    page = chapter.page
    cells = page.locator("div.cell_input div.highlight")
    expect(cells.locator("button.copybtn")).to_have_count(cells.count())
    page.locator("details.code").first.evaluate("details => { details.open = true }")
    open_cell = page.locator("div.cell_input:not(details *)").first
    for cell in (open_cell, page.locator("details.code div.cell_input").first):
        cell.locator("button.copybtn").press("Enter")
        expect(cell.locator("button.copybtn")).to_have_class("copybtn o-tooltip--left success")
        copied = page.evaluate("() => navigator.clipboard.readText()")
        assert copied.strip() == cell.locator("pre").text_content().strip()


def test_reference_shows_what_it_refers_to(opened: Open) -> None:
    """On focus; Escape and leaving hide it."""
    page = opened(address("book/implicit_bias.html")).page
    page.emulate_media(reduced_motion="reduce")  # a page that still scrolls leaves the mouse
    links = page.locator("article p a.reference.internal[href^='#equation']")
    link = links.locator("visible=true").first
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


def test_reference_leads_to_its_target(opened: Open) -> None:
    page = opened(address(CHAPTERS[0]), reduced_motion="reduce").page
    link = page.locator("article p a.reference.internal[href^='#']:has(.std-ref)").first
    target = link.evaluate("link => link.hash")
    link.press("Enter")
    page.wait_for_url(f"**{target}")
    expect(page.locator(f"[id='{target[1:]}']")).to_be_in_viewport()


@pytest.mark.parametrize("place", often(CHAPTERS, CHAPTERS[:2]))
def test_chapter_prints_with_its_title_and_all_figures(
    opened: Open, place: str, tmp_path: Path
) -> None:
    """Read back: the heading on the first page, and every picture in full size."""
    page, paper = opened(address(place)).page, tmp_path / "chapter.pdf"
    paper.write_bytes(page.pdf(format="A4"))
    read = PdfReader(paper)
    heading = page.locator("article h1").first.text_content()
    first = re.sub(r"\s+", " ", read.pages[0].extract_text())
    assert first.lstrip().startswith(heading.removesuffix("#"))
    objects = [read.get_object(number) for number in range(1, len(read.xref[0]) + 1)]
    images = [one for one in objects if isinstance(one, dict) and one.get("/Subtype") == "/Image"]
    masks = [one["/SMask"].get_object() for one in images if "/SMask" in one]
    widths = sorted(int(one["/Width"]) for one in images if one not in masks)
    shown = sorted(
        page.locator("article figure img").evaluate_all("all => all.map(img => img.naturalWidth)")
    )
    assert shown
    assert [width for width in widths if width in shown] == shown


FOLDS = "article details:is(.rows, .erratum, .proof-fold, .sd-dropdown)"
OPEN = "all => all.filter(fold => fold.open).length"


def test_one_button_opens_all_folds_and_is_remembered(opened: Open) -> None:
    page = opened(address(CHAPTERS[0])).page
    folds, button = page.locator(FOLDS), page.locator("button.fold-all")
    assert folds.evaluate_all(OPEN) == 0
    button.press("Enter")
    assert folds.evaluate_all(OPEN) == folds.count()
    assert page.locator("article details.code").evaluate_all(OPEN) == 0
    page.reload()
    expect(page.locator(f"{FOLDS}:not([open])")).to_have_count(0)
    page.locator("body").press("f")
    assert folds.evaluate_all(OPEN) == 0


def test_a_link_into_a_fold_opens_it_and_paper_opens_all_but_code(opened: Open) -> None:
    page = opened(address(CHAPTERS[0])).page
    inside = page.locator("article details.proof-fold [id]").first
    name = inside.get_attribute("id")
    page.evaluate("name => { location.hash = name; }", name)
    expect(inside).to_be_visible()
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert page.locator(FOLDS).evaluate_all(OPEN) == page.locator(FOLDS).count()
    assert page.locator("article details.code").evaluate_all(OPEN) == 0
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")


def test_one_key_shows_the_keys(opened: Open) -> None:
    page = opened(address(CHAPTERS[0])).page
    page.locator("body").press("?")
    help_box = page.locator("dialog.keys")
    expect(help_box).to_be_visible()
    page.keyboard.press("Escape")
    expect(help_box).to_be_hidden()


def test_a_copied_formula_is_its_latex_once(opened: Open) -> None:
    page = opened(address(CHAPTERS[0])).page
    formula = page.locator("article p .katex").first
    tex = formula.locator("annotation").text_content()
    copied = formula.evaluate(
        """formula => {
          const range = document.createRange();
          range.selectNode(formula.closest("p"));
          getSelection().removeAllRanges();
          getSelection().addRange(range);
          const data = new DataTransfer();
          const copy = new ClipboardEvent("copy", {clipboardData: data, bubbles: true});
          document.dispatchEvent(copy);
          return data.getData("text/plain");
        }"""
    )
    assert copied.count(f"${tex}$") >= 1
    assert "\\(" not in copied
