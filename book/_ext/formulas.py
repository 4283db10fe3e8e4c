"""Formulas: KaTeX at build time, its fonts beside the page, punctuation held to them."""

from __future__ import annotations

import base64
import os
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinxcontrib import katex

KATEX = Path(__file__).parents[2] / "node_modules" / "katex" / "dist"
FIRST_FONTS = ("KaTeX_Main-Regular", "KaTeX_Math-Italic")
FONT_SOURCES = re.compile(r"src:url\(fonts/([\w-]+)\.woff2\)[^}]*")
LONGEST_FOLDER = 60  # a socket's path has at most about 100 characters
OPENING = re.compile(r"[(\[“‘]*$")
CLOSING = re.compile(r"[^\s<-]*-?")
INLINE_MATH = re.compile(rf"\$([^$]+)\$({CLOSING.pattern})")

logger = logging.getLogger(__name__)


def set_up_math(app: Sphinx) -> None:
    """KaTeX at build time, its fonts beside the page; without Node MathJax, with a warning."""
    app.add_post_transform(HoldPunctuation)
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
    katex.KATEX_DEFAULT_OPTIONS["throwOnError"] = (
        True  # a formula that cannot be read stops it
    )
    app.add_js_file(
        "katex/copy-tex.min.js", loading_method="defer"
    )  # a copy is its LaTeX, once
    app.add_js_file("first_fonts.js")
    app.connect("build-finished", copy_katex)
    start_katex()


def start_katex(tries: int = 5) -> None:
    """Starts the server that renders formulas, again if it was not listening yet.

    The name of its socket must be short, whatever TMPDIR says.
    """
    if os.name == "posix" and len(tempfile.gettempdir()) > LONGEST_FOLDER:
        tempfile.tempdir = "/tmp"
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
        shutil.copy(KATEX / "contrib" / "copy-tex.min.js", target)
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


def as_html(text: str, config: Any) -> str:
    """HTML with its ``$math$`` rendered where KaTeX renders at build time, else left to MathJax."""
    if not getattr(config, "katex_prerender", False):
        return text
    return INLINE_MATH.sub(
        lambda match: f'<span class="held">{katex.render_latex(match[1])}{match[2]}</span>',
        text,
    )
