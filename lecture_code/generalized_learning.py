r"""Generalized learning: five problems for one loop.

A problem is :math:`\min_h F(h)=\mathbb E\,\ell(h,z)`, of which a learner sees samples z only. The
loop is ``optimize.stochastic_gradient_descent``; a ``Problem`` says what is put into it.

Source: talk, "Stochastic Optimization = Generalized Learning".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any

import numpy as np

from lecture_code import digits, losses
from lecture_code.checks import takes
from lecture_code.mirrors import ball, softmax
from lecture_code.optimize import Mirror, stochastic_gradient_descent


@dataclass(frozen=True)
class Problem:
    """What the loop needs of a problem, and what judges its answer.

    ``draw(rng, m)`` gives m samples, ``gradient(h, z)`` the slope of one loss, ``excess(h)`` the
    exact F(h) - min F, ``erm(samples)`` a minimiser of the mean loss, ``start(samples)`` the first
    (dual) point, ``step(m)`` the step or step rule. ``last`` asks for the last iterate.
    """

    draw: Callable[[np.random.Generator, int], Sequence[Any]]
    gradient: Callable[[np.ndarray, Any], np.ndarray]
    excess: Callable[[np.ndarray], float]
    erm: Callable[[Any], np.ndarray]
    start: Callable[[Any], np.ndarray]
    step: Callable[[int], float | Callable[[int], float]]
    mirror: Mirror | None = None
    last: bool = False

    def one_pass(self, samples: Sequence[Any]) -> np.ndarray:
        """What the loop answers after it has seen each sample once."""
        ends = stochastic_gradient_descent(
            self.gradient,
            self.start(samples),
            samples,
            self.step(len(samples)),
            mirror=self.mirror,
        )
        return ends[0 if self.last else 1]


def odd_even_digits() -> tuple[np.ndarray, np.ndarray]:
    """The digits with a constant feature, scaled to norm at most 1; and 1 if even, -1 if odd."""
    images, labels = digits.load()
    x = np.column_stack([images, np.ones(len(images))])
    return x / np.linalg.norm(x, axis=1).max(), 1.0 - 2.0 * (labels % 2)


def logistic_slope(w: np.ndarray, z: tuple[np.ndarray, float]) -> np.ndarray:
    """The gradient of log(1 + exp(-y<w, x>)) for one example z = (x, y)."""
    x, y = z
    return -y / (1 + np.exp(y * (x @ w))) * x


@takes(x="n d", y="n")
def logistic_minimiser(
    x: np.ndarray, y: np.ndarray, *, ridge: float = 0.0, radius: float = np.inf
) -> np.ndarray:
    r"""The minimiser of the mean logistic loss plus :math:`\tfrac\lambda2\|w\|^2` on a ball.

    By 200 accelerated projected gradient steps; ``ridge`` is lambda. Source: Nesterov (1983).
    """
    w = v = np.zeros(x.shape[1])
    smooth, t, project = np.linalg.norm(x, 2) ** 2 / len(x) / 4 + ridge, 1.0, ball(radius)
    for _ in range(200):
        slope = x.T @ losses.logistic((x @ v)[:, None], y)[1][:, 0] + ridge * v
        ahead, grown = project(v - slope / smooth), (1 + np.sqrt(1 + 4 * t * t)) / 2
        w, v, t = ahead, ahead + (t - 1) / grown * (ahead - w), grown
    return w


@takes()
def odd_even(radius: float) -> Problem:
    """Supervised learning: odd or even digits, logistic loss, predictors of norm at most radius."""
    x, y = odd_even_digits()

    def risk(w: np.ndarray) -> float:
        return float(losses.logistic((x @ w)[:, None], y)[0])

    least = risk(logistic_minimiser(x, y, radius=radius))
    return Problem(
        draw=lambda rng, m: [(x[i], y[i]) for i in rng.integers(len(x), size=m)],
        gradient=logistic_slope,
        excess=lambda w: risk(w) - least,
        erm=lambda s: logistic_minimiser(*map(np.array, zip(*s, strict=True)), radius=radius),
        start=lambda _: np.zeros(x.shape[1]),
        step=lambda m: radius / np.sqrt(m),
        mirror=ball(radius),
    )


@takes(points="n d", centres="k d")
def squared_distances(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """All squared distances, points as rows and centres as columns of the result."""
    return ((points[:, None] - centres) ** 2).sum(axis=-1)


@takes(points="n d", centres="k d")
def lloyd(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Thirty rounds of Lloyd's algorithm; a centre that loses all points stays where it is."""
    for _ in range(30):
        own = squared_distances(points, centres).argmin(axis=1)
        centres = np.array(
            [
                points[own == j].mean(axis=0) if (own == j).any() else c
                for j, c in enumerate(centres)
            ]
        )
    return centres


