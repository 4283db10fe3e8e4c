"""One run of a task within a time limit, wherever it happens and whatever the task does.

In the main thread an alarm ends a run. Elsewhere, as in the threads of a cluster's workers, no
alarm rings, so a run gets a process of its own, which the system ends.
"""

from __future__ import annotations

import faulthandler
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

Job = tuple[str, dict[str, Any], int, tuple[int, int]]
GRACE = 5.0  # seconds from the alarm to the end of a worker whose compiled code does not hear it
CHILD = "import json, sys; from lecture_code import limited; limited.alone(*json.load(sys.stdin))"


class _TimeUp(BaseException):
    """What the alarm raises: no Exception, or a task might catch it."""


def attempt(job: Job, limit: float) -> str:
    """What :func:`call` returns, or after ``limit`` seconds that time is up. Never raises."""
    if threading.current_thread() is not threading.main_thread():
        return _in_a_child(job, limit)

    def ring(*_: object) -> None:
        raise _TimeUp

    before = signal.signal(signal.SIGALRM, ring)
    if multiprocessing.parent_process():
        faulthandler.dump_traceback_later(limit + GRACE, exit=True, file=sys.__stderr__)
    try:
        signal.setitimer(signal.ITIMER_REAL, limit)
        try:
            return call(*job)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except _TimeUp:
        return _late(limit)
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, before)


def call(task: str, point: dict[str, Any], seed: int, key: tuple[int, int]) -> str:
    """What a task, "module:name", returns for a point and a key of the seed, as JSON.

    If it raises, that is "failure": the message; otherwise "failure" is empty.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
    module, _, name = task.partition(":")
    try:
        found = getattr(import_module(module), name)(rng, **point)
        return json.dumps({**found, "failure": ""}, default=lambda value: value.item())
    except (Exception, SystemExit) as problem:
        return _failure(f"{type(problem).__name__}: {problem}")


def alone(job: Job, limit: float) -> None:
    """Print the outcome of a run in a process that the system ends after ``limit`` seconds."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    import_module(job[0].partition(":")[0])
    signal.setitimer(signal.ITIMER_REAL, limit)
    print("\n" + call(*job))


@contextmanager
def held() -> Iterator[None]:
    """Keep Ctrl-C waiting; processes and threads that begin meanwhile leave it to others.

    The mask is for those; the handler, for what another thread of this process hears.
    """
    main, heard = threading.current_thread() is threading.main_thread(), []
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    handler = signal.signal(signal.SIGINT, lambda *_: heard.append(True)) if main else None
    try:
        yield
    finally:
        if main:
            signal.signal(signal.SIGINT, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if heard:
            signal.raise_signal(signal.SIGINT)


def worker() -> None:
    """Make a process of a pool end when its parent does."""
    parent = multiprocessing.parent_process()
    threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()


def _in_a_child(job: Job, limit: float) -> str:
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=json.dumps([job, limit]),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    if done.returncode == 0:
        return done.stdout.splitlines()[-1]
    if done.returncode == -signal.SIGALRM:
        return _late(limit)
    return _failure(f"RuntimeError: its process ended with status {done.returncode}")


def _late(limit: float) -> str:
    return _failure(f"TimeoutError: no result within {limit:g} s")


def _failure(message: str) -> str:
    return json.dumps({"failure": message})
