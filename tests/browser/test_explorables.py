"""Figures with sliders: every frame on every page; keys, play, links and paper on one of them."""

from __future__ import annotations

import functools
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from visits import HTML, PAGES, ROOT, Open, Visit, address, visit

Point = tuple[int, ...]
Typical = tuple[str, list[str]]

MIME = "application/vnd.lecture-code.explorable+json"
FEW = 5  # a parameter of fewer values is a switch
STEP = 700  # milliseconds between two frames of a figure that plays

STATE = """figure => {
  const asked = hash => {
    const [name, query] = hash.split("?");
    return [name, Object.fromEntries(new URLSearchParams(query))];
  };
  const rows = [...figure.querySelectorAll(".control")];
  const range = row => row.querySelector("input[type=range]");
  const chosen = row => row.querySelector("input:checked");
  const words = element => {
    const copy = element.cloneNode(true);
    for (const math of copy.querySelectorAll(".katex"))
      math.replaceWith("$" + math.querySelector("annotation").textContent + "$");
    return copy.textContent;
  };
  return {
  at: rows.map(row => Number((range(row) ?? chosen(row)).value)),
  src: figure.querySelector("img").src,
  alt: figure.querySelector("img").alt,
  spoken: rows.map(row => range(row)?.getAttribute("aria-valuetext") ?? null),
  printed: rows.map(row => words(row.querySelector("output") ?? chosen(row).nextElementSibling)),
  link: asked(figure.querySelector("a.setting").hash),
  playing: [...figure.querySelectorAll("button")].map(e => e.getAttribute("aria-pressed")),
  };
}"""

WALK = f"""(figure, points) => points.map(at => {{
  const rows = [...figure.querySelectorAll(".control")];
  rows.forEach((row, i) => {{
    const range = row.querySelector("input[type=range]");
    if (range) range.value = at[i]; else row.querySelectorAll("input")[at[i]].checked = true;
  }});
  rows[0].querySelector("input").dispatchEvent(new Event("input", {{bubbles: true}}));
  return ({STATE})(figure);
}})"""

GO_TO = """hash => new Promise(done => {
  addEventListener("hashchange", () => setTimeout(done), {once: true});
  location.hash = hash;
})"""

FOCUSED = """() => [document.activeElement.localName,
                    document.activeElement.closest(".control").dataset.name,
                    document.activeElement.matches(":focus-visible")]"""


def shown_on(place: str) -> list[str]:
    """The names of the explorables on a built page, in order; none if it is not built."""
    text = (HTML / place).read_text(encoding="utf-8") if (HTML / place).is_file() else ""
    return re.findall(r'<figure class="explorable" id="([^"]+)"', text)


PLACES = {place: names for place in PAGES if (names := shown_on(place))}


@dataclass(frozen=True)
class Stored:
    """An explorable as a notebook stores it."""

    name: str
    sliders: list[dict[str, Any]]
    frames: list[list[str]]

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters."""
        return [slider["name"] for slider in self.sliders]

    @property
    def starts(self) -> Point:
        """Where they start."""
        return tuple(slider["start"] for slider in self.sliders)

    @property
    def ranges(self) -> list[int]:
        """Which of them have a slider; the others are switches."""
        return [i for i, slider in enumerate(self.sliders) if len(slider["values"]) >= FEW]

    @property
    def points(self) -> list[Point]:
        """All positions of the sliders, in the order of the frames."""
        return list(product(*(range(len(slider["values"])) for slider in self.sliders)))

    def state(self, at: Point) -> dict[str, Any]:
        """What the page is to show there."""
        src, alt = self.frames[self.points.index(at)]
        here = list(zip(self.sliders, at, strict=True))
        values = [slider["values"][i] for slider, i in here]
        return {
            "at": list(at),
            "src": src,
            "alt": alt,
            "spoken": [
                slider["values"][i] + slider["unit"] if k in self.ranges else None
                for k, (slider, i) in enumerate(here)
            ],
            "printed": [html.unescape(slider["texts"][i]) + slider["unit"] for slider, i in here],
            "link": [f"#{self.name}", dict(zip(self.parameters, values, strict=True))],
            "playing": ["false"] * len(self.ranges),
        }

    def fragment(self, at: Point) -> str:
        """The end of an address that asks for these positions."""
        name, asked = self.state(at)["link"]
        return f"{name}?" + "&".join(f"{parameter}={value}" for parameter, value in asked.items())


@functools.cache
def stored() -> dict[str, Stored]:
    """Every explorable of the notebooks' outputs by name."""
    found = {}
    for notebook in sorted((ROOT / "book").glob("*.ipynb")):
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", ()):
                data = output.get("data", {}).get(MIME)
                if data:
                    found[data["name"]] = Stored(data["name"], data["sliders"], data["frames"])
    return found


