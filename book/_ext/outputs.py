"""What the cells of a chapter show, from the JSON that the notebooks store to the page.

MyST-NB finds :class:`Outputs` through the entry point in ``companion.dist-info``, which lies in
this folder, so that no other book in the same environment meets it.
"""

from __future__ import annotations

import html
import json
import posixpath
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from docutils import nodes
from formulas import as_html
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from lecture_code.display import claims, explore, plotting

DRAWING = re.compile(r"^def (draw_|\w+_alt\()", re.MULTILINE)
SHOWN = "shown"

Typeset = Callable[[str], list[nodes.Node]]


def set_up_outputs(app: Sphinx) -> None:
    """Registers what finishes the outputs on the page."""
    app.add_node(picture, html=(visit_picture, None))
    app.add_post_transform(PlacePictures)
    app.add_post_transform(FoldCode)
    app.add_js_file("explorable.js", loading_method="defer")


class frame(nodes.Element):  # docutils names its nodes in lower case
    """The place of a picture that is still to come."""


class picture(nodes.image):
    """An image that is written with its size and its text."""


def visit_picture(writer: Any, node: picture) -> None:
    """Writes the image element; the file is the one that Sphinx copies beside the pages."""
    name = quote(writer.builder.images[node["uri"]])
    src = posixpath.join(writer.builder.imgpath, name)
    writer.body.append(image(src, node["alt"], node["size"]))
    raise nodes.SkipNode


def image(src: str, alt: str, size: tuple[int, int]) -> str:
    """An HTML image with its alternative text and its size."""
    width, height = size
    return f'<img src="{src}" alt="{html.escape(alt)}" width="{width}" height="{height}">'


class Outputs:
    """Turns the outputs of our own kinds into nodes."""

    mime_priority_overrides: ClassVar = [
        ("html", mime, 1) for mime in (claims.MIME, explore.MIME, plotting.MIME)
    ]

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list[nodes.Element] | None:
        """The nodes of an output, or ``None`` if it is of another kind."""
        writer = renderer.renderer
        config = writer.sphinx_env.config
        typeset = partial(parsed, writer, data.line or 0)
        if data.mime_type == claims.MIME:
            return [claim_card(data.content, typeset)]
        if data.mime_type == plotting.MIME:
            return [figure(data.content, typeset)]
        if data.mime_type == explore.MIME:
            return [explorable(data.content, typeset, config)]
        return None


def parsed(writer: Any, line: int, text: str) -> list[nodes.Node]:
    """A line of Markdown with ``$math$`` as nodes."""
    holder = nodes.Element()
    with writer.current_node_context(holder):
        writer.nested_render_text(text, line, inline=True)
    return holder.children


def raw(text: str) -> nodes.raw:
    """HTML that is written as it is."""
    return nodes.raw("", text, format="html")


def shown(classes: Iterable[str], *children: nodes.Node) -> nodes.container:
    """A block of the page that a cell shows."""
    return nodes.container("", *children, classes=[SHOWN, *classes])


def reference(statement_id: str) -> addnodes.pending_xref:
    """A link to a statement, by its number."""
    return addnodes.pending_xref(
        "",
        nodes.inline("", statement_id),
        refdomain="prf",
        reftype="ref",
        reftarget=statement_id,
        refwarn=True,
    )


def claim_card(claim: dict[str, Any], typeset: Typeset) -> nodes.container:
    """What was checked, both sides, the ratio as a bar."""
    row = claims.lookup(claim["id"])
    kind = "Counterexample: " if claim["kind"] == "counterexample" else ""
    title = nodes.strong("", "", nodes.Text(f"✓ {kind}"), *typeset(row.title))
    head = nodes.paragraph("", "", title, reference(row.id), classes=["claim-head"])
    parts = [
        ("what", f"{claim['what']}:" if claim["what"] else ""),
        ("side", claim["left"]),
        ("relation", claim["relation"]),
        ("side", claim["right"]),
        ("detail", f"({claim['detail']})" if claim["detail"] else ""),
    ]
    spans = [nodes.inline("", text, classes=[f"claim-{name}"]) for name, text in parts if text]
    if claim["ratio"] is not None:
        share = min(claim["ratio"], 1.0)
        spans.append(raw(f'<span class="claim-bar" style="--ratio:{share:.2g}"></span>'))
    if claim["vacuous"]:
        spans.append(nodes.inline("", "vacuous", classes=["claim-vacuous"]))
    body = nodes.paragraph("", "", *spans, classes=["claim-body"])
    return shown(["claim", f"claim-{claim['kind']}"], head, body)


