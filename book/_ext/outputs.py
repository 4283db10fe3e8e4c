"""What the cells of a chapter show, from the JSON that the notebooks store to the page.

MyST-NB finds :class:`Outputs` through the entry point in ``companion.dist-info``, which lies in
this folder, so that no other book in the same environment meets it.
"""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from docutils import nodes
from formulas import as_html
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from lecture_code.display import claims, evidence, explore, live, markup, plotting, tables

SHOWN = "shown"
TEACHES = "tag_teaches"
FEW = 5  # a range has at least so many stops
BUNDLE = markup.BUILT / "live.js"

Markdown = Callable[[str], list[nodes.Node]]

logger = logging.getLogger(__name__)


def set_up_outputs(app: Sphinx) -> None:
    """Registers what finishes the outputs on the page."""
    app.add_node(picture, html=(visit_picture, None))
    app.add_post_transform(PlacePictures)
    app.add_post_transform(FoldCode)
    app.add_post_transform(FoldAsides)
    app.add_js_file("explorable.js", loading_method="defer")
    app.add_css_file("figures.css", priority=400)
    app.connect("build-finished", write_style)
    if BUNDLE.is_file():
        app.connect("config-inited", use_live_bundle)
        app.connect("html-page-context", load_live_bundle)
    else:
        logger.warning(
            "The script of the live figures is missing: their stored pictures are shown. Run "
            "`make book`, or `npm ci` and `npm run bundle`, for figures that can be moved.",
            type="companion",
            subtype="live",
        )


def use_live_bundle(app: Sphinx, config: Any) -> None:
    """Lays the script that draws live figures beside the pages."""
    config.html_static_path.append(str(BUNDLE))


