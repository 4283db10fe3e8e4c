"""Execute notebooks in place and store the same bytes each time: notebooks.py [NOTEBOOK ...].

With --normalise they are stored in that form as they are, without being executed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from lecture_code.display.evidence import makes_claims

ROOT = Path(__file__).resolve().parent.parent
CELL_TIMEOUT = 60  # seconds, as in the tests
SLOW_CELL, SLOW_CHAPTER = 5.0, 20.0  # seconds

VIEW = "application/vnd.jupyter.widget-view+json"
LIVE = "application/vnd.lecture-code.live+json"
STATE = "application/vnd.jupyter.widget-state+json"
RUN_KEYS = ("execution", "ExecuteTime")  # what front ends note about a cell's last run


@dataclass(frozen=True)
class Run:
    """What came of one notebook: its new text or an error, and the seconds it took."""

    path: Path
    text: str = ""
    error: str = ""
    seconds: float = 0.0
    cells: dict[int, float] = field(default_factory=dict)  # slow ones only

    def report(self) -> list[str]:
        """The lines to print about this run."""
        if self.error:
            return [f"error: {self.path.name}, {self.error}"]
        lines = [f"{self.path.name}: {self.seconds:.1f} s"]
        if self.seconds > SLOW_CHAPTER:
            lines.append(f"slow: {self.path.name} took {self.seconds:.1f} s")
        slow = self.cells.items()
        return lines + [f"slow: {self.path.name}, code cell {n} took {s:.1f} s" for n, s in slow]


def read(text: str) -> nbformat.NotebookNode:
    """Parse a notebook; a cell whose id is missing or taken gets one made of its text."""
    raw = json.loads(text)
    seen: set[str] = set()
    for number, cell in enumerate(raw["cells"]):
        if cell.get("id") in seen | {None}:
            source = f"{number}\0{''.join(cell['source'])}"
            cell["id"] = hashlib.sha256(source.encode()).hexdigest()[:8]
        seen.add(cell["id"])
    raw.update(nbformat=4, nbformat_minor=5)
    return nbformat.reads(json.dumps(raw), as_version=4)


def code_cells(notebook: nbformat.NotebookNode) -> Iterator[nbformat.NotebookNode]:
    """The cells that a kernel executes."""
    return (c for c in notebook.cells if c.cell_type == "code" and c.source.strip())


def merged(outputs: list[Any]) -> list[Any]:
    """Outputs with neighbouring pieces of the same stream joined."""
    joined: list[Any] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output.output_type == "stream" and output.get("name") == last.get("name"):
            last["text"] += output.text
        else:
            joined.append(output)
    return joined


def leave_out_live(notebook: nbformat.NotebookNode) -> None:
    """Drops the widgets of live figures, which hold all of their script; the rest is stored."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if LIVE in output.get("data", {}):
                output.data.pop(VIEW, None)
    state = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    for model in set(state) - set(model_ids(notebook)):
        del state[model]


def model_ids(notebook: nbformat.NotebookNode) -> list[str]:
    """The widget models on display, each before the models that it refers to."""
    state = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    outputs = (output for cell in code_cells(notebook) for output in cell.outputs)
    shown = [output.data[VIEW]["model_id"] for output in outputs if VIEW in output.get("data", {})]
    found: dict[str, None] = {}
    waiting = shown[::-1]
    while waiting:
        model = waiting.pop()
        if model not in found:
            found[model] = None
            text = json.dumps(state.get(model, {}), sort_keys=True)
            waiting += re.findall(r'"IPY_MODEL_([^"]+)"', text)[::-1]
    return list(found)


