"""axe-core finds no violation of WCAG 2.1 A or AA on any page, with everything unfolded."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from playwright.sync_api import Browser
from visits import DESK, GENERATED, PAGES, PHONE, ROOT, THEMES, Visit, address, visit

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]

# Third-party markup that cannot be repaired from here: rule, selector, reason. Keep it empty.
EXCEPTIONS: dict[tuple[str, str], str] = {}

# A formula's picture is hidden from screen readers, which read the MathML beside it. Its many
# nodes are joined to one text in the same colour, for the check of contrast.
UNFOLD = """() => {
  for (const details of document.querySelectorAll("details")) details.open = true;
  for (const button of document.querySelectorAll(".toggle-button-hidden")) button.click();
  for (const math of document.querySelectorAll(".katex-html[aria-hidden=true]"))
    math.textContent = math.textContent;
}"""

AUDIT = """async tags => {
  const options = {runOnly: tags, resultTypes: ["violations"], preload: false};
  const {violations} = await axe.run(document, options);
  return violations.flatMap(({id, nodes}) => nodes.map(({target, failureSummary, html}) =>
    ({rule: id, target: target.join(" "), why: failureSummary, html: html.slice(0, 200)})));
}"""


@pytest.fixture(
    scope="module",
    params=list(product([*PAGES, *GENERATED], THEMES)),
    ids=lambda view: "-".join(view),
)
def unfolded(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A page in one theme, everything on it unfolded, with axe-core."""
    if not AXE.is_file():
        pytest.fail("axe-core is missing: run `npm ci`, or `make test`, which does", False)
    place, theme = request.param
    opened = visit(browser, address(place), theme, PHONE, reduced_motion="reduce")
    opened.page.clock.install()
    opened.page.evaluate(UNFOLD)
    opened.page.clock.run_for(1000)  # the theme waits for a quiet moment before it looks again
    opened.page.evaluate(AXE.read_text(encoding="utf-8"))
    yield opened
    opened.close()


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_axe_finds_no_violation(unfolded: Visit, width: int) -> None:
    unfolded.page.set_viewport_size({"width": width, "height": 800})
    found = [
        f"{one['rule']} at {one['target']}\n  {one['why']}\n  {one['html']}"
        for one in unfolded.page.evaluate(AUDIT, RULES)
        if (one["rule"], one["target"]) not in EXCEPTIONS
    ]
    assert not found, "\n".join([f"{len(found)} violations", *found[:20]])
