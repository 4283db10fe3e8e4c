"""What the search looks through: the book's pages, sections, statements, symbols and terms.

They are written as a script, so that the search also works on pages that are opened from the disk;
``find.js`` looks through them by MiniSearch. Without ``node_modules`` Sphinx's own search remains.
"""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

MINISEARCH = Path(__file__).parents[2] / "node_modules" / "minisearch" / "dist" / "umd"
WORD = re.compile(r"[^\W_]*[^\W\d_][^\W_]+")  # no letter alone, no number
COMMON = set(
    "an and are as at be by for from has if in is it its of on or so that the then this to".split()
)
INLINE_MATH = re.compile(r"\$([^$]+)\$")
REPEATS = {
    "claims",
    "errata",
    "statements",
}  # pages that say again what stands in the chapters
NO_TEXT = (nodes.raw, nodes.literal_block, nodes.comment)

# Formulas in words; the browser reads what is typed in the same way. In order, as in JavaScript.
SPOKEN = [
    (r"\\(?:left|right|[bB]igg?[lr]?)(?![a-z])", ""),
    (r"\\[lr]?Vert(?![a-z])|\\\|", "‖"),
    (r"‖([^‖a-z]*)‖_(?:\*|\{\*\})", " nuclear norm $1 "),
    (r"‖([^‖]*)‖_(?:\*|\{\*\})", " dual norm $1 "),
    (r"‖([^‖]*)‖_F", " Frobenius norm $1 "),
    (r"‖([^‖]*)‖_\{?(?:\\infty|\\max)\}?", " largest entry norm $1 "),
    (r"‖([^‖]*)‖_\{?([12p])\}?", " l$2 norm $1 "),
    (r"‖([^‖]*)‖", " norm $1 "),
    (r"\\ell_?\{?(\w|\\infty)\}?", " l$1 "),
    (r"\\nabla\^2", " Hessian "),
    (r"\\nabla", " gradient "),
    (r"\\partial", " derivative "),
    (r"\\mathbb\s*\{?E\}?", " expectation "),
    (r"\\mathbb\s*\{?P\}?", " probability "),
    (r"\^\{?\\top\}?", " transpose "),
    (r"\^\{?-1\}?", " inverse "),
    (r"\\langle", " inner product "),
    (r"\\succeq", " semidefinite "),
    (r"\\leq?(?![a-z])", " at most "),
    (r"\\geq?(?![a-z])", " at least "),
    (r"\\circ|\\odot", " entrywise product "),
    (r"\\sqrt", " root "),
    (r"\\infty", " infinity "),
    (r"\\(?:operatorname|mathrm|mathcal|mathbf|text|frac|rangle|q?quad)(?![a-z])", " "),
    (r"\\", " "),
]

logger = logging.getLogger(__name__)


def set_up_search(app: Sphinx) -> None:
    """Collects the places while pages are read, and writes them once all are built."""
    if not MINISEARCH.is_dir():
        logger.warning(
            "node_modules/minisearch is missing: the search is Sphinx's own, which finds the titles "
            "of pages only where they are opened from the disk. Run `make book` for the book's.",
            type="companion",
            subtype="search",
        )
        return
    app.add_js_file("find.js", loading_method="defer")
    app.connect("doctree-read", collect)
    app.connect("env-purge-doc", lambda app, env, page: places(env).pop(page, None))
    app.connect(
        "env-merge-info", lambda app, env, pages, other: places(env).update(places(other))
    )
    app.connect("html-page-context", lambda *args: args[3].update(finds_places=True))
    app.connect("build-finished", write)


def places(env: Any) -> dict[str, list[dict[str, str]]]:
    """The places by page, kept from build to build."""
    if not hasattr(env, "companion_places"):
        env.companion_places = {}
    return env.companion_places


def spoken(tex: str) -> str:
    """A formula in words."""
    for pattern, words in SPOKEN:
        tex = re.sub(pattern, words.replace("$", "\\"), tex)
    return tex


def plain(text: str) -> str:
    """A line of Markdown as words, its formulas too."""
    return tidy(INLINE_MATH.sub(lambda match: spoken(match[1]), text))