def normal(notebook: nbformat.NotebookNode) -> str:
    """The text of a notebook, with nothing in it that changes from run to run."""
    leave_out_live(notebook)
    names = {old: f"{new:032x}" for new, old in enumerate(model_ids(notebook), 1)}
    text = json.dumps(notebook)
    if names:
        text = re.sub("|".join(map(re.escape, names)), lambda match: names[match[0]], text)
    notebook = nbformat.from_dict(json.loads(text))
    widgets = notebook.metadata.get("widgets")
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
        | {k: v for k, v in notebook.metadata.items() if k not in ("kernelspec", "language_info")}
    )
    if not widgets:
        notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        for key in RUN_KEYS:
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            mark(cell)
            cell.outputs = merged(cell.outputs)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def mark(cell: nbformat.NotebookNode) -> None:
    """Hide code that does not teach, and let a run of all cells go on behind a false claim."""
    tags = [tag for tag in cell.metadata.get("tags", []) if tag != "raises-exception"]
    if makes_claims(cell.source):
        tags.append("raises-exception")
    front = dict(cell.metadata.get("jupyter", {}), source_hidden=True)
    if "teaches" in tags:
        del front["source_hidden"]
    for key, value in (("tags", tags), ("jupyter", front)):
        cell.metadata.pop(key, None)
        if value:
            cell.metadata[key] = value


def complaint(cell: nbformat.NotebookNode) -> str:
    """What a cell raised or wrote to stderr, or nothing."""
    for output in cell.outputs:
        if output.output_type == "error":
            return f"{output.ename}: {output.evalue}"
        if output.output_type == "stream" and output.name == "stderr":
            return f"wrote to stderr: {output.text.strip()}"
    return ""


def execute(path: Path) -> Run:
    """Execute a notebook from the top, in its own directory, up to the first complaint."""
    notebook = read(path.read_text(encoding="utf-8"))
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
    kernel = AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    resources = {"metadata": {"path": str(path.parent)}}
    options = {"resources": resources, "timeout": CELL_TIMEOUT}
    quiet = ["--log-level=ERROR"]  # about itself; what cells write to stderr still arrives
    client = NotebookClient(notebook, kernel, extra_arguments=quiet, **options)
    start, slow, count = time.perf_counter(), {}, 0
    with client.setup_kernel(cleanup_kc=True):
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type != "code" or not cell.source.strip():
                continue
            count += 1
            began = time.perf_counter()
            try:
                client.execute_cell(cell, index)
                error = complaint(cell)
            except CellExecutionError as problem:
                error = f"{problem.ename}: {problem.evalue}"
            except (CellTimeoutError, DeadKernelError) as problem:
                error = str(problem).strip().splitlines()[0]
            if error:
                return Run(path, error=f"code cell {count}: {error}")
            if (took := time.perf_counter() - began) > SLOW_CELL:
                slow[count] = took
        client.set_widgets_metadata()
    return Run(path, normal(notebook), seconds=time.perf_counter() - start, cells=slow)


def store(path: Path, text: str) -> None:
    """Write a notebook whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8", newline="\n")
    os.replace(partial, path)


def main(paths: list[Path]) -> int:
    """Execute notebooks side by side; write them only if all of them ran."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as own:  # a user's startup files stay outside
        os.environ["IPYTHONDIR"] = own
        return execute_all(paths)


def execute_all(paths: list[Path]) -> int:
    """Execute notebooks and write those that ran, if all of them did."""
    workers = max(1, min(len(paths), os.cpu_count() or 1))
    with ProcessPoolExecutor(workers) as pool:
        runs = list(pool.map(execute, paths))
    for run in runs:
        print(*run.report(), sep="\n", file=sys.stderr if run.error else sys.stdout)
    if any(run.error for run in runs):
        return 1
    for run in runs:
        store(run.path, run.text)
    return 0


def normalise(paths: list[Path]) -> int:
    """Store notebooks in their normal form as they are; which cells were run stays visible."""
    for path in paths:
        text = path.read_text(encoding="utf-8")
        if (wanted := normal(read(text))) != text:
            store(path, wanted)
            print(f"{path.name}: normalised")
    return 0


if __name__ == "__main__":
    options = [name for name in sys.argv[1:] if name.startswith("-")]
    if options not in ([], ["--normalise"]):
        sys.exit("usage: notebooks.py [--normalise] [NOTEBOOK ...]")
    named = [Path(name).resolve() for name in sys.argv[1:] if name not in options]
    command = normalise if options else main
    sys.exit(command(named or sorted((ROOT / "book").glob("*.ipynb"))))
