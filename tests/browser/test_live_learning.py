"""The live figures on learning compute in the browser what Python does."""

from __future__ import annotations

import json
from math import comb
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, expect
from visits import Open, address

from lecture_code import cubes
from lecture_code import description_length as dl
from lecture_code import no_free_lunch as nfl
from lecture_code import stochastic_optimization as so
from lecture_code import universal_learning as ul
from lecture_code.optimize import stochastic_gradient_descent


def given(figure: Locator) -> dict[str, Any]:
    """What a live figure was made from."""
    return json.loads(figure.locator("script").first.text_content())["data"]


def test_pixels_and_passes_are_those_of_python(opened: Open) -> None:
    page = opened(address("book/stochastic_optimization.html")).page
    script = """([m, d, seed, pull]) => {
      const { masks, excess, pass, atMost } = live.programs.last_pixel, drawn = masks(m, d, seed);
      const left = Array.from({ length: d }, (_, i) => drawn.every(mask => !mask[i]));
      const k = left.filter(Boolean).length, w = pass(drawn, pull);
      return [k, excess(k, d, pull), atMost(w, pull), ...w];
    }"""
    rng = np.random.default_rng(1)
    for _ in range(20):
        m, d, seed = int(rng.integers(1, 10)), int(rng.integers(2, 200)), int(rng.integers(1, 99))
        k, excess, most, *w = page.evaluate(script, [m, d, seed, 0.1])
        masks = so.masks(m, d, seed)
        expected = so.masked_pass(masks, 0.1)
        assert k == np.sum(masks.sum(axis=0) == 0)
        np.testing.assert_allclose(w, expected, rtol=1e-9, atol=1e-12)
        assert excess == pytest.approx(so.masked_excess(k, d, 0.1), abs=1e-10)
        half = np.linalg.norm(expected) / np.sqrt(2)
        assert most == pytest.approx(half + 0.1 / d * np.sum((expected - 1) ** 2) - 0.1)


def bounced(cloud: np.ndarray, start: np.ndarray, steps: int, step: float, run: int) -> tuple:
    """Where that run towards the points of a cloud ends, and its average."""
    return stochastic_gradient_descent(
        lambda w, z: (w - z) / (np.linalg.norm(w - z) or 1),
        start,
        cloud[so.hashed(steps, 1, run)[:, 0] % 12],
        step,
    )


def test_the_ball_bounces_as_in_python(opened: Open) -> None:
    page = opened(address("book/stochastic_optimization.html")).page
    script = """([start, step, run, data]) => {
      const { points, average } = live.programs.bouncing_ball.path(start, step, run, data);
      const { bound, ...means } = live.programs.bouncing_ball.sides(start, 1, data);
      return [points.at(-1), average, means.average, bound];
    }"""
    rng = np.random.default_rng(2)
    for _ in range(20):
        cloud, start, best = rng.normal(size=(12, 2)), rng.normal(size=2), rng.normal(size=2)
        steps, run, step = int(rng.integers(1, 60)), int(rng.integers(1, 40)), rng.uniform(0.01, 2)
        data = {"cloud": cloud.tolist(), "best": best.tolist(), "steps": steps}
        last, average, mean, bound = page.evaluate(script, [start.tolist(), step, run, data])
        expected = bounced(cloud, start, steps, step, run)
        np.testing.assert_allclose([last, average], expected, rtol=1e-7, atol=1e-9)
        unit = np.linalg.norm(start - best) / np.sqrt(steps)
        averages = [bounced(cloud, start, steps, unit, k)[1] for k in range(1, 33)]
        risks = [np.linalg.norm(cloud - w, axis=1).mean() for w in [best, *averages]]
        assert mean == pytest.approx(np.mean(risks[1:]) - risks[0], abs=1e-7)
        assert bound == pytest.approx(unit)