class Figure:
    """An explorable on an open page, beside what the notebook stores of it."""

    def __init__(self, page: Page, name: str) -> None:
        self.page, self.stored = page, stored()[name]
        self.root = page.locator(f"figure.explorable#{name}")
        self.starts, self.ends = self.stored.starts, self.stored.points[-1]

    def state(self) -> dict[str, Any]:
        """Positions, picture, description, values, link and play buttons as they are now."""
        return self.root.evaluate(STATE)

    def check(self, at: Point) -> None:
        """The figure shows what the notebook stores for these positions."""
        assert self.state() == self.stored.state(at)

    def press(self, key: str, slider: int = 0) -> None:
        """Presses a key on a slider, or on the chosen button of a switch."""
        row = self.root.locator(".control").nth(slider)
        row.locator("input[type=range], input:checked").press(key)

    def play(self, slider: int = 0) -> None:
        """Presses the play button of a slider."""
        self.root.locator(".control").nth(slider).locator("button").press("Enter")

    def go(self, *points: Point) -> list[dict[str, Any]]:
        """Puts the sliders there, which stops what plays; says what is shown at each point."""
        return self.root.evaluate(WALK, points)


def figures(page: Page, place: str) -> list[Figure]:
    """All explorables of an open page."""
    return [Figure(page, name) for name in PLACES[place]]


def test_every_stored_explorable_is_on_a_page() -> None:
    assert PLACES
    assert {name for names in PLACES.values() for name in names} == set(stored())


@pytest.mark.parametrize("place", PLACES)
def test_every_frame_is_shown_and_moves_no_other_figure(opened: Open, place: str) -> None:
    all_figures = figures(opened(address(place)).page, place)
    for figure in all_figures:
        figure.check(figure.starts)
    for figure in all_figures:
        others = [other for other in all_figures if other is not figure]
        before = [other.state() for other in others]
        points = figure.stored.points
        assert figure.go(*points) == [figure.stored.state(at) for at in points]
        assert [other.state() for other in others] == before


@pytest.fixture(scope="module")
def typical() -> Typical:
    """A page with figures of one and of two parameters, a slider in each; their names."""
    for place, names in PLACES.items():
        sizes = {len(stored()[name].sliders): name for name in names if stored()[name].ranges}
        if {1, 2} <= set(sizes):
            return place, [sizes[1], sizes[2]]
    return pytest.fail("no page has a figure of one parameter and one of two, each with a slider")


@pytest.fixture(scope="module")
def still(browser: Browser, typical: Typical) -> Iterator[Visit]:
    """That page, its clock stopped."""
    opened = visit(browser, address(typical[0]))
    opened.page.clock.install(time=0)
    opened.page.clock.pause_at(STEP)
    yield opened
    opened.close()
    assert not opened.troubles


@pytest.fixture
def pair(still: Visit, typical: Typical) -> list[Figure]:
    """The two figures, each where it starts."""
    found = [Figure(still.page, name) for name in typical[1]]
    for figure in found:
        figure.go(figure.starts)
    return found


def test_tab_reaches_every_control_in_order(pair: list[Figure]) -> None:
    for figure in pair:
        figure.root.locator("img").click()
        for i, parameter in enumerate(figure.stored.parameters):
            for control in ("button", "input") if i in figure.stored.ranges else ("input",):
                figure.page.keyboard.press("Tab")
                assert figure.page.evaluate(FOCUSED) == [control, parameter, True]


def test_keys_move_one_slider(pair: list[Figure]) -> None:
    for figure in pair:
        for slider, end in enumerate(figure.ends):
            figure.go(figure.starts)
            at = list(figure.starts)
            keys = [("End", end), ("ArrowLeft", end - 1), ("Home", 0), ("ArrowUp", 1)]
            if slider not in figure.stored.ranges:
                keys = [("ArrowRight", (at[slider] + 1) % (end + 1)), ("ArrowLeft", at[slider])]
            for key, at[slider] in keys:
                figure.press(key, slider)
                figure.check(tuple(at))