def clusters(rng: np.random.Generator) -> Problem:
    """k-means with four centres; the population is 4000 fixed points around a square's corners."""
    corners = np.array([[0, 0], [4, 0], [0, 4], [4, 4.0]])
    cloud = corners[rng.integers(4, size=4000)] + 0.7 * rng.standard_normal((4000, 2))

    def risk(centres: np.ndarray) -> float:
        return float(squared_distances(cloud, centres).min(axis=1).mean())

    def spread(samples: np.ndarray) -> np.ndarray:
        centres = samples[:1]
        for _ in range(3):
            far = squared_distances(samples[:20], centres).min(axis=1).argmax()
            centres = np.vstack([centres, samples[far]])
        return centres

    def slope(centres: np.ndarray, z: np.ndarray) -> np.ndarray:
        nearest = np.eye(len(centres))[squared_distances(z[None], centres)[0].argmin()]
        return 2 * nearest[:, None] * (centres - z)

    least = risk(lloyd(cloud, corners))
    return Problem(
        draw=lambda rng, m: cloud[rng.integers(len(cloud), size=m)],
        gradient=slope,
        excess=lambda centres: risk(centres) - least,
        erm=lambda s: lloyd(s, spread(s)),
        start=spread,
        step=lambda m: lambda t: 2 / (16 + t),
        last=True,
    )


@takes(chances="k")
def density(chances: np.ndarray) -> Problem:
    """Density estimation on k cells by logits; the excess is the divergence KL(chances, p_h)."""
    k = len(chances)

    def log(share: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):  # a cell that no example fell into
            return np.log(share)

    return Problem(
        draw=lambda rng, m: rng.choice(k, m, p=chances),
        gradient=lambda h, z: softmax(h) - np.eye(k)[z],
        excess=lambda h: float(chances @ (np.log(chances) - log(softmax(h)))),
        erm=lambda s: log(np.bincount(s, minlength=k)),
        start=lambda _: np.zeros(k),
        step=lambda m: 5 / np.sqrt(m),
    )


@takes()
def routes(n: int, rng: np.random.Generator) -> Problem:
    """The quickest monotone route on an n x n grid; an edge delays by 0 or by twice its mean."""
    moves = 2 * n - 2
    grid = np.zeros((comb(moves, n - 1), n, n, 2))
    for path, climbs in zip(grid, combinations(range(moves), n - 1), strict=True):
        up = np.isin(np.arange(moves), climbs).astype(int)
        path[np.cumsum(up) - up, np.cumsum(1 - up) - (1 - up), up] = 1
    flat = grid.reshape(len(grid), -1)
    used = flat[:, flat.any(axis=0)]
    mean = rng.uniform(0.5, 1.5, used.shape[1])
    delays = used @ mean
    return Problem(
        draw=lambda rng, m: 2 * mean * rng.integers(0, 2, (m, len(mean))),
        gradient=lambda h, z: used @ z,
        excess=lambda h: float(h @ delays - delays.min()),
        erm=lambda s: np.eye(len(used))[(used @ s.mean(axis=0)).argmin()],
        start=lambda _: np.zeros(len(used)),
        step=lambda m: np.sqrt(2 * np.log(len(used)) / m) / (2 * delays.max()),
        mirror=softmax,
    )


@takes()
def newsvendor(price: float) -> Problem:
    """Buy h at 1, sell min(h, demand) at ``price``; demand is exponential with mean 1."""
    best = np.log(price)

    def risk(h: float) -> float:
        return h - price * -np.expm1(-h)

    return Problem(
        draw=lambda rng, m: rng.exponential(size=m),
        gradient=lambda h, z: np.asarray(1 - price * (z > h)),
        excess=lambda h: float(risk(max(float(h), 0.0)) - risk(best)),
        erm=lambda s: np.quantile(s, 1 - 1 / price, method="inverted_cdf"),
        start=lambda _: np.zeros(()),
        step=lambda m: best / ((price - 1) * np.sqrt(m)),
    )
