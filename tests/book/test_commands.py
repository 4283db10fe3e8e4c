"""The commands: what they say when they cannot do their work, and notebooks stored byte by byte."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


def load(name: str) -> ModuleType:
    """Import a script of .ci as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


environment, notebooks = load("environment"), load("notebooks")
HIDDEN = {"jupyter": {"source_hidden": True}}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project that the commands take for theirs."""
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment, "BIN", tmp_path / ".venv/bin")
    for name in ("requirements.txt", "requirements-test.txt", "pyproject.toml"):
        (tmp_path / name).write_text("")
    return tmp_path


def write(path: Path, *cells: str) -> Path:
    """Store a notebook that has not been executed."""
    code = [nbformat.v4.new_code_cell(source) for source in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=code), path)
    return path


def run_notebooks(*paths: Path) -> subprocess.CompletedProcess[str]:
    """Run the notebooks script on these paths."""
    command = [sys.executable, ROOT / ".ci/notebooks.py", *paths]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_missing_venv_module_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(environment.Stop, match="apt-get install python3-venv"):
        environment.check_venv()


def test_make_says_that_there_is_no_python(tmp_path: Path) -> None:
    for tool in ("make", "sh"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    command = [tmp_path / "make", "-C", ROOT, "book"]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed" in done.stderr


def test_a_check_of_one_chapter_has_its_notebook_and_its_tests() -> None:
    for path in ROOT.glob("book/*.ipynb"):
        assert f"book/{path.name}" in environment.checks(path.stem)
    with pytest.raises(environment.Stop, match=r"there is no book/nt\.ipynb"):
        environment.checks("nt")


def test_a_small_disk_stops_before_installing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(project)._replace(free=10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(environment.Stop, match=r"Only 1.0 GB are free here"):
        environment.python_packages("requirements.txt")
    assert not environment.VENV.exists()


def test_an_unreachable_registry_is_named_after_the_words_of_pip(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.BIN.mkdir(parents=True)
    python = environment.BIN / "python"  # no link: Python would look for pip where that lies
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(environment.Stop, match=r"\(PyPI\) could not be reached"):
        environment.pip_install("--target", project, "no-such-package")
    assert "No matching distribution found for no-such-package" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("npm error code ENOTFOUND", "registry could not be reached"),
        ("npm error code ENOSPC", "disk is full"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: No matching distribution found for x", "its last lines are above"),
    ],
)
def test_failures_are_explained(output: str, said: str) -> None:
    assert said in environment.explain(output, "npm", "The npm registry")


def test_only_a_finished_installation_leaves_a_stamp(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def interrupted(*what: object) -> None:
        calls.append(what)
        if len(calls) == 1:
            raise KeyboardInterrupt

    environment.BIN.mkdir(parents=True)
    (environment.BIN / "python").touch()
    monkeypatch.setattr(environment, "check_room", lambda free: None)
    monkeypatch.setattr(environment, "make_venv", lambda: None)
    monkeypatch.setattr(environment, "pip_install", interrupted)
    with pytest.raises(KeyboardInterrupt):
        environment.python_packages("requirements-test.txt")
    for requirements in ("requirements-test.txt", "requirements-test.txt", "requirements.txt"):
        environment.python_packages(requirements)
    assert len(calls) == 2  # the last two had nothing to do
    (project / "requirements.txt").write_text("numpy")
    environment.python_packages("requirements-test.txt")
    assert len(calls) == 3


def test_the_lock_file_names_no_other_registry() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    addresses = [package.get("resolved", "") for package in lock["packages"].values()]
    assert all(a == "" or a.startswith("https://registry.npmjs.org/") for a in addresses)


def test_the_hooks_use_the_ruff_of_the_tests() -> None:
    """Where that is pinned: the weekly run takes what is newest."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    pinned = re.findall("^ruff==(.+)$", (ROOT / "requirements-test.txt").read_text(), re.M)
    assert pinned in ([], [hooks["repos"][0]["rev"].removeprefix("v")])


def test_katex_is_the_version_that_renders_the_formulas() -> None:
    from sphinxcontrib.katex import katex_version

    package = json.loads((ROOT / "package.json").read_text())
    assert package["dependencies"]["katex"] == katex_version


def test_notebooks_are_stored_the_same_each_time(tmp_path: Path) -> None:
    cells = (
        "from ipywidgets import IntSlider, VBox\nprint('a', flush=True)\nprint('b')",
        "",
        "VBox([IntSlider(3), IntSlider(4)])",
    )
    path = write(tmp_path / "a.ipynb", *cells)
    twin = Path(shutil.copy(path, tmp_path / "b.ipynb"))
    done = run_notebooks(path, twin)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("a.ipynb: ")
    text = path.read_text(encoding="utf-8")
    assert text == twin.read_text(encoding="utf-8")
    first, empty, last = json.loads(text)["cells"]
    assert first["outputs"] == [{"name": "stdout", "output_type": "stream", "text": ["a\n", "b\n"]}]
    assert [c["execution_count"] for c in (first, empty, last)] == [1, None, 2]
    assert first["metadata"] == HIDDEN
    view = last["outputs"][0]["data"][notebooks.VIEW]
    state = json.loads(text)["metadata"]["widgets"][notebooks.STATE]["state"]
    assert state[view["model_id"]]["model_name"] == "VBoxModel"
    assert sorted(state) == [f"{n:032x}" for n in range(1, len(state) + 1)]
    assert notebooks.normal(notebooks.read(text)) == text


