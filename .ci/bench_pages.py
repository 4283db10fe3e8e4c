"""Compare a chapter's page as this book builds it with what Jupyter Book builds by default.

Both are served gzip-compressed from this machine and loaded in Chromium, in alternation. The
default page renders math with MathJax and shows the stored widgets with the ipywidgets
html-manager; both come from npm, so that neither page needs the network.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "_build" / "bench"
CHAPTER = "matrix_completion"
LOADS = 10
PACKAGES = ("mathjax@3.2.2", "@jupyter-widgets/html-manager@1.0.15", "requirejs@2.3.8")
CONFIG = """\
title: Default
only_build_toc_files: true
execute: {execute_notebooks: "off"}
parse: {myst_enable_extensions: [amsmath, colon_fence, deflist, dollarmath]}
bibtex_bibfiles: [references.bib]
sphinx:
  extra_extensions: [sphinx_proof, sphinx_exercise]
  config:
    html_static_path: [local]
    mathjax_path: mathjax/es5/tex-mml-chtml.js
    nb_ipywidgets_js:
      requirejs/require.js: {}
      "@jupyter-widgets/html-manager/dist/embed-amd.js": {}
"""
VISIBLE = """async () => {
  if (document.readyState === "loading")
    await new Promise(done => addEventListener("DOMContentLoaded", done));
  if (document.querySelector("script[src*=mathjax]")) {
    while (!window.MathJax?.startup?.promise) await new Promise(done => setTimeout(done, 2));
    await MathJax.startup.promise;
  }
  await document.fonts.ready;
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  return performance.now();
}"""
AT_THE_END = """slider =>
  Number(slider.value ?? slider.ariaValueNow) >= Number(slider.max ?? slider.ariaValueMax)"""
WATCH = """slider => {
  const image = slider.closest("figure, .widget-vbox, .jupyter-widgets").querySelector("img");
  window.changed = null;
  slider.addEventListener("keydown", event => { window.pressed = event.timeStamp; });
  new MutationObserver(() => requestAnimationFrame(() => { window.changed ??= performance.now(); }))
    .observe(image ?? slider, { attributes: true, attributeFilter: ["src"] });
}"""


class Handler(SimpleHTTPRequestHandler):
    """Serves files gzip-compressed, except pictures and fonts, and counts the bytes sent."""

    sent: ClassVar[dict[str, int]] = {}

    def do_GET(self) -> None:
        """Answer with the file, compressed."""
        path = Path(self.translate_path(urlsplit(self.path).path))
        if not path.is_file():
            return self.send_error(404)
        body = path.read_bytes()
        squeezed = path.suffix not in {".png", ".webp", ".woff2", ".woff"}
        if squeezed:
            body = gzip.compress(body, 6)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(len(body)))
        if squeezed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)
        Handler.sent[path.name] = len(body)
        return None

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def build_default() -> Path:
    """The chapter as Jupyter Book builds it when nothing is configured but what it needs."""
    shutil.rmtree(WORK, ignore_errors=True)
    source = WORK / "source"
    source.mkdir(parents=True)
    npm = shutil.which("npm")
    assert npm is not None, "npm is on the PATH of this command"
    options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(WORK)]
    subprocess.run([npm, "install", *options, *PACKAGES], check=True, stdout=subprocess.DEVNULL)
    (source / "local").symlink_to(WORK / "node_modules")
    shutil.copy(ROOT / "book" / "references.bib", source)
    notebook = (ROOT / "book" / f"{CHAPTER}.ipynb").read_text(encoding="utf-8")
    (source / f"{CHAPTER}.ipynb").write_text(notebook, encoding="utf-8")
    (source / "_config.yml").write_text(CONFIG, encoding="utf-8")
    (source / "_toc.yml").write_text(f"format: jb-book\nroot: {CHAPTER}\n", encoding="utf-8")
    book = shutil.which("jupyter-book") or str(Path(sys.executable).with_name("jupyter-book"))
    with (WORK / "build.log").open("w") as log:
        subprocess.run([book, "build", source, "-q"], check=True, stdout=log, stderr=log)
    return source / "_build" / "html"


def load(browser: Browser, address: str) -> dict[str, float]:
    """Load a page once in an empty browser; milliseconds and bytes."""
    Handler.sent = {}
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.route(lambda url: "//127.0.0.1:" not in url, lambda route: route.abort())
    page.goto(address, wait_until="commit")
    seen = page.evaluate(VISIBLE)
    page.wait_for_load_state("load")
    page.wait_for_timeout(1500)  # what the page still asks for by itself
    sent = dict(Handler.sent)
    slider = page.locator("figure.explorable input[type=range], .widget-slider [role=slider]").first
    changed = float("inf")
    if slider.count():
        slider.focus()
        slider.evaluate(WATCH)
        page.keyboard.press("ArrowLeft" if slider.evaluate(AT_THE_END) else "ArrowRight")
        page.wait_for_timeout(1000)
        changed = (
            page.evaluate("window.changed ? window.changed - window.pressed : null") or changed
        )
    context.close()
    scripts = sum(size for name, size in sent.items() if name.endswith(".js"))
    return {
        "math visible (ms)": seen,
        "bytes in all": sum(sent.values()),
        "script bytes": scripts,
        "key press to picture (ms)": changed,
    }


def main() -> None:
    """Build, measure, and print the medians and their ratio."""
    roots = {
        "ours": (ROOT / "_build" / "html", f"book/{CHAPTER}.html"),
        "default": (build_default(), f"{CHAPTER}.html"),
    }
    addresses = {}
    for name, (folder, page) in roots.items():
        handler = partial(Handler, directory=os.fspath(folder))
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        addresses[name] = f"http://127.0.0.1:{server.server_address[1]}/{page}"
    program = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    )
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in addresses}
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=flags)
        for _ in range(LOADS):
            for name, address in addresses.items():
                rows[name].append(load(browser, address))
        browser.close()
    print(f"{'median of ' + str(LOADS) + ' loads':28s} {'ours':>12s} {'default':>12s}   ratio")
    medians = {n: {k: statistics.median(r[k] for r in v) for k in v[0]} for n, v in rows.items()}
    for key, ours in medians["ours"].items():
        other = medians["default"][key]
        ratio = "the default's never changes" if other == float("inf") else f"{ours / other:.2f}"
        print(f"{key:28s} {ours:12,.0f} {other:12,.0f}   {ratio}")
    (WORK / "medians.json").write_text(json.dumps(medians), encoding="utf-8")


if __name__ == "__main__":
    main()
