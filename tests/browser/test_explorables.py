"""Figures with sliders: every frame by keyboard, played, linked, printed; none disturbs another."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Iterator
from itertools import pairwise, product
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image
from playwright.sync_api import Browser, Page
from visits import HTML, PAGES, Stored, Visit, address, stored_explorables, visit

STORED = stored_explorables()
STEP = 700  # milliseconds between two frames of a figure that plays
SCRIPT_LIMIT = 3_000  # bytes


def shown_on(place: str) -> list[str]:
    """The names of the explorables on a built page, in order."""
    if not (HTML / place).is_file():
        return []
    soup = BeautifulSoup((HTML / place).read_text(encoding="utf-8"), "html.parser")
    return [str(figure["id"]) for figure in soup.select("figure.explorable")]


PLACES = {place: names for place in PAGES if (names := shown_on(place))}
FIGURES = [(place, name) for place, names in PLACES.items() for name in names]

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


class Figure:
    """An explorable on an open page, beside what the notebook stores of it."""

    def __init__(self, page: Page, name: str) -> None:
        self.page, self.name, self.stored = page, name, STORED[name]
        self.root = page.locator(f"figure.explorable#{name}")
        self.sliders = self.root.locator("input").all()
        self.buttons = self.root.locator("button").all()

    def state(self) -> dict[str, list[str]]:
        """Positions, picture, description, values, link and play buttons as they are now."""
        return self.root.evaluate(STATE)

    def expected(self, at: tuple[int, ...]) -> dict[str, object]:
        """The same as the notebook has it for these positions."""
        stored: Stored = self.stored
        sliders = stored.data["sliders"]
        src, alt = stored.frame(at)
        values = stored.values(at)
        return {
            "at": list(at),
            "src": src,
            "alt": alt,
            "spoken": [v + s["unit"] for v, s in zip(values, sliders, strict=True)],
            "printed": [
                html.unescape(s["texts"][i]) + s["unit"] for s, i in zip(sliders, at, strict=True)
            ],
            "link": [f"#{self.name}", dict(zip(stored.parameters, values, strict=True))],
            "playing": ["false"] * len(sliders),
        }

    def check(self, at: tuple[int, ...]) -> None:
        """The figure shows what the notebook stores for these positions."""
        assert self.state() == self.expected(at)

    def press(self, slider: int, key: str) -> None:
        """Presses a key on a slider."""
        self.sliders[slider].focus()
        self.page.keyboard.press(key)

    def reset(self) -> None:
        """Stops what plays and puts the sliders where they start."""
        for button in self.buttons:
            if button.get_attribute("aria-pressed") == "true":
                button.click()
        for slider, start in enumerate(self.stored.starts):
            self.press(slider, "Home")
            for _ in range(start):
                self.page.keyboard.press("ArrowRight")


def other(stored: Stored) -> tuple[int, ...]:
    """Positions of the sliders that differ from the start in each slider that can differ."""
    return tuple((i + 1) % n for i, n in zip(stored.starts, stored.sizes, strict=True))


def setting(name: str, at: tuple[int, ...]) -> str:
    """The fragment of an address that asks for these positions."""
    stored = STORED[name]
    pairs = zip(stored.parameters, stored.values(at), strict=True)
    return f"#{name}?" + "&".join(f"{parameter}={value}" for parameter, value in pairs)


def in_sight(figure: Figure) -> bool:
    """Whether the page is scrolled so that the figure begins within the window."""
    return figure.root.evaluate(
        """async figure => {
          await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
          const top = figure.getBoundingClientRect().top;
          return top >= -1 && top < innerHeight / 2;
        }"""
    )


@pytest.fixture(scope="module", params=PLACES)
def place(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A page with explorables, opened once for the tests that leave it as it was."""
    opened = visit(browser, address(request.param))
    opened.place = request.param
    opened.page.clock.install(time=0)
    opened.page.clock.pause_at(STEP)
    yield opened
    opened.close()
    assert not opened.troubles


@pytest.fixture
def figures(place: Visit) -> list[Figure]:
    """The explorables of the page, each where it starts."""
    found = [Figure(place.page, name) for name in PLACES[place.place]]
    for figure in found:
        figure.reset()
    return found


def test_every_stored_explorable_is_on_a_page() -> None:
    assert STORED
    assert {name for _, name in FIGURES} == set(STORED)


def test_figure_starts_as_the_notebook_has_it(place: Visit) -> None:
    for name in PLACES[place.place]:
        Figure(place.page, name).check(STORED[name].starts)


def test_tab_reaches_every_control_in_order(figures: list[Figure]) -> None:
    for figure in figures:
        figure.root.locator("img").click()
        reached = []
        for _ in range(2 * len(figure.sliders)):
            figure.page.keyboard.press("Tab")
            reached.append(
                figure.page.evaluate(
                    """() => [document.activeElement.localName, document.activeElement.name,
                              document.activeElement.matches(":focus-visible")]"""
                )
            )
        wanted = [
            control
            for parameter in figure.stored.parameters
            for control in (["button", "", True], ["input", parameter, True])
        ]
        assert reached == wanted


