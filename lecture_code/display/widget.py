"""Live figures in JupyterLab: drawn by the kit's script, which comes from the package."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import anywidget
import ipywidgets
import traitlets

from lecture_code.display import markup

SCRIPT = markup.BUILT / "widget.js"


@cache
def kind() -> type[anywidget.AnyWidget]:
    """The widget with the script as it is now; made when the first figure shows."""

    class LiveFigure(anywidget.AnyWidget):
        _esm = SCRIPT.read_text(encoding="utf-8")
        _css = markup.style('[data-jp-theme-light="false"]')
        markup = traitlets.Unicode().tag(sync=True)

    return LiveFigure


def view(data: Mapping[str, Any], picture: str) -> dict[str, Any]:
    """The output by which JupyterLab shows a live figure; nothing where the script is missing."""
    if not SCRIPT.is_file():
        return {}
    drawn = (
        f"{markup.opening(data)}{picture}</div>"
        f'<div class="controls">{markup.controls(data)}</div>{markup.closing(data)}'
    )
    caption = ipywidgets.HTMLMath(data["caption"])
    box = ipywidgets.VBox([kind()(markup=drawn), caption])
    return box._repr_mimebundle_()
