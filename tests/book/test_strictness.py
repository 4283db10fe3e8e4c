"""nbval with book/conftest.py must fail on everything a reader should never meet.

A few notebooks are built, some of them tampered with, and checked by one pytest of their own, run
as `make test` runs it. Each code cell is a test there, so one notebook holds many cases.
"""

import base64
import io
import json
import os
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = [
    "--nbval",
    "--nbval-current-env",
    "--nbval-cell-timeout",
    "60",
    "--nbval-sanitize-with",
    str(ROOT / "tests" / "nbval_sanitize.cfg"),
    "-p",
    "no:cacheprovider",
    "-n",
    "0",
    "-c",
    os.devnull,
]

FRAMES = "application/vnd.lecture-code.explorable+json"
SETUP = '''
import base64, io
import matplotlib.pyplot as plt, numpy as np

def figure(shift=0.0, noise=0.0, label="slope -1.53"):
    """Two curves on a vertical axis from 0 to 1; `shift` moves one of them."""
    x = np.linspace(0, 10, 400)
    fig, ax = plt.subplots(figsize=(6.4, 4), dpi=110)
    ax.plot(x, 0.5 + 0.3 * np.sin(x) * (1 + noise * np.cos(40 * x)) + shift)
    ax.plot(x, np.exp(-x))
    ax.text(7, 0.9, label)
    ax.set(ylim=(0, 1), xlabel="step $t$")
    return fig

def draw(**change):
    """Shows the figure once, when the cell ends."""
    figure(**change)

def frames(shift=0.0):
    """Two frames as WebP inside JSON; `shift` moves a curve of the second."""
    uris = []
    for fig in (figure(), figure(0.1 + shift)):
        buffer = io.BytesIO()
        fig.savefig(buffer, format="webp", dpi=110)
        plt.close(fig)
        uris.append("data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode())
    return Shown("frames", "explorable", {"frames": [[uri, "what is seen"] for uri in uris]})

class Shown:
    """Displays itself as our outputs do: plain text and JSON."""
    def __init__(self, text, kind, data):
        self.bundle = {"text/plain": text, f"application/vnd.lecture-code.{kind}+json": data}
    def _repr_mimebundle_(self, include=None, exclude=None):
        return self.bundle

def claim():
    """As small as a claim can be."""
    return Shown("0.5 <= 1", "claim", {"id": "a", "sides": [0.5, 1.0]})
'''
HONEST = {
    "setup": SETUP,
    "text": "sum(range(1000))",
    "printed": "print('one')\nprint('two')",
    "figure": "draw()",
    "figure with noise": "draw(noise=1e-5)",
    "figure, curve moved by 2 %": "draw(shift=0.02)",
    "figure, digit changed": "draw(label='slope -1.52')",
    "frames": "frames()",
    "frames, curve moved by 2 %": "frames(shift=0.02)",
    "claim": "claim()",
}
ON_STDERR = "import sys\nprint('careful', file=sys.stderr)"

# In the notebook `tampered`: name of a cell, words its failure must hold (None: it must pass).
TAMPERED = {
    "setup": None,
    "text changed": "Cell outputs differ",
    "printed line changed": "Cell outputs differ",
    "outputs removed": "Unexpected output fields",
    "output added": "Missing output fields",
    "figure within rounding": None,
    "figure, curve moved": "image 0 (image/png) differs: RMS",
    "figure, digit changed": "image 0 (image/png) differs: RMS",
    "figure of another size": "image 0 (image/png) differs: size",
    "figure damaged": "image 0 (image/png) differs: not an image",
    "figure removed": "images: 1, stored 0",
    "frame, curve moved": f"image 1 (image/webp in {FRAMES}) differs: RMS",
    "frame removed": "images: 2, stored 1",
    "text beside the frames changed": f"mismatch '{FRAMES}'",
    "claim JSON changed": "mismatch 'application/vnd.lecture-code.claim+json'",
    "claim JSON removed": "Unexpected output fields",
    "claim removed from two": "it shows [['application/vnd.lecture-code.claim+json',",
    "warning": "fresh stderr is not empty",
    "stderr, stored and fresh alike": "stored stderr is not empty ('careful')",
    "stderr stored only": "stored stderr is not empty ('old')",
    "error stored only": "the stored output is an error (OldError)",
    "exception": "Cell execution caused an exception",
    "NBVAL_IGNORE_OUTPUT": "NBVAL_IGNORE_OUTPUT weakens the check",
    "PYTEST_VALIDATE_IGNORE_OUTPUT": "PYTEST_VALIDATE_IGNORE_OUTPUT weakens the check",
    "NBVAL_SKIP": "NBVAL_SKIP weakens the check",
    "NBVAL_RAISES_EXCEPTION": "NBVAL_RAISES_EXCEPTION weakens the check",
    "nbval-ignore-output": "nbval-ignore-output weakens the check",
    "nbval-skip": "nbval-skip weakens the check",
    "raises-exception": "raises-exception weakens the check",
}
# In notebooks of their own, since the order is a property of the whole notebook.
SMALL = {
    ("unexecuted", 0): None,
    ("unexecuted", 1): "it was never executed",
    ("unexecuted", 2): None,
    ("out of order", 0): None,
    ("out of order", 1): "it was executed as number 3 instead of 2",
    ("out of order", 2): None,
    ("executed twice", 0): "it was executed as number 4 instead of 1",
    ("false claim", 0): "ClaimError",
    ("false claim, tagged", 0): "ClaimError",
}