def test_arrow_keys_show_every_frame(figures: list[Figure]) -> None:
    """To and fro through the whole grid, one key press from each frame to the next."""
    for figure in figures:
        sizes = figure.stored.sizes
        for slider in range(len(sizes)):
            figure.press(slider, "Home")
        at = tuple(0 for _ in sizes)
        figure.check(at)
        for step in to_and_fro(sizes):
            [slider] = [i for i in range(len(sizes)) if step[i] != at[i]]
            figure.press(slider, "ArrowRight" if step[slider] > at[slider] else "ArrowLeft")
            figure.check(step)
            at = step


def to_and_fro(sizes: tuple[int, ...]) -> list[tuple[int, ...]]:
    """All points of a grid but its origin, each one step from the one before."""
    points: list[tuple[int, ...]] = [()]
    for size in sizes:
        points = [
            (*point, k if n % 2 == 0 else size - 1 - k)
            for n, point in enumerate(points)
            for k in range(size)
        ]
    assert all(sum(abs(a - b) for a, b in zip(p, q, strict=True)) == 1 for p, q in pairwise(points))
    assert sorted(points) == sorted(product(*map(range, sizes)))
    return points[1:]


def test_home_and_end_go_to_the_ends(figures: list[Figure]) -> None:
    for figure in figures:
        for slider, size in enumerate(figure.stored.sizes):
            for key, position in (("End", size - 1), ("Home", 0)):
                figure.reset()
                figure.press(slider, key)
                at = list(figure.stored.starts)
                at[slider] = position
                figure.check(tuple(at))


def test_each_slider_has_its_label(figures: list[Figure]) -> None:
    for figure in figures:
        for slider in figure.sliders:
            assert slider.evaluate("input => input.labels[0].textContent.trim()")
            assert slider.evaluate("input => input.closest('figure') !== null")


def test_first_picture_is_the_notebooks_png(figures: list[Figure]) -> None:
    """Decoded by the browser, pixel by pixel."""
    for figure in figures:
        shown = figure.root.locator("img").evaluate(
            """async image => {
              await image.decode();
              const canvas = document.createElement("canvas");
              [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
              canvas.getContext("2d").drawImage(image, 0, 0);
              return canvas.toDataURL("image/png").split(",")[1];
            }"""
        )
        pixels, stored = (
            np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"), dtype=float)
            for data in (shown, figure.stored.png)
        )
        assert pixels.shape == stored.shape
        assert np.abs(pixels - stored).max() <= 1


def test_figures_do_not_interfere(figures: list[Figure]) -> None:
    for moved in figures:
        others = [figure for figure in figures if figure is not moved]
        before = [figure.state() for figure in others]
        for slider in range(len(moved.sliders)):
            moved.press(slider, "End")
        assert [figure.state() for figure in others] == before


def test_play_runs_through_the_values(figures: list[Figure]) -> None:
    for figure in figures:
        for slider, size in enumerate(figure.stored.sizes):
            figure.reset()
            figure.press(slider, "Home")
            at = list(figure.stored.starts)
            figure.buttons[slider].focus()
            figure.page.keyboard.press("Enter")
            for position in range(1, size):
                at[slider] = position
                expected = figure.expected(tuple(at))
                if position < size - 1:
                    expected["playing"][slider] = "true"
                assert figure.state() == expected
                figure.page.clock.run_for(STEP)


def test_play_stops_at_the_last_value(figures: list[Figure]) -> None:
    """Even if that is the next one; from there it begins anew."""
    for figure in figures:
        size, rest = figure.stored.sizes[0], figure.stored.starts[1:]
        figure.press(0, "End")
        figure.page.keyboard.press("ArrowLeft")
        figure.buttons[0].focus()
        figure.page.keyboard.press("Enter")
        figure.page.clock.run_for(STEP)
        figure.check((size - 1, *rest))
        figure.page.keyboard.press("Enter")
        assert figure.state()["at"][0] == 0
        figure.page.clock.run_for(size * STEP)
        figure.check((size - 1, *rest))


def test_play_stops_when_asked(figures: list[Figure]) -> None:
    """By a second press of its button, or by a key on the slider."""
    for figure in figures:
        [button, slider, start] = figure.buttons[0], figure.sliders[0], figure.stored.starts[1:]
        for control, key in ((button, "Enter"), (slider, "Home")):
            figure.press(0, "Home")
            button.focus()
            figure.page.keyboard.press("Enter")
            control.focus()
            figure.page.keyboard.press(key)
            figure.page.clock.run_for(5 * STEP)
            figure.check((0 if key == "Home" else 1, *start))


def test_play_moves_no_other_figure(figures: list[Figure]) -> None:
    before = [figure.state() for figure in figures[1:]]
    figures[0].press(0, "Home")
    figures[0].buttons[0].click()
    figures[0].page.clock.run_for(STEP * figures[0].stored.sizes[0])
    assert figures[0].state()["at"][0] == figures[0].stored.sizes[0] - 1
    assert [figure.state() for figure in figures[1:]] == before


