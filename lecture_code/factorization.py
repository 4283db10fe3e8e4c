r"""Two linear layers: the norms of a matrix that its factors define, and samples that cluster.

A matrix W of shape (m, n) has factors U of shape (m, k) and V of shape (n, k), :math:`W=UV^\top`.

Source: talk, "Two Layer Networks with Linear Transfer" and "Norm-Bounded Factorization".
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import numpy as np

from lecture_code.checks import takes


@takes(W="m n")
def trace_norm(W: np.ndarray) -> float:
    """The sum of the singular values."""
    return float(np.linalg.svd(W, compute_uv=False).sum())


@takes(W="m n")
def balanced(W: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    r"""Factors with :math:`U^\top U=V^\top V` of the best approximation of rank at most k.

    They are :math:`A\Sigma^{1/2}` and :math:`B\Sigma^{1/2}` of the SVD, cut after k columns or
    filled with zeros.
    """
    A, sigma, B = np.linalg.svd(W, full_matrices=False)
    used = min(k, len(sigma))
    roots = np.zeros((len(sigma), k))
    np.fill_diagonal(roots[:used, :used], np.sqrt(sigma[:used]))
    return A @ roots, B.T @ roots


@takes(W="m n", p="m", q="n")
def weighted_trace_norm(W: np.ndarray, p: np.ndarray, q: np.ndarray) -> float:
    r""":math:`\|D_p^{1/2}WD_q^{1/2}\|_{tr}` for weights p of the rows and q of the columns."""
    if min(p.min(), q.min()) < 0:
        raise ValueError(f"p, q: least {min(p.min(), q.min()):g}; expected no weight below 0")
    return trace_norm(np.sqrt(p)[:, None] * W * np.sqrt(q))


@dataclass(frozen=True)
class Bracket:
    """Two bounds on a max-norm; ``p``, ``q`` are weights that attain the lower one."""

    lower: float
    upper: float
    p: np.ndarray
    q: np.ndarray
    history: np.ndarray


@takes(W="m n")
def max_norm(W: np.ndarray, gap: float = 1e-6, steps: int = 3000) -> Bracket:
    r"""A certified bracket of :math:`\min_{UV^\top=W}\max_i\|u_i\|\max_j\|v_j\|`, no solver needed.

    With :math:`M=D_p^{1/2}WD_q^{1/2}` and the diagonals a, b of its absolute values on the left and
    on the right, :math:`\|M\|_{tr}\le\|W\|_{\max}\le\sqrt{\max_i(a_i/p_i)\max_j(b_j/q_j)}`. The
    weights follow a and b until the bounds are closer than a share ``gap``, at most ``steps``
    times; zero rows and columns have weight 0. ``history`` holds both bounds at each step.
    """
    rows, columns = W.any(1), W.any(0)
    p, q = rows / max(1, rows.sum()), columns / max(1, columns.sum())
    lower, upper, best, history = 0.0, np.inf if rows.any() else 0.0, (p, q), []
    for _ in range(steps if rows.any() else 0):
        A, sigma, B = np.linalg.svd(np.sqrt(p)[:, None] * W * np.sqrt(q), full_matrices=False)
        a, b = A**2 @ sigma, sigma @ B**2
        if sigma.sum() > lower:
            lower, best = float(sigma.sum()), (p, q)
        ratios = np.max(a[rows] / p[rows]), np.max(b[columns] / q[columns])
        upper = min(upper, float(np.sqrt(ratios[0] * ratios[1])))
        history.append((lower, upper))
        if upper - lower <= gap * upper:
            break
        p, q = (
            np.where(kept, np.maximum(x / sigma.sum(), 1e-14), 0.0)
            for kept, x in ((rows, a), (columns, b))
        )
        p, q = p / p.sum(), q / q.sum()
    return Bracket(lower, upper, *best, np.array(history).reshape(-1, 2))


@takes(U="m k", V="n k")
def differential(U: np.ndarray, V: np.ndarray) -> np.ndarray:
    r"""The matrix of :math:`(\dot U,\dot V)\mapsto\dot UV^\top+U\dot V^\top`, shape (mn, (m+n)k).

    Entries of matrices are in order row by row, those of U before those of V.
    """
    m, n = len(U), len(V)
    to_U = np.einsum("ia,jl->ijal", np.eye(m), V).reshape(m * n, -1)
    to_V = np.einsum("jb,il->ijbl", np.eye(n), U).reshape(m * n, -1)
    return np.hstack([to_U, to_V])


@takes(Y="m n", weights="m n", U="m k", V="n k")
def hessian(
    Y: np.ndarray, weights: np.ndarray, U: np.ndarray, V: np.ndarray, lam: float
) -> np.ndarray:
    r"""The Hessian of :math:`\frac12\sum s_{ij}((UV^\top)_{ij}-y_{ij})^2` and the penalty on U, V.

    The penalty is :math:`\frac\lambda2(\|U\|_F^2+\|V\|_F^2)`, the s are weights of the entries. The
    order is that of ``differential``; for small sizes.
    """
    m, n, k = len(U), len(V), U.shape[1]
    J = differential(U, V)
    H = J.T @ (weights.reshape(-1, 1) * J) + lam * np.eye((m + n) * k)
    cross = np.kron(weights * (U @ V.T - Y), np.eye(k))
    H[: m * k, m * k :] += cross
    H[m * k :, : m * k] += cross.T
    return H


@takes()
def power_spectrum(n: int, decay: float, rng: np.random.Generator, rank: int = 0) -> np.ndarray:
    """A random n x n matrix with singular values as j**-decay and entries of mean square 1.

    With ``rank`` only the first so many are kept.
    """
    if not (n >= 1 and 0 <= rank <= n):
        raise ValueError(f"n, rank: {n}, {rank}; expected 0 <= rank <= n, n >= 1")
    left, right = (np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in range(2))
    sigma = np.arange(1.0, n + 1) ** -decay * (np.arange(n) < (rank or n))
    return (left * (sigma * n / np.linalg.norm(sigma))) @ right.T


@takes()
def block_law(n: int, k: int, mass: float = 0.5) -> np.ndarray:
    """A law on n x n places: a share ``mass`` uniform on the first k x k, the rest on all."""
    if not (1 <= k <= n and 0 <= mass < 1):
        raise ValueError(f"k, mass: {k}, {mass}; expected 1 <= k <= {n} and a share below 1")
    law = np.full((n, n), (1 - mass) / n**2)
    law[:k, :k] += mass / k**2
    return law


@takes(law="m n")
def rademacher(
    law: np.ndarray,
    samples: int,
    draws: int,
    rng: np.random.Generator,
    *,
    weighted: bool = False,
    distinct: bool = False,
) -> float:
    r"""The complexity of a ball of matrices of trace norm :math:`\sqrt{mn}`, or of weighted norm 1.

    .. math:: \frac1s\,\mathbb E\sup_W\sum_{t\le s}\epsilon_tW_{i_tj_t}

    A mean over ``draws`` of s ``samples`` from the law and of signs; the supremum is a dual norm.
    With ``distinct``, places that are drawn again count once.
    """
    p, q = (law.sum(1), law.sum(0)) if weighted else (np.full(s, 1 / s) for s in law.shape)
    total = 0.0
    for _ in range(draws):
        places = rng.choice(law.size, samples, p=law.ravel() / law.sum())
        places = np.unique(places) if distinct else places
        signs = rng.choice([-1.0, 1.0], len(places))
        S = np.bincount(places, signs, law.size).reshape(law.shape)
        total += np.linalg.norm(S / np.sqrt(np.outer(p, q)), 2) / len(places)
    return float(total / draws)


def sea_temperatures() -> tuple[np.ndarray, np.ndarray]:
    """Years 1950 to 2010, shape (61,), and monthly sea temperatures in °C, shape (61, 12).

    Off the coast of Peru, region Niño 1+2; see ``data/SEA_TEMPERATURES.md`` for their origin.
    """
    source = resources.files(__package__).joinpath("data/sea_temperatures.csv")
    with source.open(encoding="utf-8") as file:
        stored = np.loadtxt(file, delimiter=",", skiprows=1)
    return stored[:, 0].astype(np.int64), stored[:, 1:]