Cell = tuple[str, list[NotebookNode]]  # source and stored outputs
Book = tuple[Path, dict[tuple[str, str], str | None]]  # folder; message of (notebook, cell)


def notebook(cells: list[Cell], counts: list[int | None] | None = None) -> NotebookNode:
    """A notebook whose cells look as if they had been executed, by default in order."""
    counts = counts or list(range(1, len(cells) + 1))
    return new_notebook(
        cells=[
            new_code_cell(source, outputs=deepcopy(outputs), execution_count=n)
            for (source, outputs), n in zip(cells, counts, strict=True)
        ]
    )


def execute(sources: dict[str, str]) -> dict[str, list[NotebookNode]]:
    """The outputs of each cell, from one kernel."""
    nb = new_notebook(cells=[new_code_cell(source) for source in sources.values()])
    NotebookClient(nb, timeout=60, kernel_name="python3").execute()
    return {name: cell.outputs for name, cell in zip(sources, nb.cells, strict=True)}


def edited(outputs: list[NotebookNode], old: str, new: str) -> list[NotebookNode]:
    """The outputs with `old`, which must be there, replaced by `new`."""
    text = json.dumps(outputs)
    old, new = json.dumps(old)[1:-1], json.dumps(new)[1:-1]
    assert old in text
    return nbformat.from_dict(json.loads(text.replace(old, new)))


def tampered(done: dict[str, list[NotebookNode]]) -> dict[str, Cell]:
    """The cells of the notebook `tampered`, by the names of TAMPERED."""

    def stream(text: str) -> list[NotebookNode]:
        return [new_output("stream", name="stderr", text=text)]

    def without(outputs: list[NotebookNode], mime: str) -> list[NotebookNode]:
        outputs = deepcopy(outputs)
        del outputs[0].data[mime]
        return outputs

    claim_json = "application/vnd.lecture-code.claim+json"
    other_claim = deepcopy(done["claim"])
    other_claim[0].data[claim_json]["sides"][0] = 0.25
    png = done["figure"][0].data["image/png"]
    buffer = io.BytesIO()
    Image.new("RGBA", (3, 2)).save(buffer, "PNG")
    tiny = base64.b64encode(buffer.getvalue()).decode()
    assert png != done["figure with noise"][0].data["image/png"], "nothing to tolerate"
    one_frame = deepcopy(done["frames"])
    one_frame[0].data[FRAMES]["frames"].pop()
    return {
        "setup": (SETUP, []),
        "text changed": (HONEST["text"], edited(done["text"], "499500", "499501")),
        "printed line changed": (HONEST["printed"], edited(done["printed"], "two", "three")),
        "outputs removed": (HONEST["text"], []),
        "output added": ("x = 1", done["text"]),
        "figure within rounding": (HONEST["figure"], done["figure with noise"]),
        "figure, curve moved": (HONEST["figure"], done["figure, curve moved by 2 %"]),
        "figure, digit changed": (HONEST["figure"], done["figure, digit changed"]),
        "figure of another size": (HONEST["figure"], edited(done["figure"], png, tiny)),
        "figure damaged": (HONEST["figure"], edited(done["figure"], png, png[:400])),
        "figure removed": (HONEST["figure"], without(done["figure"], "image/png")),
        "frame, curve moved": (HONEST["frames"], done["frames, curve moved by 2 %"]),
        "frame removed": (HONEST["frames"], one_frame),
        "text beside the frames changed": (
            HONEST["frames"],
            edited(done["frames"], "seen", "heard"),
        ),
        "claim JSON changed": (HONEST["claim"], other_claim),
        "claim JSON removed": (HONEST["claim"], without(done["claim"], claim_json)),
        "claim removed from two": ("display(claim())\nclaim()", done["claim"]),
        "warning": ("import warnings\nwarnings.warn('careful')", []),
        "stderr, stored and fresh alike": (ON_STDERR, stream("careful\n")),
        "stderr stored only": ("x = 1", stream("old\n")),
        "error stored only": ("x = 1", [new_output("error", ename="OldError", evalue="")]),
        "exception": ("1 / 0", []),
        "NBVAL_IGNORE_OUTPUT": ("# NBVAL_IGNORE_OUTPUT\n1", done["text"]),
        "PYTEST_VALIDATE_IGNORE_OUTPUT": ("# PYTEST_VALIDATE_IGNORE_OUTPUT\nx = 1", []),
        "NBVAL_SKIP": ("# NBVAL_SKIP\nx = 1", []),
        "NBVAL_RAISES_EXCEPTION": ("#NBVAL_RAISES_EXCEPTION\n1 / 0", []),
        **{tag: ("x = 1", []) for tag in ("nbval-ignore-output", "nbval-skip", "raises-exception")},
    }


