"""What the book adds to Sphinx: local math, lean pages, and the pages of claims and errata."""

from __future__ import annotations

import base64
import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from lean import finish_pages
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinxcontrib import katex

from lecture_code.display import claims, explore

ROOT = Path(__file__).parents[2]
KATEX = ROOT / "node_modules" / "katex" / "dist"
FIRST_FONTS = ("KaTeX_Main-Regular", "KaTeX_Math-Italic")
LOAD_FIRST_FONTS = """
document.fonts.load("1em KaTeX_Main"); document.fonts.load("italic 1em KaTeX_Math");
"""
FONT_SOURCES = re.compile(r"src:url\(fonts/([\w-]+)\.woff2\)[^}]*")
DATA = re.compile(r'(<script type="application/json">)(.*?)(</script>)', re.DOTALL)
CAPTION = re.compile(r"(<(figcaption|label|output)\b[^>]*>)(.*?)(</\2>)", re.DOTALL)
STATEMENT = re.compile(r"\{prf:(?!proof)\w+\} (.+)\n:label: (\S+)")
CLAIM_ID = re.compile(r'(<p class="claim-head">.*?)<code>([a-z0-9-]+)</code>')
OPENING = re.compile(r"[(\[“‘]*$")
CLOSING = re.compile(r"[^\s<-]*-?")
INLINE_MATH = re.compile(rf"\$([^$]+)\$({CLOSING.pattern})")
DRAWING = re.compile(r"^def (draw_|\w+_alt\()", re.MULTILINE)

logger = logging.getLogger(__name__)


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers all of it."""
    set_up_math(app)
    app.add_css_file("companion.css")
    app.add_js_file("preview.js", loading_method="defer")
    app.add_js_file("companion.js", loading_method="defer")
    app.add_post_transform(FoldCode)
    app.add_post_transform(FinishOutputs)
    app.add_post_transform(HoldPunctuation)
    app.add_directive("claims", ClaimsDirective)
    app.add_directive("errata", ErrataDirective)
    app.add_directive("statements", StatementsDirective)
    app.add_directive("terms", TermsDirective)
    app.add_directive("explorable", ExplorableDirective)
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
    app.add_js_file(None, body=LOAD_FIRST_FONTS)
    app.connect("build-finished", copy_katex)
    start_katex()


def start_katex(tries: int = 5) -> None:
    """Starts the server that renders formulas, again if it was not listening yet."""
    for left in reversed(range(tries)):
        try:
            katex.KaTeXServer.get()
            return
        except (ConnectionRefusedError, katex.KaTeXError):
            if not left:
                raise
            time.sleep(1)


def copy_katex(app: Sphinx, error: Exception | None) -> None:
    """Copies KaTeX's style sheet and its WOFF2 fonts, the only ones that browsers still ask for.

    The fonts that every page needs come within the style sheet, so that no formula moves.
    """
    if error is None and app.builder.format == "html":
        target = Path(app.outdir) / "_static" / "katex"
        (target / "fonts").mkdir(parents=True, exist_ok=True)
        sheet = (KATEX / "katex.min.css").read_text(encoding="utf-8")
        sheet = FONT_SOURCES.sub(font_source, sheet)
        (target / "katex.min.css").write_text(sheet, encoding="utf-8")
        for font in (KATEX / "fonts").glob("*.woff2"):
            if font.stem not in FIRST_FONTS:
                shutil.copy(font, target / "fonts")


def font_source(match: re.Match[str]) -> str:
    """Where a font comes from: its WOFF2 file, or the style sheet itself."""
    name = match[1]
    address = f"fonts/{name}.woff2"
    if name in FIRST_FONTS:
        data = base64.b64encode((KATEX / address).read_bytes()).decode()
        address = f"data:font/woff2;base64,{data}"
    return f'src:url({address}) format("woff2")'


def switch_thebe_off(app: Sphinx, config: Any) -> None:
    """Unhooks sphinx-thebe, which Jupyter Book loads unasked; its script fails on each page."""
    app.registry.css_files[:] = [f for f in app.registry.css_files if "thebe" not in f[0]]
    for event, listeners in app.events.listeners.items():
        app.events.listeners[event] = [
            one for one in listeners if not one.handler.__module__.startswith("sphinx_thebe")
        ]


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
            if DRAWING.search(code.astext()) or 'class="claim ' in shown or "<figcaption" in shown:
                opening = '<details class="code"><summary>Code</summary>'
                cell.children = [
                    *outputs,
                    nodes.raw("", opening, format="html"),
                    code,
                    nodes.raw("", "</details>", format="html"),
                ]


class FinishOutputs(SphinxPostTransform):
    """Finishes figures, of whose slider script one copy is kept, and links cards to statements."""

    default_priority = 500
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Rewrites the HTML outputs of a page."""
        seen = False
        places = {name for node in self.document.findall(nodes.Element) for name in node["ids"]}

        def link(match: re.Match[str]) -> str:
            name = f"<code>{match[2]}</code>"
            if match[2] in places:
                name = f'<a class="reference internal" href="#{match[2]}">{name}</a>'
            return match[1] + name

        for node in self.document.findall(nodes.raw):
            text = node.astext()
            if node.get("format") != "html":
                continue
            text = CLAIM_ID.sub(link, text)
            if explore.SCRIPT in text:
                if seen:
                    text = text.replace(explore.SCRIPT, "")
                seen = True
            if getattr(self.config, "katex_prerender", False):
                text = DATA.sub(render_values, CAPTION.sub(render_caption, text))
            node.children = [nodes.Text(text)]


