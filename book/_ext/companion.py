"""What the book adds to Sphinx: local math, lean pages, and the pages of claims and errata."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinxcontrib import katex

from lecture_code import claims, explore

ROOT = Path(__file__).parents[2]
KATEX = ROOT / "node_modules" / "katex" / "dist"
DATA = re.compile(r'(<script type="application/json">)(.*?)(</script>)', re.DOTALL)
CAPTION = re.compile(r"(<(figcaption|label|output)\b[^>]*>)(.*?)(</\2>)", re.DOTALL)
INLINE_MATH = re.compile(r"\$([^$]+)\$")
DRAWING = re.compile(r"def (draw_|\w+_alt\()")
SHARED_ID = '<div class="proof admonition" id="proof">'
OWN_CLASS = '<div class="proof proof-block admonition">'
HEAVY_ICONS = re.compile(r"\s*<(script|link)\b[^>]*fontawesome\.js[^>]*>(</script>)?")

logger = logging.getLogger(__name__)


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers all of it."""
    set_up_math(app)
    app.add_css_file("companion.css")
    app.add_post_transform(FoldCode)
    app.add_post_transform(FinishFigures)
    app.add_directive("claims", ClaimsDirective)
    app.add_directive("errata", ErrataDirective)
    app.connect("config-inited", switch_thebe_off)
    app.connect("build-finished", finish_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def set_up_math(app: Sphinx) -> None:
    """KaTeX at build time, its fonts beside the page; without Node MathJax, with a warning."""
    if shutil.which("node") and KATEX.is_dir():
        app.setup_extension("sphinxcontrib.katex")
        app.connect("config-inited", use_local_katex)
    else:
        logger.warning(
            "Node or node_modules/katex is missing: formulas are left to MathJax, which every page "
            "then loads from the network. Run `make book` for pages that need no network.",
            type="companion",
            subtype="math",
        )


def use_local_katex(app: Sphinx, config: Any) -> None:
    """Points sphinxcontrib-katex to the copies in node_modules."""
    config.katex_prerender = True
    config.katex_css_path = "katex/katex.min.css"
    app.connect("build-finished", copy_katex)


def copy_katex(app: Sphinx, error: Exception | None) -> None:
    """Copies KaTeX's style sheet and its WOFF2 fonts, the only ones that browsers still ask for."""
    if error is None and app.builder.format == "html":
        target = Path(app.outdir) / "_static" / "katex"
        (target / "fonts").mkdir(parents=True, exist_ok=True)
        shutil.copy(KATEX / "katex.min.css", target)
        for font in (KATEX / "fonts").glob("*.woff2"):
            shutil.copy(font, target / "fonts")


def switch_thebe_off(app: Sphinx, config: Any) -> None:
    """Unhooks sphinx-thebe, which Jupyter Book loads unasked; its script fails on each page."""
    app.registry.css_files[:] = [f for f in app.registry.css_files if "thebe" not in f[0]]
    for event, listeners in app.events.listeners.items():
        app.events.listeners[event] = [
            one for one in listeners if not one.handler.__module__.startswith("sphinx_thebe")
        ]


def finish_pages(app: Sphinx, error: Exception | None) -> None:
    """Drops the theme's 1.5 MB icon script and the id that all proofs of a page would share.

    The icons show from the web font that the theme also ships.
    """
    if error is not None or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        lean = HEAVY_ICONS.sub("", text).replace(SHARED_ID, OWN_CLASS)
        if lean != text:
            page.write_text(lean, encoding="utf-8")
    for script in (Path(app.outdir) / "_static" / "scripts").glob("fontawesome.js*"):
        script.unlink()


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
            shown = "".join(raw.astext() for raw in cell.findall(nodes.raw))
            if DRAWING.match(code.astext()) or 'class="claim ' in shown or "<figcaption" in shown:
                opening = '<details class="code"><summary>Code</summary>'
                cell.children = [
                    *outputs,
                    nodes.raw("", opening, format="html"),
                    code,
                    nodes.raw("", "</details>", format="html"),
                ]


class FinishFigures(SphinxPostTransform):
    """Renders the math in captions and slider labels, and keeps one copy of the slider script."""

    default_priority = 500
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Rewrites the HTML outputs of a page."""
        seen = False
        for node in self.document.findall(nodes.raw):
            text = node.astext()
            if node.get("format") != "html" or "<figcaption" not in text:
                continue
            if explore.SCRIPT in text:
                if seen:
                    text = text.replace(explore.SCRIPT, "")
                seen = True
            if getattr(self.config, "katex_prerender", False):
                text = DATA.sub(render_values, CAPTION.sub(render_caption, text))
            node.children = [nodes.Text(text)]


def render_math(text: str) -> str:
    """A text with its ``$math$`` rendered."""
    return INLINE_MATH.sub(lambda match: katex.render_latex(match[1]), text)


def render_caption(match: re.Match[str]) -> str:
    """A caption, label or value on the page with its math rendered."""
    return match[1] + render_math(match[3]) + match[4]


def render_values(match: re.Match[str]) -> str:
    """The data of an explorable with the math in its values rendered."""
    data = json.loads(match[2])
    for slider in data["sliders"]:
        slider["texts"] = [render_math(text) for text in slider["texts"]]
    stored = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return match[1] + stored.replace("</", "<\\/") + match[3]


def stored_claims(notebook: Path) -> Iterator[dict[str, Any]]:
    """The claims in a notebook's stored outputs, in order."""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", ()):
            claim = output.get("data", {}).get(claims.MIME)
            if claim:
                yield claim


class LedgerDirective(SphinxDirective):
    """A part of the page that is written from the ledger and the notebooks' stored claims."""

    def run(self) -> list[nodes.Node]:
        """Parses the Markdown that :meth:`text` makes."""
        found: dict[str, list[dict[str, Any]]] = {}
        chapters = sorted({row.chapter for row in claims.ledger().values()})
        for chapter in chapters:
            notebook = ROOT / "book" / f"{chapter}.ipynb"
            self.env.note_dependency(str(notebook))
            for claim in stored_claims(notebook):
                found.setdefault(claim["id"], []).append(claim)
        self.env.note_dependency(str(Path(claims.__file__).with_name("ledger.toml")))
        container = nodes.container(classes=[self.name])
        lines = "\n".join(self.text(found)).split("\n")
        self.state.nested_parse(lines, self.content_offset, container)
        return [container]

    def text(self, found: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
        """The Markdown of the part, in pieces."""
        raise NotImplementedError


class ClaimsDirective(LedgerDirective):
    """Every statement of the ledger with the figures that its chapter shows for it."""

    def text(self, found: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
        """One entry a statement."""
        for row in claims.ledger().values():
            yield f"{row.title}\n"
            yield f": `{row.id}`, {row.source}; in {{doc}}`/book/{row.chapter}`\n"
            yield f"  {row.statement}\n"
            for claim in found.get(row.id, []):
                figures = f"{claim['left']} {claim['relation']} {claim['right']}".strip()
                notes = [claim["detail"]] if claim["detail"] else []
                notes += ["**vacuous**"] if claim["vacuous"] else []
                what = f"{claim['what']}: " if claim["what"] else ""
                yield f"  - {what}{figures}" + (f" ({'; '.join(notes)})" if notes else "")
            yield ""


class ErrataDirective(LedgerDirective):
    """Every place where the source and the truth differ, and how many claims guard it."""

    def text(self, found: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
        """One entry an erratum."""
        for row in claims.ledger().values():
            for erratum in row.errata:
                guards = len(found.get(row.id, []))
                yield f"{row.source.split(',')[0]}, {erratum.where}\n"
                yield f": in {{doc}}`/book/{row.chapter}`\n"
                yield f"  *As printed in our copy:* {erratum.printed}\n"
                yield f"  *Should be:* {erratum.corrected}\n"
                yield f"  *Why:* {erratum.why}\n"
                checks = "1 claim" if guards == 1 else f"{guards} claims"
                yield f"  *Guarded by* {checks} with the id `{row.id}`.\n"