def figure(data: dict[str, Any], typeset: Typeset) -> nodes.container:
    """A figure whose picture is still to come, from the PNG of the same output."""
    empty = frame(alt=data["alt"], size=data["size"])
    caption = typeset(data["caption"])
    opening, middle = raw('<figure class="plot">'), raw("<figcaption>")
    return shown([], opening, empty, middle, *caption, raw("</figcaption></figure>"))


class PlacePictures(SphinxPostTransform):
    """Gives each figure the picture that its output holds, before one form of it is selected."""

    default_priority = 3  # MyST-NB selects at 4
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Moves the address of the image beside a figure into it."""
        for empty in list(self.document.findall(frame)):
            bundle = empty.parent
            while bundle.get("nb_element") != "mime_bundle":
                bundle = bundle.parent
            stored = next(bundle.findall(nodes.image))
            address = {key: stored[key] for key in ("uri", "candidates")}
            empty.replace_self(picture(**address, alt=empty["alt"], size=empty["size"]))


def explorable(data: dict[str, Any], typeset: Typeset, config: Any) -> nodes.container:
    """A figure with native sliders; the script beside it shows the frames that it carries."""
    name, sliders = data["name"], data["sliders"]
    first = 0
    for slider in sliders:
        first = first * len(slider["values"]) + slider["start"]
    src, alt = data["frames"][first]
    parts: list[nodes.Node] = [
        raw(f'<figure class="explorable" id="{name}">{image(src, alt, data["size"])}'),
        raw('<div class="controls">'),
    ]
    for slider in sliders:
        parts += control(name, slider, typeset, config)
    state = html.escape(urlencode({s["name"]: s["values"][s["start"]] for s in sliders}))
    parts += [raw("</div><figcaption>"), *typeset(data["caption"])]
    carried = {
        "sliders": [
            {
                "values": slider["values"],
                "texts": [as_html(text, config) for text in slider["texts"]],
                "unit": slider["unit"],
            }
            for slider in sliders
        ],
        "first": first,
        "frames": [0 if i == first else frame for i, frame in enumerate(data["frames"])],
    }
    parts.append(
        raw(
            f' <a class="setting" href="#{name}?{state}">Link to this setting</a></figcaption>'
            f'<script type="application/json">{script_data(carried)}</script></figure>'
        )
    )
    return shown([], *parts)


def control(
    figure_name: str, slider: dict[str, Any], typeset: Typeset, config: Any
) -> list[nodes.Node]:
    """The row of one slider: label, play button, range, value."""
    place, start = f"{figure_name}-{slider['name']}", slider["start"]
    value = html.escape(slider["values"][start] + slider["unit"])
    shown_value = as_html(slider["texts"][start], config) + slider["unit"]
    return [
        raw(f'<p class="control"><label for="{place}">'),
        *typeset(slider["label"]),
        raw(
            '</label><button type="button" aria-pressed="false" '
            f'aria-label="Play {slider["spoken"]}">▶</button>'
            f'<input type="range" id="{place}" name="{slider["name"]}" min="0" '
            f'max="{len(slider["values"]) - 1}" step="1" value="{start}" autocomplete="off" '
            f'aria-valuetext="{value}"><output for="{place}">{shown_value}</output></p>'
        ),
    ]


def script_data(data: Any) -> str:
    """JSON that can stand inside a script element, whatever its texts hold."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


class FoldCode(SphinxPostTransform):
    """Folds the code of cells that show a claim or a figure, or that only draw one.

    The folded code comes after what it shows. A cell tagged ``show-input`` stays open.
    """

    default_priority = 200
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Folds the cells of a page."""
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("nb_element") != "cell_code" or "tag_show-input" in cell["classes"]:
                continue
            code, *outputs = cell.children
            own = any(SHOWN in one["classes"] for one in cell.findall(nodes.container))
            if own or DRAWING.search(code.astext()):
                opening = '<details class="code"><summary>Code</summary>'
                cell.children = [*outputs, raw(opening), code, raw("</details>")]