class HoldPunctuation(SphinxPostTransform):
    """Holds a formula on one line with the brackets and the punctuation that touch it.

    Browsers break lines beside a formula as beside a picture, and a line then starts with a comma.
    """

    default_priority = 500
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Wraps each such formula and its neighbours."""
        for formula in list(self.document.findall(nodes.math)):
            parent = formula.parent
            place = parent.index(formula)
            before, after = parent[:place][-1:], parent[place + 1 : place + 2]
            left, right = (
                node[0].astext() if node and isinstance(node[0], nodes.Text) else ""
                for node in (before, after)
            )
            opening, closing = OPENING.search(left)[0], CLOSING.match(right)[0]
            if not opening + closing:
                continue
            parent[place] = nodes.inline(
                "", opening, formula, nodes.Text(closing), classes=["held"]
            )
            if opening:
                parent[place - 1] = nodes.Text(left.removesuffix(opening))
            if closing:
                parent[place + 1] = nodes.Text(right.removeprefix(closing))


def render_math(text: str) -> str:
    """A text with its ``$math$`` rendered, held on one line with what follows it."""
    return INLINE_MATH.sub(
        lambda match: f'<span class="held">{katex.render_latex(match[1])}{match[2]}</span>', text
    )


def render_caption(match: re.Match[str]) -> str:
    """A caption, label or value on the page with its math rendered."""
    return match[1] + render_math(match[3]) + match[4]


def render_values(match: re.Match[str]) -> str:
    """The data of an explorable with the math in its values rendered."""
    data = json.loads(match[2])
    for slider in data["sliders"]:
        slider["texts"] = [render_math(text) for text in slider["texts"]]
    return match[1] + explore.script_data(data) + match[3]


def notebook_cells(notebook: Path) -> list[dict[str, Any]]:
    """The cells of a notebook."""
    return json.loads(notebook.read_text(encoding="utf-8"))["cells"]


def stored_outputs(notebook: Path) -> Iterator[dict[str, Any]]:
    """The forms of each output that is stored in a notebook, in order."""
    for cell in notebook_cells(notebook):
        for output in cell.get("outputs", ()):
            yield output.get("data", {})


class MarkdownDirective(SphinxDirective):
    """A part of the page that is written as Markdown when the book is built."""

    def run(self) -> list[nodes.Node]:
        """Parses the Markdown that :meth:`text` makes."""
        container = nodes.container(classes=[self.name])
        lines = "\n".join(self.text()).split("\n")
        self.state.nested_parse(lines, self.content_offset, container)
        return [container]

    def text(self) -> Iterator[str]:
        """The Markdown of the part, in pieces."""
        raise NotImplementedError

    def notebook(self, chapter: str) -> Path:
        """The notebook of a chapter; the page is written again when it changes."""
        path = ROOT / "book" / f"{chapter}.ipynb"
        self.env.note_dependency(str(path))
        return path

    def chapters(self) -> list[str]:
        """The chapters of the book that are notebooks, in their order."""
        site_map = self.env.app.config.external_site_map
        names = [Path(str(name)).name for name in site_map]
        return [name for name in names if (ROOT / "book" / f"{name}.ipynb").exists()]


class StatementsDirective(MarkdownDirective):
    """A list of all numbered statements, by chapter, with links."""

    def text(self) -> Iterator[str]:
        """One line a statement, with its number and title."""
        for chapter in self.chapters():
            yield f"**{{doc}}`/book/{chapter}`**\n"
            for cell in notebook_cells(self.notebook(chapter)):
                for title, label in STATEMENT.findall("".join(cell["source"])):
                    yield f"- {{prf:ref}}`{label}`: {title}"
            yield ""


class TermsDirective(MarkdownDirective):
    """An index: its content has a line ``term: label`` for each place."""

    has_content = True

    def text(self) -> Iterator[str]:
        """One line a term, in alphabetical order, with links to its places."""
        terms: dict[str, list[str]] = {}
        for line in filter(None, map(str.strip, self.content)):
            term, label = line.rsplit(": ", 1)
            terms.setdefault(term, []).append(f"{{prf:ref}}`{label}`")
        for term in sorted(terms, key=str.casefold):
            yield f"- {term}: {', '.join(terms[term])}"


class ExplorableDirective(MarkdownDirective):
    """An explorable of a chapter on another page: ``{explorable} chapter name``."""

    required_arguments = 2

    def run(self) -> list[nodes.Node]:
        """The explorable as the chapter's notebook stores it."""
        chapter, name = self.arguments
        for output in stored_outputs(self.notebook(chapter)):
            text = "".join(output.get("text/html", ""))
            if f'<figure class="explorable" id="{name}">' in text:
                return [nodes.raw("", text, format="html")]
        raise self.error(f"{chapter} has no explorable named {name}")


