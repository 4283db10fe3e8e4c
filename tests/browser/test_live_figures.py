"""What a live figure does in a reader's hands: mouse, keys, links, paper, phone."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect
from visits import HTML, PHONE, Open, address, redrawn, visit

PLACE, NAME = "book/implicit_bias.html", "which-solution"
TOUCHES = {"ℓ₁": "(-1.50, 1.75)", "ℓ₂": "(-0.60, 1.30)", "ℓ∞": "(0.00, 1.00)"}
ENDS = {
    "gradient descent": TOUCHES["ℓ₂"],
    "momentum": TOUCHES["ℓ₂"],
    "AdaGrad": TOUCHES["ℓ∞"],
    "coordinate descent": TOUCHES["ℓ₁"],
    "sign descent": TOUCHES["ℓ∞"],
}
SIZES = """figure => ({
  texts: [...figure.querySelectorAll("svg text")]
    .map(e => parseFloat(getComputedStyle(e).fontSize)),
  grips: [...figure.querySelectorAll(".grip")].map(e => e.getBoundingClientRect().width),
  held: [...figure.querySelectorAll("*")].filter(e => getComputedStyle(e).touchAction === "none")
    .map(e => e.getAttribute("class")),
  scale: figure.querySelector("svg").getScreenCTM().a,
})"""


class Figure:
    """A live figure on an open page."""

    def __init__(self, page: Page, name: str = NAME) -> None:
        self.page, self.root = page, page.locator(f"figure.live#{name}")
        self.svg = self.root.locator("svg")
        expect(self.svg).to_have_attribute("aria-label", re.compile("."))

    def alt(self) -> str:
        """What is said of the drawing."""
        return self.svg.get_attribute("aria-label")

    def slider(self, name: str) -> Locator:
        """One of the two sliders of a point."""
        return self.root.get_by_role("slider", name=name, exact=True)

    def at(self, point: str) -> tuple[float, float]:
        """Where a point is said to be."""
        sides = (self.slider(f"{point}, {axis}") for axis in ("horizontal", "vertical"))
        return tuple(float(side.get_attribute("aria-valuenow")) for side in sides)

    def radius(self, part: str = "output") -> Locator:
        """The dial of the radius: what it shows, or another part of it."""
        return self.root.locator(f".control[data-name=radius] {part}")

    def link(self) -> str:
        """The address of the setting."""
        return self.root.locator("a.setting").evaluate("a => decodeURIComponent(a.hash)")


@pytest.fixture
def hero(opened: Open) -> Figure:
    """The figure at the top of the chapter."""
    return Figure(opened(address(PLACE)).page)


def test_in_space_a_point_is_dropped_where_it_is_seen(hero: Figure) -> None:
    """And the third unknown stays, however the space is turned."""
    seen = hero.page.evaluate("""() => [-60, -20, 0, 45].flatMap(turn => ["start", "example"]
      .map(name => {
        const state = { start: [1, 2], example: [2, 1], unknowns: "three", turn, third: 0.5 };
        const { where, drop } = live.programs.least_squares, at = where(state, name);
        drop(state, name, [at[0] + 0.4, at[1] - 0.3]);
        return [at, where(state, name), state.third];
      }))""")
    for before, after, third in seen:
        assert after == pytest.approx([before[0] + 0.4, before[1] - 0.3])
        assert third == 0.5


def test_a_point_follows_the_mouse_and_stays_in_the_plane(hero: Figure) -> None:
    grip, before = hero.root.locator(".grip").first, hero.at("start")
    grip.scroll_into_view_if_needed()
    box, other = grip.bounding_box(), hero.at("example")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    hero.page.mouse.move(x, y)
    hero.page.mouse.down()
    hero.page.mouse.move(x + 60, y - 30, steps=4)
    after = hero.at("start")
    assert after[0] > before[0] + 0.3
    assert after[1] - before[1] == pytest.approx((after[0] - before[0]) / 2, abs=0.02)
    assert f"From the start ({after[0]:.2f}, {after[1]:.2f})" in hero.alt()
    assert f"start={after[0]:g},{after[1]:g}" in hero.link()
    hero.page.mouse.move(0, 2000, steps=2)
    hero.page.mouse.up()
    assert hero.at("start") == (-2.6, -1.6)
    assert hero.at("example") == other


def test_keys_move_a_point_along_one_axis(hero: Figure) -> None:
    for axis, name in enumerate(("horizontal", "vertical")):
        slider, at = hero.slider(f"start, {name}"), list(hero.at("start"))
        ends = [float(slider.get_attribute(f"aria-value{end}")) for end in ("min", "max")]
        moves = [("ArrowRight", 0.1), ("ArrowUp", 0.2), ("ArrowLeft", 0.1), ("ArrowDown", 0.0)]
        moves.append(("PageUp", 1.0))
        for key, by in moves:
            slider.press(key)
            expected = list(at)
            expected[axis] += by
            assert hero.at("start") == pytest.approx(expected)
        for key, end in zip(("End", "Home"), ends[::-1], strict=True):
            slider.press(key)
            assert hero.at("start")[axis] == end


def test_switches_and_dials_change_what_is_drawn_and_said(hero: Figure) -> None:
    for method, end in ENDS.items():
        hero.root.get_by_role("radio", name=method, exact=True).check()
        assert f", {method} ends at {end}" in hero.alt()
    dial = hero.root.get_by_role("slider", name="its radius")
    dial.press("End")
    for ball, touch in TOUCHES.items():
        hero.root.get_by_role("radio", name=ball, exact=True).check()
        assert f"The {ball} ball around the start touches the line at {touch}" in hero.alt()
    assert hero.radius().text_content() == "3.00"
    dial.press("Home")
    assert "does not reach" in hero.alt()
    assert dial.get_attribute("aria-valuetext") == hero.radius().text_content()


def test_the_data_meet_the_axes_and_never_vanish(hero: Figure) -> None:
    hero.slider("example, vertical").press("Home")
    for _ in range(16):
        hero.slider("example, vertical").press("ArrowUp")
    p, q = hero.at("example")
    assert (abs(p), q) == (1.0, 0.0)
    for _ in range(12):
        hero.slider("example, horizontal").press("ArrowLeft")
    assert np.hypot(*hero.at("example")) == pytest.approx(0.7, abs=0.01)


def test_play_lets_the_ball_grow_and_stops_when_asked(hero: Figure) -> None:
    button, output = hero.radius(".play"), hero.radius()
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(output).not_to_have_text("1.00")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    stopped = output.text_content()
    hero.page.wait_for_timeout(200)
    assert output.text_content() == stopped
    hero.page.emulate_media(reduced_motion="reduce")
    button.click()
    assert output.text_content() == "3.00"
    expect(button).to_have_attribute("aria-pressed", "false")


def test_a_link_restores_its_setting(opened: Open, hero: Figure) -> None:
    """In a new window and in the open one; what it does not know it leaves, ends it keeps."""
    hero.root.get_by_role("radio", name="sign descent").check()
    hero.slider("start, vertical").press("PageUp")
    said, link = hero.alt(), hero.link()
    address_of_it = hero.root.locator("a.setting").evaluate("a => a.href")
    again = Figure(opened(address_of_it).page)
    assert (again.alt(), again.link()) == (said, link)
    wrong = f"{NAME}?start=9,-9&radius=&method=magic&example=1&ball=ℓ₁&more=1"
    again.page.evaluate("hash => { location.hash = hash; }", wrong)
    expect(again.root.get_by_role("radio", name="ℓ₁")).to_be_checked()
    assert again.at("start") == (2.6, -1.6)
    assert "sign descent" in again.alt()
    assert again.radius().text_content() == "1.00"


def test_paper_shows_the_stored_picture(hero: Figure) -> None:
    hero.slider("start, vertical").press("End")
    hero.page.emulate_media(media="print")
    expect(hero.root.locator("img")).to_be_visible()
    assert not hero.root.locator("svg:visible, input:visible, button:visible, a:visible").count()


def test_without_scripts_the_picture_is_seen_and_no_dead_control(browser: Browser) -> None:
    plain = visit(browser, address(PLACE), java_script_enabled=False)
    expect(plain.page.locator(f"figure.live#{NAME} img")).to_be_visible()
    assert not plain.page.locator("figure.live :is(input, button, a.setting):visible").count()
    plain.close()


def test_a_strict_content_policy_leaves_it_alive(browser: Browser, site: str) -> None:
    """It refuses the theme's scripts within the page; ours are files."""
    context = browser.new_context()
    context.route("**/*.html", with_policy)
    page = context.new_page()
    page.goto(site + PLACE)
    hero = Figure(page)
    before = hero.at("start")
    hero.slider("start, horizontal").press("ArrowRight")
    assert hero.at("start")[0] > before[0]
    slider = page.locator("figure.explorable input[type=range]").first
    said = slider.get_attribute("aria-valuetext")
    slider.press("ArrowRight")
    expect(slider).not_to_have_attribute("aria-valuetext", said)
    context.close()


