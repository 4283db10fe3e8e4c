"""Live figures: what Python hands over, the picture beside it, and what is refused."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from lecture_code.display import live as module
from lecture_code.display import widget
from lecture_code.display.explore import VIEW
from lecture_code.display.live import Live, live
from lecture_code.display.markup import reading

DIALS: dict[str, Any] = {"size": (0.0, 2.0), "kind": ["one", "two"]}
START: dict[str, Any] = {"kind": "two", "at": (1, -1.0), "size": 0.5}


def simple(**options: Any) -> Live:
    """A small valid figure, some of its arguments replaced."""
    arguments: dict[str, Any] = {
        "name": "simple",
        "program": "least_squares",
        "data": {"target": 2.0},
        "figure": Figure(figsize=(0.6, 0.4), dpi=100),
        "alt": "What is seen.",
        "caption": "What to see, $x$.",
        "plane": ((-1, 1), (-2, 2)),
        "axes": ("width", "height"),
        "start": START,
        "dials": DIALS,
        "points": {"at": "data"},
        "labels": {"at": "the place"},
    }
    return live(**(arguments | options))


@pytest.mark.parametrize("bundled", [True, False])
def test_it_shows_as_json_picture_and_text_and_with_the_script_as_a_widget(
    bundled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "widget.js"
    if bundled:
        script.write_text("export default { render() {} };", encoding="utf-8")
    monkeypatch.setattr(widget, "SCRIPT", script)
    shown = simple()._repr_mimebundle_()
    assert (VIEW in shown) == bundled
    assert set(shown) - {VIEW} == {module.MIME, "image/png", "text/html", "text/plain"}
    assert shown["text/plain"] == "[live] simple: What is seen."
    stored = Image.open(io.BytesIO(base64.b64decode(shown["image/png"])))
    assert [*stored.size] == shown[module.MIME]["size"] == [60, 40]
    assert np.asarray(stored.convert("RGB")).min() == 255
    assert 'alt="What is seen."' in shown["text/html"]


def test_what_stands_beside_a_dial_is_what_the_script_writes() -> None:
    assert reading({"log": True}, 0.00032) == "3.2·10⁻⁴"
    assert [reading({"log": True}, value) for value in (0.012, 38.0, 4321)] == [
        "0.012",
        "38",
        "4300",
    ]
    assert reading({"step": 1}, 7.0) == "7"
    assert reading({}, 0.126) == reading({"step": 0.25}, 0.126) == "0.13"


def test_json_holds_all_that_a_page_needs_in_its_order() -> None:
    """Also where a notebook sorts the names: what has an order is a list."""
    data = json.loads(json.dumps(simple()._repr_mimebundle_()[module.MIME], sort_keys=True))
    assert data["dials"] == [
        {"name": "size", "label": "size", "values": [0.0, 2.0]},
        {"name": "kind", "label": "kind", "values": ["one", "two"]},
    ]
    assert data["points"] == [{"name": "at", "label": "the place", "role": "data"}]
    assert data["start"] == {"at": [1, -1.0], "kind": "two", "size": 0.5}
    assert data["panels"] == [
        {"plane": [[-1, 1], [-2, 2]], "axes": ["width", "height"], "scale": "linear"}
    ]
    assert (data["program"], data["data"]) == ("least_squares", {"target": 2.0})


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "name": ({"name": "No name"}, "name: 'No name'; expected lower-case"),
    "unknown program": ({"program": "no_such"}, "program: 'no_such'; expected a drawing program"),
    "program elsewhere": ({"program": "../kit"}, r"program: '\.\./kit'"),
    "no alternative text": ({"alt": " "}, "alt: ' '; expected"),
    "no caption": ({"caption": ""}, "caption: ''; expected"),
    "empty plane": ({"plane": ((1, 1), (0, 1))}, r"dials, plane: \(1, 1\); expected \(low, high\)"),
    "endless dial": ({"dials": DIALS | {"size": (0, np.inf)}}, r"expected \(low, high\)"),
    "dial of three": ({"dials": DIALS | {"size": (0, 1, 2)}}, r"expected \(low, high\)"),
    "switch of one": ({"dials": DIALS | {"kind": ["two"]}}, r"kind has \['two'\]; expected two"),
    "text twice": ({"dials": DIALS | {"kind": ["two", "two"]}}, "expected two or more distinct"),
    "unknown role": ({"points": {"at": "red"}}, r"points: \['red'\]; expected colour roles"),
    "stray label": ({"labels": {"of": "x"}}, r"labels: \['of'\] name no dial and no point"),
    "no start of one": ({"start": {"kind": "two", "size": 1}}, "start: .* expected"),
    "start of nothing": ({"start": START | {"more": 1}}, "start: .* expected"),
    "dial and point": ({"points": {"at": "data", "size": "data"}}, "each once"),
    "start off a switch": ({"start": START | {"kind": "six"}}, "start: kind='six' is out of"),
    "start off a dial": ({"start": START | {"size": 2.1}}, "start: size=2.1 is out of"),
    "start off the plane": ({"start": START | {"at": (0, 3)}}, r"start: at=\(0, 3\) is out of"),
    "too many scales": ({"scales": ("x", "y")}, r"scales: \['x', 'y'\]; expected a word a panel"),
    "powers below zero": ({"scales": ("x",)}, "scales: x begins at -1; expected a positive"),
    "log of nothing": ({"logs": ("kind",)}, "'kind'; expected a continuous dial"),
    "log from zero": ({"logs": ("size",)}, "logs: size begins at 0.0; expected a positive"),
    "step too long": ({"steps": {"size": 3}}, "steps: size has 3; expected a step within"),
    "cells of one value": ({"cells": {"at": 1}}, "cells: at has 1 values; expected 2 to 10"),
    "cells in three": (
        {"cells": {"bits": 2}, "start": START | {"bits": "012"}},
        "start: bits='012'; expected a text of the digits",
    ),
    "start in space": ({"start": START | {"at": (0, 0, 0)}}, r"start: at=\(0, 0, 0\) is out of"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simple(**options)