class ChapterDirective(MarkdownDirective):
    """What the ledger holds of one chapter: the argument is its name."""

    required_arguments = 1

    def claims(self) -> dict[str, list[dict[str, Any]]]:
        """The claims that the chapter's notebook holds, by id of their statement."""
        found: dict[str, list[dict[str, Any]]] = {}
        for output in stored_outputs(self.notebook(self.arguments[0])):
            if claims.MIME in output:
                found.setdefault(output[claims.MIME]["id"], []).append(output[claims.MIME])
        return found

    def rows(self) -> list[claims.Statement]:
        """The statements of the chapter."""
        (chapter,) = self.arguments
        self.env.note_dependency(str(Path(claims.__file__).with_name("ledger.toml")))
        rows = [row for row in claims.ledger().values() if row.chapter == chapter]
        if not rows:
            raise self.error(f"the ledger has no statement of {chapter}")
        return rows


class ClaimsDirective(ChapterDirective):
    """The statements of a chapter in the ledger, with the figures that it shows for each."""

    def text(self) -> Iterator[str]:
        """One entry a statement."""
        found = self.claims()
        numbered = {
            label
            for cell in notebook_cells(self.notebook(self.arguments[0]))
            for _, label in STATEMENT.findall("".join(cell["source"]))
        }
        for row in self.rows():
            place = f" {{prf:ref}}`{row.id}`;" if row.id in numbered else ""
            yield f"{row.title}\n"
            yield f': <code id="{row.id}">{row.id}</code>;{place} source: {row.source}\n'
            yield f"  {row.statement}\n"
            for claim in found.get(row.id, []):
                figures = f"{claim['left']} {claim['relation']} {claim['right']}".strip()
                notes = [claim["detail"]] if claim["detail"] else []
                notes += ["**vacuous**"] if claim["vacuous"] else []
                what = f"{claim['what']}: " if claim["what"] else ""
                form = "*counterexample:* " if claim["kind"] == "counterexample" else ""
                yield f"  - {form}{what}{figures}" + (f" ({'; '.join(notes)})" if notes else "")
            yield ""


class ErrataDirective(ChapterDirective):
    """Where the source of a chapter and the truth differ, and how many claims guard it."""

    def text(self) -> Iterator[str]:
        """One entry an erratum."""
        found = self.claims()
        for row in self.rows():
            for erratum in row.errata:
                guards = len(found.get(row.id, []))
                checks = "1 claim" if guards == 1 else f"{guards} claims"
                link = f'<a href="claims.html#{row.id}"><code>{row.id}</code></a>'
                yield f"{erratum.where}\n"
                yield f": *As printed in our copy:* {erratum.printed}\n"
                yield f"  *Should be:* {erratum.corrected}\n"
                yield f"  *Why:* {erratum.why}\n"
                yield f"  *Guarded by* {checks} with the id {link}.\n"