def with_policy(route: Route) -> None:
    """Answers with the page, and the policy that runs scripts from files only."""
    answer = route.fetch()
    headers = answer.headers | {"content-security-policy": "script-src 'self'"}
    route.fulfill(response=answer, headers=headers)


def test_on_a_phone_all_can_be_read_and_held(opened: Open) -> None:
    """The page scrolls under a finger everywhere but on the handles."""
    hero = Figure(opened(address(PLACE), width=PHONE).page)
    sizes = hero.root.evaluate(SIZES)
    assert sizes["scale"] == pytest.approx(1, abs=0.01)
    assert min(sizes["texts"]) >= 11
    assert min(sizes["grips"]) >= 24
    assert sizes["held"] == ["handle", "handle"]


def test_it_is_drawn_anew_at_its_own_width(hero: Figure) -> None:
    wide = hero.svg.evaluate("svg => svg.viewBox.baseVal.width")
    hero.page.set_viewport_size({"width": PHONE, "height": 800})
    expect(hero.svg).not_to_have_attribute("viewBox", re.compile(f"^0 0 {wide:.0f}"))
    assert hero.root.evaluate(SIZES)["scale"] == pytest.approx(1, abs=0.01)


def test_it_is_redrawn_ten_times_within_a_frame_and_leaves_nothing_behind(hero: Figure) -> None:
    change = """(state, k) => {
      state.start = [Math.sin(k % 5), Math.cos(k % 5)];
      state.radius = k % 5 / 2;
    }"""
    best, grown = redrawn(hero.page, change, 10)
    assert best < 50  # milliseconds
    assert grown == 0


def test_only_pages_with_a_live_figure_load_the_script() -> None:
    for page in HTML.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert ("live.js" in text) == ('<figure class="live"' in text), page.name