def tidy(text: str) -> str:
    """Single spaces, and none before a mark of punctuation."""
    return re.sub(r" (?=[,;:.?!)])", "", " ".join(text.split()))


def said(node: nodes.Node) -> str:
    """The text of a node, without headings and parts that are places themselves, nor code."""
    if isinstance(node, nodes.math | nodes.math_block):
        return f" {spoken(node.astext())} "
    if isinstance(node, nodes.Text):
        return node.astext()
    if isinstance(node, NO_TEXT):
        return ""
    parts = [said(child) for child in node.children if not is_place(child)]
    return "".join(parts) + (" " if isinstance(node, nodes.TextElement) else "")


def is_place(node: nodes.Node) -> bool:
    """Whether a node is found by itself: a section or a statement."""
    return (isinstance(node, nodes.section) and "proof-content" not in node["ids"]) or bool(
        isinstance(node, nodes.Element) and node.get("realtype") and node.get("label")
    )


def collect(app: Sphinx, doctree: nodes.document) -> None:
    """Notes the sections and statements of a page."""
    found = places(app.env)[app.env.docname] = []
    repeats = Path(app.env.docname).name in REPEATS
    for node in doctree.findall(is_place):
        place = node.first_child_matching_class(nodes.title)
        top = node.parent is doctree
        if place is None or (repeats and not top):
            continue
        title = node[place]
        words = " ".join(
            said(child) for child in node if child is not title and not is_place(child)
        )
        found.append(
            {
                "kind": node.get("realtype", "") or ("page" if top else "section"),
                "id": "" if top else node["ids"][0],
                "title": named(said(title)) if "label" in node else tidy(said(title)),
                "words": distinct(words),
            }
        )


def named(title: str) -> str:
    """The title of a statement without the bracket and the source behind a semicolon."""
    return tidy(title.split(";")[0].strip(" ()"))


def distinct(text: str) -> str:
    """Its words that tell something, each once."""
    words = dict.fromkeys(word.lower() for word in WORD.findall(text))
    return " ".join(word for word in words if word not in COMMON)


def entries(env: Any, folder: Path) -> Iterator[dict[str, str]]:
    """Terms and symbols; a term leads to its first place."""
    for term in tomllib.loads((folder / "terms.toml").read_text(encoding="utf-8"))["term"]:
        label = term["places"][0]
        place = env.proof_list.get(label)
        if place:  # else its chapter is not in this build
            words = distinct(plain(term["definition"]))
            more = {
                "page": place["docname"],
                "id": label,
                "says": plain(term["definition"]),
            }
            yield {"kind": "term", "title": term["name"], "words": words, **more}
    for one in tomllib.loads((folder / "notation.toml").read_text(encoding="utf-8"))[
        "symbol"
    ]:
        words = distinct(plain(one["tex"]))
        title = plain(one["meaning"])
        yield {
            "kind": "symbol",
            "title": title,
            "words": words,
            "page": "book/notation",
            "id": "",
        }


def number(env: Any, page: str, place: dict[str, str]) -> str:
    """The number of a statement or section, as its page shows it."""
    counters = env.toc_fignumbers.get(page, {})
    found = next((c[place["id"]] for c in counters.values() if place["id"] in c), ())
    found = found or env.toc_secnumbers.get(page, {}).get(
        f"#{place['id']}" if place["id"] else ""
    )
    return ".".join(map(str, found or ()))


def write(app: Sphinx, error: Exception | None) -> None:
    """Writes all places as a script and lays MiniSearch beside it."""
    if error is not None or app.builder.format != "html":
        return
    env = app.env
    known = env.found_docs
    titles = {page: found[0]["title"] for page, found in places(env).items() if found}
    listed = [
        {**place, "page": page, "number": number(env, page, place)}
        for page, found in places(env).items()
        for place in found
        if page in known
    ]
    listed += entries(env, Path(app.srcdir) / "book")
    static = Path(app.outdir) / "_static"
    text = json.dumps(
        {"places": listed, "titles": titles, "spoken": SPOKEN}, ensure_ascii=False
    )
    (static / "places.js").write_text(
        f"window.companionPlaces = {text};\n", encoding="utf-8"
    )
    shutil.copy(MINISEARCH / "index.js", static / "minisearch.js")