def test_the_browser_averages_over_all_worlds_as_the_book_does(opened: Open) -> None:
    figure = opened(address("book/no_free_lunch.html")).page.locator("figure.live#own-rule")
    expect(figure.locator("svg")).to_be_visible()
    rng, data, points = np.random.default_rng(3), given(figure), cubes.points(3)
    rules = {
        "your own": None,
        "nearest neighbour": nfl.nearest_neighbour,
        "opposite neighbour": nfl.opposite_neighbour,
        "majority": nfl.majority,
        "coin": nfl.coin,
    }
    tried = [
        {
            "corner": "".join(map(str, rng.integers(0, 2, 8))),
            "rule": list(rules)[k % 5],
            "prior": float(rng.uniform(-2, 2)) if k < 20 else 0.0,
        }
        for k in range(30)
    ]
    script = """([all, data]) => all.map(one => {
      const { error, best } = live.programs.own_rule.worlds(one, data);
      return [error, best];
    })"""
    found = figure.page.evaluate(script, [tried, data])
    for one, (error, best) in zip(tried, found, strict=True):
        labels = [int(digit) for digit in one["corner"]]
        sample = tuple((points[i], labels[i]) for i in data["seen"])
        rule = rules[one["rule"]]
        says = [labels[i] if rule is None else float(rule(sample)(x)) for i, x in enumerate(points)]
        f = cubes.bits(8)
        agree = (f[:, data["seen"]] == [y for _, y in sample]).all(axis=1)
        weights = 2.0 ** (one["prior"] * nfl.disagreements(3)[agree])
        ones = np.average(f[agree][:, data["unseen"]], axis=0, weights=weights)
        guess = np.array(says)[data["unseen"]]
        assert error == pytest.approx(np.mean(guess * (1 - ones) + (1 - guess) * ones))
        assert best == pytest.approx(np.mean(np.minimum(ones, 1 - ones)))
        if one["prior"] == 0:
            assert error == pytest.approx(0.5)


def test_the_browser_shows_the_first_program_that_fits(opened: Open) -> None:
    page = opened(address("book/universal_learning.html")).page
    figure = page.locator("figure.live#shortest-program")
    expect(figure.locator("svg")).to_be_visible()
    data, programs = given(figure), dl.enumerate_programs(24)
    tables = programs.tables[:, programs.first]
    tried = [{"secret": key, "m": m} for key in data["secrets"] for m in range(25)]
    script = """([all, data]) => all.map(one => {
      const { stage, errors } = live.programs.shortest_program;
      return [...stage(one, data), errors(one, data)];
    })"""
    for one, row in zip(tried, page.evaluate(script, [tried, data]), strict=True):
        _, text, bits, count, said, wrong = row
        truth = np.array([int(bit) for bit in data["secrets"][one["secret"]]["truth"]])
        points = np.array(data["order"][: one["m"]], dtype=int)
        best = ul.first_consistent(tables, points, truth[points])
        if best is None:
            assert (bits, count) == (None, programs.length.size)
            continue
        index = int(programs.first[best])
        table = dl.unpack(tables[:, best]).astype(int)
        assert (text, bits, count) == (
            dl.show(programs.program(index)),
            programs.length[index],
            index + 1,
        )
        assert said == "".join(map(str, table))
        assert wrong == np.sum(table != truth)


def test_the_browser_has_the_height_of_the_parity_wall(opened: Open) -> None:
    page = opened(address("book/universal_learning.html")).page
    expect(page.locator("figure.live#shortest-program svg")).to_be_visible()
    rng = np.random.default_rng(4)
    tried = [
        {"d": d, "k": int(rng.integers(1, d + 1)), "q": float(rng.uniform(0, 0.2))}
        for d in range(4, 31)
    ]
    script = """all => all.map(one =>
      [live.programs.parity_wall.signal(one), live.programs.parity_wall.solved(one)])"""
    for one, (signal, solved) in zip(tried, page.evaluate(script, tried), strict=True):
        assert signal == pytest.approx((1 - 2 * one["q"]) ** 2 / comb(one["d"], one["k"]))
        assert solved == pytest.approx((1 - one["q"]) ** one["d"])