def load_live_bundle(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Loads it on the pages that have a live figure."""
    if '<figure class="live"' in context.get("body", ""):
        app.add_js_file(BUNDLE.name, loading_method="defer")


def write_style(app: Sphinx, error: Exception | None) -> None:
    """Writes the style of figures: the colour roles as variables, and what uses them."""
    if error is None and app.builder.format == "html":
        target = Path(app.outdir) / "_static" / "figures.css"
        target.write_text(markup.style('html[data-theme="dark"]'), encoding="utf-8")


class frame(nodes.Element):  # docutils names its nodes in lower case
    """The place of a picture that is still to come."""


class picture(nodes.image):
    """An image that is written with its size and its text."""


def visit_picture(writer: Any, node: picture) -> None:
    """Writes the image element; the file is the one that Sphinx copies beside the pages."""
    name = quote(writer.builder.images[node["uri"]])
    src = posixpath.join(writer.builder.imgpath, name)
    writer.body.append(image(src, node["alt"], node["size"], ' loading="lazy"'))
    raise nodes.SkipNode


def image(src: str, alt: str, size: tuple[int, int], more: str = "") -> str:
    """An HTML image with its alternative text, its size and further attributes."""
    width, height = size
    return f'<img src="{src}" alt="{html.escape(alt)}" width="{width}" height="{height}"{more}>'


class Outputs:
    """Turns the outputs of our own kinds into nodes."""

    mime_priority_overrides: ClassVar = [
        ("html", mime, 1)
        for mime in (evidence.MIME, explore.MIME, live.MIME, plotting.MIME, tables.MIME)
    ]

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list[nodes.Element] | None:
        """The nodes of an output, or ``None`` if it is of another kind."""
        writer = renderer.renderer
        config = writer.sphinx_env.config
        markdown = partial(parsed, writer, data.line or 0)
        if data.mime_type == evidence.MIME:
            return [evidence_block(data.content)]
        if data.mime_type == live.MIME and BUNDLE.is_file():
            return [live_figure(data.content, markdown)]
        if data.mime_type in (plotting.MIME, live.MIME):
            return [figure(data.content, markdown)]
        if data.mime_type == tables.MIME:
            return [table(data.content)]
        if data.mime_type == explore.MIME:
            return [explorable(data.content, markdown, config)]
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


def evidence_block(block: dict[str, Any]) -> nodes.container:
    """The rows for one statement: a line that sums up, three rows, the others folded."""
    title = claims.lookup(block["id"]).title
    head = nodes.paragraph("", "", classes=["evidence-head"])
    head += [reference(block["id"]), nodes.inline("", "", *typeset(title), classes=["of"])]
    head += nodes.inline("", block["head"], classes=["sum"])
    rows = [evidence_row(evidence.Row(block["id"], **row)) for row in block["rows"]]
    first, rest = rows[: block["show"]], rows[block["show"] :]
    if rest:
        more = "more row" if first else "row"
        summary = f"<summary>{evidence.counted(len(rest), more, more + 's')}</summary>"
        rest = [raw(f'<details class="rows">{summary}'), *rest, raw("</details>")]
    kinds = {evidence.look(evidence.Row(block["id"], **row)) for row in block["rows"]}
    lead = next(kind for kind in ("holds", "measured", "refuted") if kind in kinds)
    return shown(["evidence", f"evidence-{lead}"], head, *first, *rest)


def evidence_row(row: evidence.Row) -> nodes.container:
    """How it stands, what was compared, both sides, the ratio as a bar."""
    look = evidence.look(row)
    mark = "✓ " if look == "holds" else ""
    parts: list[nodes.Node] = [
        nodes.inline("", mark, *typeset(row.standing), classes=["standing"])
    ]
    if row.refutes:
        parts += span("claimed", f"Claimed: {row.claimed.rstrip('.')}. Found:")
    if row.what:
        parts += span("what", f"{row.what}:")
    figures = nodes.inline("", "", classes=["figures", "notranslate"])
    for name, text in (("side", row.left), ("relation", row.relation), ("side", row.right)):
        figures += span(name, text)
    if row.ratio is not None:
        figures += raw(bar(min(row.ratio, 1.0)))
    parts.append(figures)
    parts += span("detail", row.detail)
    if row.vacuous:
        parts += span("vacuous", "vacuous")
    line = nodes.paragraph("", "", *spaced(parts))
    return nodes.container("", line, classes=["evidence-row", f"evidence-row-{look}"])


def span(name: str, text: str) -> list[nodes.Node]:
    """A typeset piece of a row, or nothing."""
    return [nodes.inline("", "", *typeset(text), classes=[name])] if text else []


def spaced(parts: list[nodes.Node]) -> list[nodes.Node]:
    """The pieces with spaces between them, for copying and for screen readers."""
    return [node for part in parts for node in (part, nodes.Text(" "))][:-1]


def typeset(text: str) -> list[nodes.Node]:
    """A plain text with ``$math$`` and numbers like ``1e-09`` as nodes; no other markup."""
    pieces = re.split(r"\$([^$]+)\$", evidence.as_math(text))
    return [
        nodes.math("", piece) if i % 2 else nodes.Text(piece)
        for i, piece in enumerate(pieces)
        if piece
    ]


def table(data: dict[str, Any]) -> nodes.container:
    """A table of figures in a box of its own, which scrolls where it is too wide."""
    shape = tables.Table(**data)
    parts: list[nodes.Node] = [
        raw('<div class="table-scroll"><table class="figures"><caption>')
    ]
    parts += [*typeset(shape.caption), raw("</caption><thead><tr>")]
    for k, line in enumerate(zip(*shape.aligned(), strict=True)):
        for j, cell in enumerate(line):
            tag, scope = (
                ("td", "") if k and j else ("th", f' scope="{"row" if k else "col"}"')
            )
            parts += [raw(f'<{tag}{scope} class="{shape.align[j]}">'), *typeset(cell)]
            shares = shape.bars.get(shape.columns[j]) if k else None
            parts.append(raw(f"{bar(shares[k - 1]) if shares else ''}</{tag}>"))
        parts.append(raw("</tr><tr>" if k else "</tr></thead><tbody><tr>"))
    parts[-1] = raw("</tr></tbody></table></div>")
    return shown([], *parts)


def bar(share: float) -> str:
    """A bar as long as a share of the whole; the figure beside it says the same."""
    return f'<span class="bar" style="--ratio:{share:.3g}" aria-hidden="true"></span>'


def figure(data: dict[str, Any], markdown: Markdown) -> nodes.container:
    """A figure whose picture is still to come, from the PNG of the same output."""
    empty = frame(alt=data["alt"], size=data["size"])
    opening, closing = scrolling(data)
    return shown(
        [],
        raw(f'<figure class="plot">{opening}'),
        empty,
        raw(f"{closing}<figcaption>"),
        *markdown(data["caption"]),
        raw("</figcaption></figure>"),
    )


def scrolling(data: dict[str, Any]) -> tuple[str, str]:
    """What opens and closes the box of a picture: with panels side by side it may scroll."""
    panels, (width, _) = data["panels"], data["size"]
    if panels == 1:
        return "", ""
    return (
        f'<div class="picture-scroll" style="--panels:{panels};--full:{width}px">',
        "</div>",
    )


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


def explorable(data: dict[str, Any], markdown: Markdown, config: Any) -> nodes.container:
    """A figure with native sliders; the script beside it shows the frames that it carries."""
    name, sliders = data["name"], data["sliders"]
    first = 0
    for slider in sliders:
        first = first * len(slider["values"]) + slider["start"]
    src, alt = data["frames"][first]
    opening, closing = scrolling(data)
    parts: list[nodes.Node] = [
        raw(
            f'<figure class="explorable" id="{name}">{opening}{image(src, alt, data["size"])}'
        ),
        raw(f'{closing}<div class="controls">'),
    ]
    for slider in sliders:
        parts += control(name, slider, markdown, config)
    state = html.escape(urlencode({s["name"]: s["values"][s["start"]] for s in sliders}))
    parts += [raw("</div><figcaption>"), *markdown(data["caption"])]
    carried = {
        "sliders": [
            {
                "values": slider["values"],
                "texts": readings(slider, config),
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
            f'<script type="application/json">{markup.script_data(carried)}</script></figure>'
        )
    )
    return shown([], *parts)


def live_figure(data: dict[str, Any], markdown: Markdown) -> nodes.container:
    """The stored picture, what moves the figure, and the data from which the script draws."""
    return shown(
        [],
        raw(markup.opening(data)),
        frame(alt=data["alt"], size=data["size"]),
        raw(f'</div><div class="controls">{markup.controls(data)}</div><figcaption>'),
        *markdown(data["caption"]),
        raw(
            f' <a class="setting" href="#{data["name"]}">Link to this setting</a></figcaption>'
            f"{markup.closing(data)}"
        ),
    )


def readings(slider: dict[str, Any], config: Any) -> list[str]:
    """The values with their unit, as they are shown."""
    return [as_html(text, config) + html.escape(slider["unit"]) for text in slider["texts"]]


def control(
    figure_name: str, slider: dict[str, Any], markdown: Markdown, config: Any
) -> list[nodes.Node]:
    """The row of one parameter: a range with its play button, or buttons for a few values."""
    place, start = f"{figure_name}-{slider['name']}", slider["start"]
    texts = [
        as_html(text, config) + html.escape(slider["unit"]) for text in slider["texts"]
    ]
    if len(texts) < FEW:
        buttons = "".join(
            f'<label class="choice"><input type="radio" name="{place}" value="{i}"'
            f"{' checked' * (i == start)}><span>{text}</span></label>"
            for i, text in enumerate(texts)
        )
        opening = f'<div class="control" role="radiogroup" aria-labelledby="{place}-label"'
        name = f'data-name="{slider["name"]}"><span class="label" id="{place}-label">'
        label = [raw(f"{opening} {name}"), *markdown(slider["label"])]
        return [*label, raw(f'</span><span class="choices">{buttons}</span></div>')]
    value = html.escape(slider["values"][start] + slider["unit"])
    return [
        raw(f'<div class="control" data-name="{slider["name"]}"><label for="{place}">'),
        *markdown(slider["label"]),
        raw(
            '</label><button type="button" aria-pressed="false" '
            f'aria-label="Play {slider["spoken"]}">▶</button>'
            f'<input type="range" id="{place}" min="0" max="{len(texts) - 1}" step="1" '
            f'value="{start}" autocomplete="off" aria-valuetext="{value}">'
            f'<output for="{place}">{texts[start]}</output></div>'
        ),
    ]


class FoldCode(SphinxPostTransform):
    """Folds the code of all cells but those tagged ``teaches``, behind what the cells show.

    Cells that follow each other share one fold. A cell that shows nothing, such as the imports at
    the top of a page, joins the next one that does.
    """

    default_priority = 200
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Folds the cells of a page."""
        cells = [
            cell
            for cell in self.document.findall(nodes.container)
            if cell.get("nb_element") == "cell_code" and TEACHES not in cell["classes"]
        ]
        waiting: list[nodes.Element] = []
        for cell, after in zip(cells, [*cells, None][1:], strict=True):
            code, *outputs = cell.children
            waiting.append(code)
            cell.children = outputs
            neighbours = after is not None and follows(cell, after)
            if after is None or (outputs and not neighbours):
                count = f" ({len(waiting)} cells)" if len(waiting) > 1 else ""
                opening = f'<details class="code"><summary>Code{count}</summary>'
                cell += [raw(opening), *waiting, raw("</details>")]
                waiting = []
            elif not outputs:
                cell.parent.remove(cell)


def follows(cell: nodes.Element, after: nodes.Element) -> bool:
    """Whether nothing stands between two cells."""
    if cell.parent is not after.parent:
        return False
    return cell.parent.index(after) == cell.parent.index(cell) + 1


class FoldAsides(SphinxPostTransform):
    """Folds what the first reading may pass over: errata, and proofs marked as long."""

    default_priority = 200
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Puts each of them behind a line that opens it."""
        for box in list(self.document.findall(nodes.admonition)):
            if "erratum" in box["classes"]:
                title, *rest = box.children
                fold(box, "erratum", title.astext(), rest)
            elif "proof" in box["classes"] and "long" in box["classes"]:
                fold(box.parent, "proof-fold", "Proof", [box.parent.deepcopy()])


def fold(box: nodes.Element, name: str, title: str, content: list[nodes.Node]) -> None:
    """Replaces a box by a fold of that content."""
    opening = raw(f'<details class="{name}"><summary>{html.escape(title)}</summary>')
    place = box.parent.index(box)
    box.parent[place : place + 1] = [opening, *content, raw("</details>")]
