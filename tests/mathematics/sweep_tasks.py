"""Tasks for the tests of sweeps: at the top level of a module, as workers import them."""

from __future__ import annotations

import collections
import itertools
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np


def sample(rng: np.random.Generator, scale: float, sign: int) -> dict[str, float]:
    return {"value": sign * scale * rng.normal(), "count": rng.integers(10)}


def logged(rng: np.random.Generator, log: str, level: int) -> dict[str, float]:
    with Path(log).open("a") as file:
        file.write("run\n")
    return {"value": level + rng.random()}


def slow(rng: np.random.Generator, pause: float, level: int) -> dict[str, float]:
    time.sleep(pause)
    return {"value": level + rng.random()}


def misfit(rng: np.random.Generator, kind: str) -> dict[str, object]:
    if kind == "raises":
        raise ArithmeticError("left every bound")
    if kind == "leaves":
        sys.exit("had enough")
    if kind == "returns text":
        return {"value": np.arange(2)}
    if kind == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    while kind == "hangs":
        try:
            time.sleep(60)
        except Exception:  # what a task swallows must not keep it alive
            continue
    if kind == "deaf":  # a loop in C that looks for no signal
        collections.deque(itertools.repeat(0), maxlen=0)
    return {"value": rng.random()}