def test_play_runs_through_the_values_of_one_slider(pair: list[Figure]) -> None:
    """To the last one; from there it begins anew; no other figure moves."""
    for figure, other in (pair, pair[::-1]):
        before = other.state()
        for button, slider in enumerate(figure.stored.ranges):
            end = figure.ends[slider]
            figure.go(figure.starts)
            at = list(figure.starts)
            figure.press("End", slider)
            figure.play(slider)
            for position in range(end):
                at[slider] = position
                expected = figure.stored.state(tuple(at))
                expected["playing"][button] = "true"
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
        slider = figure.stored.ranges[0]
        at = list(figure.starts)
        for stop, position in ((figure.play, 1), (partial(figure.press, "Home"), 0)):
            at[slider] = 0
            figure.go(tuple(at))
            figure.play(slider)
            stop(slider=slider)
            figure.page.clock.run_for(5 * STEP)
            at[slider] = position
            figure.check(tuple(at))


def test_without_motion_play_is_one_step(pair: list[Figure]) -> None:
    page = pair[0].page
    page.emulate_media(reduced_motion="reduce")
    for figure in pair:
        at = list(figure.starts)
        at[figure.stored.ranges[0]] = 0
        figure.go(tuple(at))
        figure.root.locator("button").first.press("Space")
        page.clock.run_for(10 * STEP)
        at[figure.stored.ranges[0]] = 1
        figure.check(tuple(at))
    page.emulate_media(reduced_motion="no-preference")


def test_paper_shows_the_first_picture(pair: list[Figure]) -> None:
    """Also while a page prints itself; afterwards the sliders are where they were."""
    page = pair[0].page
    for figure in pair:
        figure.go(figure.ends)
    page.evaluate(
        """() => addEventListener("beforeprint", () => {
          window.printed = [...document.querySelectorAll("figure.explorable img")].map(e => e.src);
        }, {once: true})"""
    )
    assert page.pdf(page_ranges="1").startswith(b"%PDF")
    printed = page.evaluate("() => window.printed")
    page.emulate_media(media="print")
    for figure in pair:
        assert figure.stored.state(figure.starts)["src"] in printed
        assert figure.root.locator("img").is_visible()
        assert figure.root.locator("output").first.is_visible()
        assert not figure.root.locator("input[type=range]:visible, button:visible").count()
        figure.check(figure.ends)
    page.emulate_media(media="screen")


def test_address_restores_a_setting(opened: Open, typical: Typical) -> None:
    """In a new window, then in the open one; the figure comes into sight, and no other changes."""
    place, names = typical
    wanted = {name: stored()[name].starts for name in PLACES[place]}
    page = None
    for name in names:
        ends = stored()[name].points[-1]
        wanted[name] = tuple((i + 1) % (end + 1) for i, end in zip(wanted[name], ends, strict=True))
        fragment = stored()[name].fragment(wanted[name])
        if page is None:
            page = opened(address(place) + fragment).page
        else:
            page.evaluate(GO_TO, fragment)
        expect(page.locator(f"figure#{name}")).to_be_in_viewport()
        for figure in figures(page, place):
            figure.check(wanted[figure.stored.name])


def test_link_opens_what_it_was_made_for(opened: Open, typical: Typical) -> None:
    place, [_, name] = typical
    first = Figure(opened(address(place)).page, name)
    first.go(first.ends)
    first.root.locator("a.setting").press("Enter")
    first.page.wait_for_url("**#*")
    Figure(opened(first.page.url).page, name).check(first.ends)


def test_address_with_unknown_parts_changes_nothing(opened: Open, typical: Typical) -> None:
    place, [_, name] = typical
    unknown = f"#{name}?{stored()[name].parameters[0]}=no-such-value&other=1"
    figure = Figure(opened(address(place) + unknown).page, name)
    for fragment in ("#no-such-figure?a=1", "#?", "#%"):
        figure.check(figure.starts)
        figure.page.evaluate(GO_TO, fragment)
    figure.check(figure.starts)
