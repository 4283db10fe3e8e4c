"""The live side: a chapter in JupyterLab runs, its theorems are rendered, its sliders move."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from visits import PATIENCE, ROOT, Open

NOTEBOOK = "implicit_bias.ipynb"
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/lab")
LABELLED = re.compile(r"\{prf:(?!proof)\w+\} (?P<title>.+)\n:label: (?P<label>\S+)")
FOLDERS = [
    "IPYTHONDIR",
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
]
OPTIONS = [
    "--no-browser",
    "--allow-root",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port=0",
    "--IdentityProvider.token=",
    "--LabApp.expose_app_in_browser=True",
]

# What the notebook's model holds; cells that are out of sight may have no elements.
PROGRESS = """() => {
  const panel = jupyterapp.shell.currentWidget;
  const {cells} = panel.content.model;
  const code = Array.from({length: cells.length}, (_, i) => cells.get(i))
    .filter(cell => cell.type === "code");
  const outputs = code.flatMap(({outputs}) =>
    Array.from({length: outputs.length}, (_, i) => outputs.get(i)));
  return {
    status: panel.sessionContext.session?.kernel?.status,
    waiting: code.filter(cell => cell.executionState !== "idle").length,
    counts: code.map(cell => cell.executionCount),
    errors: outputs.filter(({type}) => type === "error" || type === "stream")
      .map(output => output.toJSON()).filter(({name}) => name !== "stdout"),
  };
}"""
GO_TO = """async label => {
  const notebook = jupyterapp.shell.currentWidget.content;
  const at = notebook.widgets.findIndex(cell => cell.model.sharedModel.source.includes(label));
  notebook.activeCellIndex = at;
  await notebook.scrollToItem(at, "start");
}"""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """The address of a JupyterLab on a copy of the book, with settings of its own."""
    for folder in ("book", "lecture_code"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    settings = tmp_path / "JUPYTERLAB_SETTINGS_DIR" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    own = {name: str(tmp_path / name) for name in FOLDERS} | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "jupyter", "lab", *OPTIONS]
    server = subprocess.Popen(
        [*command, f"--ServerApp.root_dir={tmp_path / 'book'}"],
        cwd=tmp_path,
        env=os.environ | own,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    log: list[str] = []
    started = threading.Event()

    def listen() -> None:
        for line in server.stderr:
            log.append(line)
            if ADDRESS.search(line):
                started.set()
        started.set()

    listener = threading.Thread(target=listen)
    listener.start()
    started.wait(PATIENCE / 1000)
    addresses = ADDRESS.findall("".join(log))
    if addresses:
        yield addresses[0]
    server.terminate()
    server.wait(PATIENCE / 1000)
    listener.join()
    server.stderr.close()
    if not addresses:
        pytest.fail("JupyterLab did not start:\n" + "".join(log), False)


def run_all(page: Page, cells: int) -> None:
    """Clears what is stored, runs all cells from the menu and waits until the last is done."""
    page.evaluate("() => jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    assert not any(page.evaluate(PROGRESS)["counts"])
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(
        f"""cells => {{
          const {{status, waiting, counts, errors}} = ({PROGRESS})();
          const done = status === "idle" && waiting === 0 && counts.every((n, i) => n === i + 1);
          return errors.length || (done && counts.length === cells);
        }}""",
        arg=cells,
        polling=500,
    )


def test_chapter_runs_in_jupyterlab(opened: Open, lab: str) -> None:
    source = json.loads((ROOT / "book" / NOTEBOOK).read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in source if cell["cell_type"] == "code"]
    text = "\n".join("".join(c["source"]) for c in source if c["cell_type"] == "markdown")
    statement = LABELLED.search(text)
    assert statement is not None

    seen = opened(f"{lab}/tree/{NOTEBOOK}?reset")
    page = seen.page
    page.wait_for_function(
        f"() => window.jupyterapp?.shell.currentWidget?.content?.model"
        f" && ({PROGRESS})().status === 'idle'"
    )
    run_all(page, len(code))
    assert page.evaluate(PROGRESS)["errors"] == []

    page.evaluate(GO_TO, f":label: {statement['label']}")
    block = page.locator(f".myst aside.myst-proof[id='{statement['label']}']")
    expect(block).to_be_visible()
    expect(block).to_contain_text(statement["title"].split(";")[0])
    assert block.locator(".katex").count()
    assert not page.locator(".myst", has_text=":::").count()

    page.evaluate(GO_TO, "explore(")
    live = page.locator(".jp-OutputArea:has(.widget-slider)").first
    slider, picture = live.get_by_role("slider").first, live.locator("img").first
    expect(picture).to_be_visible()
    before, alt = picture.get_attribute("src"), picture.get_attribute("alt")
    at_end = slider.get_attribute("aria-valuenow") == slider.get_attribute("aria-valuemax")
    slider.focus()
    page.keyboard.press("ArrowLeft" if at_end else "ArrowRight")
    expect(picture).not_to_have_attribute("src", before)
    expect(picture).not_to_have_attribute("alt", alt)

    page.evaluate(GO_TO, "live(")
    drawn = page.locator(".jp-OutputArea figure.live svg").first
    expect(drawn).to_be_visible()
    said = drawn.get_attribute("aria-label")
    page.locator(".jp-OutputArea figure.live [role=slider]").first.press("ArrowRight")
    expect(drawn).not_to_have_attribute("aria-label", said)
    assert page.evaluate(PROGRESS)["errors"] == []

    own = (lab.removesuffix("lab"), lab.removesuffix("lab").replace("http", "ws"), "data:", "blob:")
    assert not [url for url in seen.requests if not url.startswith(own)]
    seen.troubles.clear()  # JupyterLab's own