def small() -> dict[str, NotebookNode]:
    """The other notebooks, none of which needs to be executed first."""
    plain = [("x = 1", [])] * 3
    claim = 'from lecture_code.display import claims\nclaims.at_most("mc-lemma-9", 2.0, 1.0)', []
    tagged = notebook([claim])
    tagged.cells[0].metadata.tags = ["raises-exception"]
    return {
        "unexecuted": notebook(plain, [1, None, 2]),
        "out of order": notebook(plain, [1, 3, 2]),
        "executed twice": notebook(plain[:1], [4]),
        "false claim": notebook([claim]),
        "false claim, tagged": tagged,
    }


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """The folder that was checked, and for each cell its failure message, None if it passed."""
    root = tmp_path_factory.mktemp("strictness")
    folder = root / "book"
    folder.mkdir()
    shutil.copy(ROOT / "book" / "conftest.py", folder)
    (folder / "test_other.py").write_text("def test_other():\n    pass\n")
    done = execute(HONEST)
    cells = tampered(done)
    notebooks = {
        "untouched": notebook([(source, done[name]) for name, source in HONEST.items()]),
        "tampered": notebook(list(cells.values())),
        **small(),
    }
    for cell, name in zip(notebooks["tampered"].cells, cells, strict=True):
        if name.islower() and "-" in name:
            cell.metadata["tags"] = [name]
    for name, nb in notebooks.items():
        nbformat.write(nb, folder / f"{name}.ipynb")

    report = root / "report.xml"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *OPTIONS,
            f"--rootdir={root}",
            f"--junitxml={report}",
            "--color=no",
            str(folder),
        ],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 1, run.stdout + run.stderr

    results: dict[tuple[str, str], str | None] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        assert case.find("error") is None, case.attrib
        assert case.find("skipped") is None, case.attrib
        place = case.get("classname", "").removeprefix("book."), case.get("name", "")
        failure = case.find("failure")
        results[place] = None if failure is None else failure.text or ""
    return root, results


def check(message: str | None, expected: str | None) -> None:
    """A cell passed, or failed for the reason expected and said what to do."""
    if expected is None:
        assert message is None
    else:
        assert message is not None, "the cell passed"
        assert expected in message
        assert "run `make notebooks`" in message


@pytest.mark.parametrize("number", range(len(HONEST)))
def test_untouched_notebook_passes(book: Book, number: int) -> None:
    assert book[1]["untouched.ipynb", f"Cell {number}"] is None


@pytest.mark.parametrize(("number", "name"), list(enumerate(TAMPERED)))
def test_tampered_cell_fails(book: Book, number: int, name: str) -> None:
    message = book[1]["tampered.ipynb", f"Cell {number}"]
    check(message, TAMPERED[name])
    assert message is None or "in tampered.ipynb" in message


@pytest.mark.parametrize(("name", "number"), list(SMALL))
def test_whole_notebook(book: Book, name: str, number: int) -> None:
    check(book[1][f"{name}.ipynb", f"Cell {number}"], SMALL[name, number])


def test_other_tests_are_left_alone(book: Book) -> None:
    assert book[1]["test_other", "test_other"] is None


def test_differing_figures_are_left_to_look_at(book: Book) -> None:
    number = list(TAMPERED).index("figure, curve moved")
    folder = book[0] / "_build" / "figure-differences"
    sizes = set()
    for which in ("stored", "fresh", "diff"):
        with Image.open(folder / f"tampered-cell{number}-0-{which}.png") as image:
            sizes.add(image.size)
    assert len(sizes) == 1
