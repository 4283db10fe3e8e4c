"""What the browser tests share: the built book, a Chromium, and a server for it."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from visits import HTML, PAGES, Visit, visit

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="session")
def book() -> Path:
    """The folder of the built pages."""
    missing = [page for page in PAGES if not (HTML / page).is_file()]
    if missing:
        pytest.fail(f"{missing} not built: run `make book`, which builds _build/html", False)
    return HTML


@pytest.fixture(scope="session")
def browser(book: Path) -> Iterator[Browser]:
    """One Chromium for all tests of a process."""
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        program = next(filter(None, map(shutil.which, [*NAMES, own])), None)
        if program is None:
            missing = f"none of {', '.join(NAMES)} is on the PATH, and Playwright has no Chromium"
            (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
        running = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens pages for one test; none of them may have had trouble when it ends."""
    visits: list[Visit] = []

    def open_page(*args: object, **options: object) -> Visit:
        visits.append(visit(browser, *args, **options))
        return visits[-1]

    yield open_page
    troubles = [trouble for one in visits for trouble in one.troubles]
    for one in visits:
        one.close()
    assert not troubles, "\n".join(troubles)


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files and logs nothing."""

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="session")
def site(book: Path) -> Iterator[str]:
    """The address at which a local server offers the book, as a static host does."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(book)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()