def test_a_cell_that_fails_or_warns_stops_everything(tmp_path: Path) -> None:
    good = write(tmp_path / "good.ipynb", "1")
    fails = write(tmp_path / "fails.ipynb", "1", "1 / 0")
    warns = write(tmp_path / "warns.ipynb", "import sys; print('beware', file=sys.stderr)")
    before = [path.read_bytes() for path in (good, fails, warns)]
    done = run_notebooks(good, fails, warns)
    assert done.returncode == 1
    assert "error: fails.ipynb, code cell 2: ZeroDivisionError: division by zero" in done.stderr
    assert "error: warns.ipynb, code cell 1: wrote to stderr: beware" in done.stderr
    assert [path.read_bytes() for path in (good, fails, warns)] == before


def test_missing_cell_ids_are_made_from_the_text() -> None:
    cell = {"cell_type": "markdown", "metadata": {}, "source": ["# A"]}
    raw = {"cells": [cell, cell | {"id": "kept"}], "metadata": {}, "nbformat": 4}
    texts = {
        notebooks.normal(notebooks.read(json.dumps(raw | {"nbformat_minor": 4}))) for _ in "ab"
    }
    assert len(texts) == 1
    assert json.loads(texts.pop())["cells"][1]["id"] == "kept"


def test_normalising_runs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "a.ipynb", "1 / 0", "2")
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][1] |= {"execution_count": 7, "metadata": {"ExecuteTime": {}}}
    path.write_text(json.dumps(notebook), encoding="utf-8")
    for said in ("a.ipynb: normalised\n", ""):
        assert notebooks.normalise([path]) == 0
        assert capsys.readouterr().out == said
    first, last = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert (first["outputs"], last["metadata"]) == ([], HIDDEN)
    assert (first["execution_count"], last["execution_count"]) == (None, 7)


def test_code_is_hidden_unless_it_teaches_and_claims_let_a_run_go_on() -> None:
    cell = nbformat.v4.new_code_cell("claims.equal('a', 1, 1)", metadata={"tags": ["teaches"]})
    for _ in range(2):
        notebooks.mark(cell)
        assert cell.metadata == {"tags": ["teaches", "raises-exception"]}
    plain = nbformat.v4.new_code_cell("1", metadata={"tags": ["raises-exception"]})
    notebooks.mark(plain)
    assert plain.metadata == HIDDEN


def test_slow_cells_and_chapters_are_reported() -> None:
    report = notebooks.Run(Path("a.ipynb"), seconds=21.0, cells={3: 6.0}).report()
    assert report[1:] == ["slow: a.ipynb took 21.0 s", "slow: a.ipynb, code cell 3 took 6.0 s"]


def test_what_a_user_has_set_stays_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment.SETTINGS:
        monkeypatch.setenv(name, "of the user")
    monkeypatch.setenv("PIP_USER", "1")
    own = environment.variables()
    assert not environment.SETTINGS & own.keys()
    assert (own["PIP_USER"], own["OPENBLAS_NUM_THREADS"]) == ("0", "1")
    assert own["PLAYWRIGHT_NODEJS_PATH"] == shutil.which("node", path=own["PATH"])


@pytest.mark.parametrize("works", [False, True])
def test_only_a_build_that_works_replaces_the_pages(
    project: Path, monkeypatch: pytest.MonkeyPatch, works: bool
) -> None:
    (project / "_build/html").mkdir(parents=True)
    (project / "_build/html/index.html").write_text("of before")
    for name in ("_config.yml", "_toc.yml", "package-lock.json"):
        (project / name).touch()

    def jupyter_book(*command: object) -> int:
        made = Path(command[command.index("--path-output") + 1]) / "_build/html"
        made.mkdir(parents=True)
        (made / "index.html").write_text("new")
        return 0 if works else 1

    monkeypatch.setattr(environment, "run", jupyter_book)
    if works:
        environment.build("key")
    else:
        with pytest.raises(environment.Stop, match="was not built"):
            environment.build("key")
    page = (project / "_build/html/index.html").read_text()
    assert page == ("new" if works else "of before")


def test_a_name_of_any_bytes_has_a_fingerprint(project: Path) -> None:
    odd = project / os.fsdecode(b"\xfc.txt")
    odd.touch()
    assert environment.digest([odd])


def test_the_lab_opens_a_copy_that_it_keeps(project: Path) -> None:
    tracked = project / "book/a.ipynb"
    tracked.parent.mkdir()
    tracked.write_text("tracked")
    copy = environment.laboratory(afresh=False) / "a.ipynb"
    copy.write_text("played with")
    assert environment.laboratory(afresh=False) / "a.ipynb" == copy
    assert (copy.read_text(), tracked.read_text()) == ("played with", "tracked")
    environment.laboratory(afresh=True)
    assert copy.read_text() == "tracked"
