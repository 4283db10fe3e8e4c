"""From JSON to the page: explorables whole, nothing breaks out, no other book meets it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import lean
import nbformat
import outputs
import pytest
import yaml
from bs4 import BeautifulSoup
from docutils import nodes
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output
from sphinx.errors import ExtensionError

from lecture_code.display import evidence, live

ROOT = Path(__file__).resolve().parents[2]
EVIL = 'a "quoted" & <b>bold</b> </script><img src=x onerror=alert(1)> <!--<script> \u2028 $5 \\'
SLIDERS = [
    {"name": "k", "label": "size $k$", "spoken": "size k", "unit": " m", "start": 1},
    {"name": "kind", "label": "kind", "spoken": "kind", "unit": "", "start": 0},
]
VALUES = [["1", "2", "1e-06", "4", "5"], ["<i>", 'b"&']]
TEXTS = [["1", "2", "$10^{-6}$", "4", "5"], ["&lt;i&gt;", "b&quot;&amp;"]]


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    """An explorable of ten frames that starts at the third."""
    sliders = [
        {**slider, "values": values, "texts": texts}
        for slider, values, texts in zip(SLIDERS, VALUES, TEXTS, strict=True)
    ]
    frames = [[f"data:image/webp;base64,{i}", f"{EVIL} {i}"] for i in range(10)]
    return {
        "name": "bar-chart",
        "caption": "What to see.",
        "size": [70, 50],
        "panels": 2,
        "sliders": sliders,
        "frames": frames,
    }


@pytest.fixture(scope="module")
def page(data: dict[str, Any]) -> BeautifulSoup:
    """That explorable on a page without KaTeX."""
    block = outputs.explorable(data, lambda text: [nodes.Text(text)], SimpleNamespace())
    return BeautifulSoup("".join(block.findall(nodes.Text)), "html.parser")


def test_figure_shows_its_first_frame_and_carries_the_others(
    page: BeautifulSoup, data: dict[str, Any]
) -> None:
    image = page.select_one("figure#bar-chart > .picture-scroll > img")
    assert [image["src"], image["alt"]] == data["frames"][2]
    assert (image["width"], image["height"]) == ("70", "50")
    carried = json.loads(page.select_one("script").string)
    assert carried["first"] == 2
    assert carried["frames"] == [*data["frames"][:2], 0, *data["frames"][3:]]


def test_a_slider_is_labelled_and_says_its_value(page: BeautifulSoup) -> None:
    field = page.select_one("input[type=range]")
    assert page.select_one(f'label[for="{field["id"]}"]').get_text() == "size $k$"
    assert (field["max"], field["value"], field["aria-valuetext"]) == ("4", "1", "2 m")
    assert page.select_one("output").get_text() == "2 m"
    assert page.select_one("button")["aria-label"] == "Play size k"


def test_a_few_values_are_buttons(page: BeautifulSoup) -> None:
    group = page.select_one('[role="radiogroup"]')
    assert page.find(id=group["aria-labelledby"]).get_text() == "kind"
    assert [one.get_text() for one in group.select("label.choice")] == VALUES[1]
    assert [one.has_attr("checked") for one in group.select("input")] == [True, False]
    assert len(page.select("button, output")) == 2  # of the slider alone


def test_link_leads_to_the_start(page: BeautifulSoup) -> None:
    name, _, query = urlsplit(page.select_one("a.setting")["href"]).fragment.partition("?")
    assert name == "bar-chart"
    assert parse_qs(query, strict_parsing=True) == {"k": ["2"], "kind": ["<i>"]}


def test_no_text_breaks_out(page: BeautifulSoup) -> None:
    assert len(page.select("img")) == len(page.select("script")) == 1
    assert not page.select("i, b")
    assert not re.search("<!--|</?script", page.select_one("script").string)


LIVE = {
    "name": "plane",
    "program": "least_squares",
    "dials": [
        {"name": "size", "label": EVIL, "values": [0.0, 2.0]},
        {"name": "kind", "label": "kind", "values": ["<i>", 'b"&']},
    ],
    "points": [{"name": "at", "label": EVIL, "role": "data"}],
    "start": {"size": 0.5, "kind": 'b"&', "at": [0, 0]},
    "cells": {},
    "panels": [{"plane": [[-1, 1], [-1, 1]], "axes": ["x", "y"], "scale": "linear"}],
    "data": {},
    "caption": "What to see.",
    "alt": "What is seen.",
    "size": [70, 50],
}


def test_a_live_figure_has_its_controls_labelled_at_their_start() -> None:
    """And no text breaks out."""
    block = outputs.live_figure(LIVE, lambda text: [nodes.Text(text)])
    soup = BeautifulSoup("".join(block.findall(nodes.Text)), "html.parser")
    dial = soup.select_one("figure#plane input[type=range]")
    assert soup.select_one(f'label[for="{dial["id"]}"]').get_text() == EVIL
    assert (dial["min"], dial["max"], dial["value"]) == ("0.0", "2.0", "0.5")
    assert soup.select_one("output").get_text() == dial["aria-valuetext"] == "0.50"
    group = soup.select_one('[role="radiogroup"]')
    assert soup.find(id=group["aria-labelledby"]).get_text() == "kind"
    assert [one["value"] for one in group.select("input")] == ["<i>", 'b"&']
    assert [one.has_attr("checked") for one in group.select("input")] == [False, True]
    carried = json.loads(soup.select_one("script").string)
    assert carried["points"] == LIVE["points"]
    assert not soup.select("i, b, img")
    assert not re.search("<!--|</?script", soup.select_one("script").string)


@pytest.mark.parametrize("bundled", [True, False])
def test_without_the_script_a_live_figure_is_its_picture(
    bundled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "BUNDLE", tmp_path / "live.js")
    if bundled:
        outputs.BUNDLE.touch()
    monkeypatch.setattr(outputs, "parsed", lambda writer, line, text: [nodes.Text(text)])
    writer = SimpleNamespace(sphinx_env=SimpleNamespace(config=None))
    output = SimpleNamespace(mime_type=live.MIME, content=LIVE, line=0)
    (block,) = outputs.Outputs.handle_mime(SimpleNamespace(renderer=writer), output, False)
    soup = BeautifulSoup("".join(block.findall(nodes.Text)), "html.parser")
    assert len(list(block.findall(outputs.frame))) == 1
    assert bool(soup.select("figure.live, input")) == bundled
    assert bool(soup.select("figure.plot")) != bundled


def test_a_mend_that_finds_nothing_fails_the_build() -> None:
    mends = lean.Mends()
    assert mends.replace("one two", "two", "2") == "one 2"
    assert mends.replace("one 2", re.compile("(o)ne"), r"\g<1>1") == "o1 2"
    mends.check()
    mends.replace("one", "three", "3")
    with pytest.raises(ExtensionError, match=r"nothing matches .*three"):
        mends.check()


def built(cell: NotebookNode, folder: Path, passed_over: list[str]) -> str:
    """The page that MyST-NB makes of a notebook with one cell; any other warning fails it."""
    language = {"name": "python", "pygments_lexer": "ipython3"}
    notebook = new_notebook(cells=[cell], metadata={"language_info": language})
    nbformat.write(notebook, folder / "index.ipynb")
    settings = ["extensions=myst_nb", "nb_execution_mode=off", "html_theme=basic"]
    settings.append(f"suppress_warnings={','.join(['toc.no_title', *passed_over])}")
    options = [word for one in settings for word in ("-D", one)]
    command = [sys.executable, "-m", "sphinx", "-C", "-W", "-q", "-b", "html", *options]
    run = subprocess.run([*command, folder, folder / "out"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return (folder / "out" / "index.html").read_text(encoding="utf-8")


def test_another_book_beside_the_project_is_left_alone(tmp_path: Path) -> None:
    """The renderers are found through metadata in ``book/_ext``, never through the package's."""
    assert not list(metadata.distribution("lecture-code").entry_points)
    shown = {"text/plain": "plain form", evidence.MIME: {"id": "of another book"}}
    cell = new_code_cell("1", outputs=[new_output("execute_result", shown)], execution_count=1)
    assert "plain form" in built(cell, tmp_path, ["mystnb.unknown_mime_type"])


def test_a_cell_that_is_not_python_and_its_error_are_shown(tmp_path: Path) -> None:
    """As a reader's own notebook may hold them: the book is built all the same."""
    wrong = new_output("error", ename="E", evalue="$", traceback=["line 1\n    f'{x!}' $ ?? ¿"])
    cell = new_code_cell("f'{x!}' $ ?? ¿", outputs=[wrong], execution_count=1)
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    page = built(cell, tmp_path, config["sphinx"]["config"]["suppress_warnings"])
    assert BeautifulSoup(page, "html.parser").get_text().count("?? ¿") == 2
