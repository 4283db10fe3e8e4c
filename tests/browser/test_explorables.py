"""Figures with sliders: every frame on every page; keys, play, links and paper on one of them."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from visits import PAGES, Open, Visit, address, shown_on, stored_explorables, visit

PLACES = {place: names for place in PAGES if (names := shown_on(place))}
STEP = 700  # milliseconds between two frames of a figure that plays

STATE = """figure => {
  const asked = hash => {
    const [name, query] = hash.split("?");
    return [name, Object.fromEntries(new URLSearchParams(query))];
  };
  return {
  at: [...figure.querySelectorAll("input")].map(input => Number(input.value)),
  src: figure.querySelector("img").src,
  alt: figure.querySelector("img").alt,
  spoken: [...figure.querySelectorAll("input")].map(e => e.getAttribute("aria-valuetext")),
  printed: [...figure.querySelectorAll("output")].map(output => {
    const copy = output.cloneNode(true);
    for (const math of copy.querySelectorAll(".katex"))
      math.replaceWith("$" + math.querySelector("annotation").textContent + "$");
    return copy.textContent;
  }),
  link: asked(figure.querySelector("a.setting").hash),
  playing: [...figure.querySelectorAll("button")].map(e => e.getAttribute("aria-pressed")),
  };
}"""

WALK = f"""(figure, points) => points.map(at => {{
  const inputs = [...figure.querySelectorAll("input")];
  inputs.forEach((input, i) => {{ input.value = at[i]; }});
  inputs[0].dispatchEvent(new Event("input", {{bubbles: true}}));
  return ({STATE})(figure);
}})"""

GO_TO = """hash => new Promise(done => {
  addEventListener("hashchange", () => setTimeout(done), {once: true});
  location.hash = hash;
})"""

FOCUSED = """() => [document.activeElement.localName, document.activeElement.name,
                    document.activeElement.matches(":focus-visible")]"""


class Figure:
    """An explorable on an open page, beside what the notebook stores of it."""

    def __init__(self, page: Page, name: str) -> None:
        self.page, self.name, self.stored = page, name, stored_explorables()[name]
        self.root = page.locator(f"figure.explorable#{name}")
        self.sliders = self.root.locator("input")
        self.buttons = self.root.locator("button")

    def state(self) -> dict[str, Any]:
        """Positions, picture, description, values, link and play buttons as they are now."""
        return self.root.evaluate(STATE)

    def expected(self, at: tuple[int, ...]) -> dict[str, Any]:
        """The same as the notebook has it for these positions."""
        sliders = self.stored.data["sliders"]
        src, alt = self.stored.frame(at)
        values = self.stored.values(at)
        return {
            "at": list(at),
            "src": src,
            "alt": alt,
            "spoken": [v + s["unit"] for v, s in zip(values, sliders, strict=True)],
            "printed": [
                html.unescape(s["texts"][i]) + s["unit"] for s, i in zip(sliders, at, strict=True)
            ],
            "link": [f"#{self.name}", dict(zip(self.stored.parameters, values, strict=True))],
            "playing": ["false"] * len(sliders),
        }

    def check(self, at: tuple[int, ...]) -> None:
        """The figure shows what the notebook stores for these positions."""
        assert self.state() == self.expected(at)

    def press(self, key: str, slider: int = 0) -> None:
        """Presses a key on a slider."""
        self.sliders.nth(slider).press(key)

    def play(self, slider: int = 0) -> None:
        """Presses the play button of a slider."""
        self.buttons.nth(slider).press("Enter")

    def go(self, at: tuple[int, ...]) -> None:
        """Puts the sliders there, which stops what plays."""
        self.root.evaluate(WALK, [at])


def figures(page: Page, place: str) -> list[Figure]:
    """All explorables of an open page."""
    return [Figure(page, name) for name in PLACES[place]]


def fragment(name: str, at: tuple[int, ...]) -> str:
    """The end of an address that asks for these positions."""
    stored = stored_explorables()[name]
    pairs = zip(stored.parameters, stored.values(at), strict=True)
    return f"#{name}?" + "&".join(f"{parameter}={value}" for parameter, value in pairs)


def test_every_stored_explorable_is_on_a_page() -> None:
    assert (
        {name for names in PLACES.values() for name in names} == set(stored_explorables()) != set()
    )


def test_first_frame_is_the_notebooks_png() -> None:
    for stored in stored_explorables().values():
        webp = stored.frame(stored.starts)[0].split(",")[1]
        shown, picture = (
            np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"), dtype=float)
            for data in (webp, stored.png)
        )
        assert shown.shape == picture.shape
        assert np.abs(shown - picture).max() <= 1


@pytest.mark.parametrize("place", PLACES)
def test_every_frame_is_shown_and_moves_no_other_figure(opened: Open, place: str) -> None:
    all_figures = figures(opened(address(place)).page, place)
    for figure in all_figures:
        figure.check(figure.stored.starts)
    for figure in all_figures:
        others = [other for other in all_figures if other is not figure]
        before = [other.state() for other in others]
        points = list(product(*map(range, figure.stored.sizes)))
        assert figure.root.evaluate(WALK, points) == [figure.expected(at) for at in points]
        assert [other.state() for other in others] == before


@pytest.fixture(scope="module")
def typical() -> tuple[str, list[str]]:
    """A page with a figure of one slider and one of two, and the names of these figures."""
    for place, names in PLACES.items():
        sizes = {len(stored_explorables()[name].sizes): name for name in names}
        if {1, 2} <= set(sizes):
            return place, [sizes[1], sizes[2]]
    return pytest.fail("no page has a figure of one slider and one of two")


@pytest.fixture(scope="module")
def still(browser: Browser, typical: tuple[str, list[str]]) -> Iterator[Visit]:
    """That page, its clock stopped."""
    opened = visit(browser, address(typical[0]))
    opened.page.clock.install(time=0)
    opened.page.clock.pause_at(STEP)
    yield opened
    opened.close()
    assert not opened.troubles


@pytest.fixture
def pair(still: Visit, typical: tuple[str, list[str]]) -> list[Figure]:
    """The two figures, each where it starts."""
    found = [Figure(still.page, name) for name in typical[1]]
    for figure in found:
        figure.go(figure.stored.starts)
    return found


def test_tab_reaches_every_control_in_order(pair: list[Figure]) -> None:
    for figure in pair:
        figure.root.locator("img").click()
        for parameter in figure.stored.parameters:
            for control in (["button", "", True], ["input", parameter, True]):
                figure.page.keyboard.press("Tab")
                assert figure.page.evaluate(FOCUSED) == control


def test_keys_move_one_slider(pair: list[Figure]) -> None:
    for figure in pair:
        for slider, end in enumerate(figure.stored.ends):
            figure.go(figure.stored.starts)
            at = list(figure.stored.starts)
            for key, at[slider] in (
                ("End", end),
                ("ArrowLeft", end - 1),
                ("Home", 0),
                ("ArrowUp", 1),
            ):
                figure.press(key, slider)
                figure.check(tuple(at))


def test_play_runs_through_the_values_of_one_slider(pair: list[Figure]) -> None:
    """To the last one; from there it begins anew; no other figure moves."""
    for figure, other in (pair, pair[::-1]):
        before = other.state()
        for slider, end in enumerate(figure.stored.ends):
            figure.go(figure.stored.starts)
            at = list(figure.stored.starts)
            figure.press("End", slider)
            figure.play(slider)
            for position in range(end):
                at[slider] = position
                expected = figure.expected(tuple(at))
                expected["playing"][slider] = "true"
                assert figure.state() == expected
                figure.page.clock.run_for(STEP)
            at[slider] = end
            figure.check(tuple(at))
            figure.page.clock.run_for(2 * STEP)
            figure.check(tuple(at))
        assert other.state() == before


def test_play_stops_when_asked(pair: list[Figure]) -> None:
    """By a second press of its button, or by a key on the slider."""
    for figure in pair:
        rest = figure.stored.starts[1:]
        for stop, position in ((figure.play, 1), (lambda f=figure: f.press("Home"), 0)):
            figure.go((0, *rest))
            figure.play()
            stop()
            figure.page.clock.run_for(5 * STEP)
            figure.check((position, *rest))


def test_without_motion_play_is_one_step(pair: list[Figure]) -> None:
    page = pair[0].page
    page.emulate_media(reduced_motion="reduce")
    for figure in pair:
        figure.go((0, *figure.stored.starts[1:]))
        figure.buttons.first.press("Space")
        page.clock.run_for(10 * STEP)
        figure.check((1, *figure.stored.starts[1:]))
    page.emulate_media(reduced_motion="no-preference")


def test_paper_shows_the_first_picture(pair: list[Figure]) -> None:
    """Also while a page prints itself; afterwards the sliders are where they were."""
    page = pair[0].page
    for figure in pair:
        figure.go(figure.stored.ends)
    page.evaluate(
        """() => addEventListener("beforeprint", () => {
          window.printed = [...document.querySelectorAll("figure.explorable img")].map(e => e.src);
        }, {once: true})"""
    )
    assert page.pdf(page_ranges="1").startswith(b"%PDF")
    printed = page.evaluate("() => window.printed")
    page.emulate_media(media="print")
    for figure in pair:
        assert figure.stored.frame(figure.stored.starts)[0] in printed
        assert figure.root.locator("img").is_visible()
        assert figure.root.locator("output").first.is_visible()
        assert not figure.root.locator("input:visible, button:visible").count()
        figure.check(figure.stored.ends)
    page.emulate_media(media="screen")


def test_address_restores_a_setting(opened: Open, typical: tuple[str, list[str]]) -> None:
    """In a new window, then in the open one; the figure comes into sight, and no other changes."""
    place, names = typical
    wanted = {name: stored.starts for name, stored in stored_explorables().items()}
    page = None
    for name in names:
        stored = stored_explorables()[name]
        wanted[name] = tuple((i + 1) % n for i, n in zip(stored.starts, stored.sizes, strict=True))
        if page is None:
            page = opened(address(place) + fragment(name, wanted[name])).page
        else:
            page.evaluate(GO_TO, fragment(name, wanted[name]))
        expect(page.locator(f"figure#{name}")).to_be_in_viewport()
        for figure in figures(page, place):
            figure.check(wanted[figure.name])


def test_link_opens_what_it_was_made_for(opened: Open, typical: tuple[str, list[str]]) -> None:
    place, [_, name] = typical
    first = Figure(opened(address(place)).page, name)
    first.go(first.stored.ends)
    first.root.locator("a.setting").press("Enter")
    first.page.wait_for_url("**#*")
    Figure(opened(first.page.url).page, name).check(first.stored.ends)


def test_address_with_unknown_parts_changes_nothing(
    opened: Open, typical: tuple[str, list[str]]
) -> None:
    place, [_, name] = typical
    parameter = stored_explorables()[name].parameters[0]
    page = opened(f"{address(place)}#{name}?{parameter}=no-such-value&other=1").page
    for hash_ in ("#no-such-figure?a=1", "#?", "#%"):
        Figure(page, name).check(stored_explorables()[name].starts)
        page.evaluate(GO_TO, hash_)
    Figure(page, name).check(stored_explorables()[name].starts)
