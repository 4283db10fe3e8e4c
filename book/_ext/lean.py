"""Takes out of the built pages what no reader needs, and mends the theme's markup."""

from __future__ import annotations

import re
import time
from collections import Counter
from pathlib import Path

from fontTools import subset
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

Rules = list[tuple[str | re.Pattern[str], str]]

PAGE: Rules = [
    # The icons show from the web font that the theme also ships: 1.5 MB of script less.
    (re.compile(r"\s*<(script|link)\b[^>]*fontawesome\.js[^>]*>(</script>)?"), ""),
    # Live widgets need a kernel.
    (
        re.compile(
            r'<script type="application/vnd\.jupyter\.widget-state\+json">.*?</script>\s*',
            re.DOTALL,
        ),
        "",
    ),
    # The whole bar of a solution is a button; a link in it would catch half of the clicks.
    (re.compile(r"(Solution to)<a [^>]*>(.*?)</a>(?=</p>)"), r"\1\2"),
    (re.compile(r'(<a href="[^"]*_sources/[^"]*") target="_blank"'), r"\1 download"),
    # Ids that several boxes share.
    (
        re.compile('<div class="proof(?: long)? admonition" id="proof">'),
        '<div class="proof proof-block admonition">',
    ),
    (re.compile(r'(<section\b[^>]*) id="(?:proof|exercise|solution)-content"'), r"\1"),
    ('role="doc-biblioentry"', 'role="listitem"'),  # deprecated, and in a list
    (
        'title="Search" aria-label="Search"',
        'title="Search"',
    ),  # it hides the label that is seen
    ('localStorage.getItem("mode") || ""', 'localStorage.getItem("mode") || "auto"'),
    # The theme would settle this later, and every element would be styled twice.
    (
        'localStorage.getItem("theme") || ""',
        'localStorage.getItem("theme") || '
        '(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")',
    ),
]
# A formula may break here, where KaTeX has made it.
FORMULA: Rules = [('</span><span class="base">', '</span><wbr><span class="base">')]
# On a page that was opened from the disk the search does without what it cannot fetch.
OPTIONS: Rules = [
    ("SHOW_SEARCH_SUMMARY: true", "SHOW_SEARCH_SUMMARY: location.protocol !== 'file:'"),
]
THEME_SCRIPT: Rules = [
    # The theme asks for the size of a box and then writes to it, box by box, so that the browser
    # lays the page out anew for each; and the code in a closed fold it lays out for this question
    # only. So: first all questions, then all answers, about what is open, and again when a fold
    # opens.
    (
        re.compile(
            r'document\.querySelectorAll\((\[[^\]]*\]\.join\(", "\))\)'
            r"\.forEach\(e=>\{e\.tabIndex=(e\.scrollWidth[^?]*)\?0:-1\}\)"
            r'(\},(\w)=\w\(e,300\);)(?=window\.addEventListener\("resize",\4\))'
        ),
        r'[...document.querySelectorAll(\1)].filter(e=>!e.closest("details:not([open])"))'
        r".map(e=>[e,\2]).forEach(([e,o])=>{e.tabIndex=o?0:-1})"
        r'\3document.addEventListener("toggle",\4,!0),',
    ),
    # The theme marks a section in the page's contents when its heading comes into sight, so it
    # misses the way back up and every jump. The section is that of the last heading above a line.
    (
        "const t=e.filter(e=>e.isIntersecting).pop();if(!t)return;const n=t.target;s(a.get(n))",
        "const n=[...a.keys()].filter(e=>e.getBoundingClientRect().top<.3*innerHeight).pop();"
        "n&&s(a.get(n))",
    ),
    ("rootMargin:`-${e}px 0px -70% 0px`", 'rootMargin:"9999999px 0px -70% 0px"'),
]
ICON_NAME = re.compile(r"\bfa-[a-z0-9-]+")
ICON_RULE = re.compile(r'(?:\.fa-[a-z0-9-]+:before,?)+\{content:"\\[0-9a-f]+"\}')
ICON_CODE = re.compile(r"\\([ef][0-9a-f]{3})\b")
ICON_ITSELF = re.compile("[\ue000-\uf8ff]")


class Mends:
    """Replacements in what the theme and the other extensions wrote, each counted.

    A mend that finds nothing any more is no mend: :meth:`check` then fails the build.
    """

    def __init__(self) -> None:
        self.found: Counter[str] = Counter()

    def replace(self, text: str, wrong: str | re.Pattern[str], right: str) -> str:
        """The text with all that matches replaced."""
        if isinstance(wrong, str):
            self.found[wrong] += text.count(wrong)
            return text.replace(wrong, right)
        text, count = wrong.subn(right, text)
        self.found[wrong.pattern] += count
        return text

    def check(self) -> None:
        """Fails if one of the replacements was made nowhere."""
        idle = [pattern for pattern, count in self.found.items() if not count]
        if idle:
            raise ExtensionError(
                "The theme or an extension has changed: nothing matches "
                f"{idle}; mend or drop these rules in book/_ext/lean.py"
            )


def finish_pages(app: Sphinx, error: Exception | None) -> None:
    """Rewrites the pages, and what the theme lays beside them, once all are built."""
    if error is not None or app.builder.format != "html":
        return
    out, mends = Path(app.outdir), Mends()
    listed = [out / f"{name}.html" for name in app.config.external_site_map]
    for page in listed:
        if not page.is_file():
            raise ExtensionError(f"_toc.yml lists {page.stem}, but no such page was built")
    whole = all(page.stat().st_mtime >= app.began for page in listed)
    rules = PAGE + (FORMULA if getattr(app.config, "katex_prerender", False) else [])
    for page in out.rglob("*.html"):
        rewrite(page, mends, rules)
    scripts = out / "_static" / "scripts"
    for script in scripts.glob("fontawesome.js*"):
        script.unlink()
    rewrite(out / "_static" / "documentation_options.js", mends, OPTIONS)
    rewrite(scripts / "pydata-sphinx-theme.js", mends, THEME_SCRIPT)
    if whole:  # else pages of an earlier run are mended already
        mends.check()
    keep_used_icons(out)


def note_start(app: Sphinx) -> None:
    """Notes when the build began."""
    app.began = time.time()


def rewrite(path: Path, mends: Mends, rules: Rules) -> None:
    """Applies the rules to a file, in their order."""
    text = before = path.read_text(encoding="utf-8")
    for wrong, right in rules:
        text = mends.replace(text, wrong, right)
    if text != before:
        path.write_text(text, encoding="utf-8")


def keep_used_icons(out: Path) -> None:
    """Reduces the theme's icon font, and the rules that name its icons, to those in use."""
    static = out / "_static"
    names: set[str] = set()
    for path in [*out.rglob("*.html"), *static.rglob("*.js")]:
        names.update(ICON_NAME.findall(path.read_text(encoding="utf-8")))
    codes: set[int] = set()
    for sheet in static.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        lean = ICON_RULE.sub(
            lambda m: m[0] if names & set(ICON_NAME.findall(m[0])) else "", text
        )
        if lean != text:
            sheet.write_text(lean, encoding="utf-8")
        codes.update(int(code, 16) for code in ICON_CODE.findall(lean))
        codes.update(map(ord, ICON_ITSELF.findall(lean)))
    for font in static.rglob("fa-*.woff2"):
        options = subset.Options(flavor="woff2", notdef_outline=True, layout_features=[])
        glyphs = subset.load_font(str(font), options)
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=codes)
        cutter.subset(glyphs)
        subset.save_font(glyphs, str(font), options)