def test_without_motion_play_is_one_step(figures: list[Figure]) -> None:
    page = figures[0].page
    page.emulate_media(reduced_motion="reduce")
    for figure in figures:
        figure.press(0, "Home")
        figure.buttons[0].focus()
        page.keyboard.press("Space")
        page.clock.run_for(10 * STEP)
        figure.check((1, *figure.stored.starts[1:]))
    page.emulate_media(reduced_motion="no-preference")


def test_paper_shows_the_first_picture(figures: list[Figure]) -> None:
    page = figures[0].page
    for figure in figures:
        for slider in range(len(figure.sliders)):
            figure.press(slider, "End")
    page.emulate_media(media="print")
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    for figure in figures:
        figure.check(figure.stored.starts)
        assert figure.root.locator("img").is_visible()
        assert figure.root.locator("output").first.is_visible()
        assert not figure.root.locator("input:visible, button:visible").count()
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    for figure in figures:
        figure.check(tuple(size - 1 for size in figure.stored.sizes))


def test_script_is_there_once_and_small(place: Visit) -> None:
    sizes = place.page.evaluate(
        """() => [...document.scripts].map(script => script.textContent)
          .filter(text => text.includes("explorable") && !text.startsWith("{"))
          .map(text => new TextEncoder().encode(text).length)"""
    )
    assert len(sizes) == 1
    assert sizes[0] < SCRIPT_LIMIT


def test_figures_load_no_library() -> None:
    """A page with explorables asks for the same scripts as one without."""
    used = {place: scripts(place) for place in PAGES}
    plain = set.union(*(used[place] for place in PAGES if place not in PLACES))
    for place in PLACES:
        assert used[place] <= plain


def scripts(place: str) -> set[str]:
    """The names of the script files of a built page."""
    soup = BeautifulSoup((HTML / place).read_text(encoding="utf-8"), "html.parser")
    return {Path(urlsplit(tag["src"]).path).name for tag in soup.select("script[src]")}


@pytest.mark.parametrize("place_", PLACES)
def test_address_restores_a_setting(opened: Callable[..., Visit], place_: str) -> None:
    """In a new window, then in the open one; the figure comes into sight, and no other changes."""
    names = PLACES[place_]
    seen = opened(address(place_) + setting(names[-1], other(STORED[names[-1]])))
    figures = {name: Figure(seen.page, name) for name in names}
    changed = [names[-1]]
    for name in names:
        if name not in changed:
            seen.page.evaluate(
                "hash => { location.hash = hash }", setting(name, other(STORED[name]))
            )
            changed.append(name)
        wait_for(figures[changed[-1]], other(STORED[changed[-1]]))
        assert in_sight(figures[changed[-1]])
        for one in names:
            stored = STORED[one]
            figures[one].check(other(stored) if one in changed else stored.starts)


def wait_for(figure: Figure, at: tuple[int, ...]) -> None:
    """Waits until the figure has changed after the address has."""
    figure.page.wait_for_function(
        """([name, at]) => at.every((value, i) =>
          Number(document.getElementById(name).querySelectorAll("input")[i].value) === value)""",
        arg=[figure.name, list(at)],
    )


@pytest.mark.parametrize("place_", list(PLACES)[:1])
def test_link_opens_what_it_was_made_for(opened: Callable[..., Visit], place_: str) -> None:
    name = PLACES[place_][0]
    ends = tuple(size - 1 for size in STORED[name].sizes)
    first = Figure(opened(address(place_)).page, name)
    for slider in range(len(first.sliders)):
        first.press(slider, "End")
    link = first.root.locator("a.setting")
    link.focus()
    first.page.keyboard.press("Enter")
    first.check(ends)
    second = Figure(opened(first.page.url).page, name)
    second.check(ends)


@pytest.mark.parametrize("place_", list(PLACES)[:1])
def test_address_with_unknown_parts_changes_nothing(
    opened: Callable[..., Visit], place_: str
) -> None:
    name = PLACES[place_][0]
    parameter = STORED[name].parameters[0]
    for fragment in (
        f"#{name}?{parameter}=no-such-value&other=1",
        "#no-such-figure?a=1",
        "#?",
        "#%",
    ):
        figure = Figure(opened(address(place_) + fragment).page, name)
        figure.check(STORED[name].starts)


@pytest.mark.parametrize("place_", list(PLACES)[:1])
def test_print_to_pdf_shows_the_first_picture(opened: Callable[..., Visit], place_: str) -> None:
    figure = Figure(opened(address(place_)).page, PLACES[place_][0])
    ends = tuple(size - 1 for size in figure.stored.sizes)
    for slider in range(len(figure.sliders)):
        figure.press(slider, "End")
    figure.root.evaluate(
        """figure => addEventListener("beforeprint", () => {
          window.printed = [...figure.querySelectorAll("input")].map(e => Number(e.value));
        })"""
    )
    assert figure.page.pdf().startswith(b"%PDF")
    assert figure.page.evaluate("() => window.printed") == list(figure.stored.starts)
    figure.check(ends)
