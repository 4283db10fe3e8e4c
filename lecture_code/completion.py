r"""Rank-one matrix completion: the objective, its derivatives and what the mask does.

An observation is a set of index pairs with weights, a sparse matrix, so that each function costs
time and memory proportional to the number of pairs. Points are columns: ``x`` has shape (d,) or,
for a batch of k starts, (d, k). With ``S`` the mask, ``p`` its density and ``J`` the all-ones
matrix, the error of the mask is ``E = S/p - J`` (symmetric part).

Source: lecture 11, sections 11.1 and 11.2; Ge, Lee & Ma (2016).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import aslinearoperator, eigsh

from lecture_code.checks import as_floats, as_number, takes
from lecture_code.masks import as_mask, random_mask

Law = Callable[[int, np.random.Generator], np.ndarray]
Slope = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Completion:
    r"""An instance: the truth ``z z^T`` and the mask through which it is seen.

    ``z`` has shape (d,), or (d, r) for a truth of rank r; ``mask`` is a sparse (d, d) matrix of
    non-negative weights (0/1 for a sample of entries); ``p`` is the probability with which they
    were drawn, or the scale q of a mask that was chosen; ``noise``, on the mask's pattern, is
    added to them.
    """

    z: np.ndarray
    mask: sparse.csr_array
    p: float
    noise: sparse.csr_array | None = None

    def __post_init__(self) -> None:
        floats = {"z": as_floats("z", self.z), "p": as_number("p", self.p)}
        floats |= {"mask": as_mask(self.mask)}
        if self.noise is not None:
            floats |= {"noise": sparse.csr_array(self.noise, dtype=float)}
        for name, value in floats.items():
            object.__setattr__(self, name, value)
        if self.z.ndim not in (1, 2) or self.z.size == 0:
            raise ValueError(f"z: shape {self.z.shape}; expected (d,) or (d, r)")
        d = self.z.shape[0]
        if self.noise is not None and self.noise.shape != (d, d):
            raise ValueError(f"noise: shape {self.noise.shape}; expected ({d}, {d})")
        if self.mask.shape != (d, d):
            raise ValueError(f"mask: shape {self.mask.shape}; expected ({d}, {d}), d as in z")
        if not 0 < self.p <= 1:
            raise ValueError(f"p: {self.p}; expected a probability in (0, 1]")

    @property
    def d(self) -> int:
        """The dimension."""
        return self.z.shape[0]

    @cached_property
    def weights(self) -> sparse.csr_array:
        r"""The symmetric part :math:`(S + S^\top)/2`: all that f depends on, M being symmetric."""
        symmetric = sparse.csr_array((self.mask + self.mask.T) / 2)
        symmetric.eliminate_zeros()
        return symmetric

    @cached_property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Row and column indices of the symmetrised mask's entries, in CSR order."""
        return self.weights.tocoo().coords

    @cached_property
    def observed(self) -> sparse.csr_array:
        r"""The symmetric part of :math:`P_\Omega(M)`, noise included."""
        seen = self.weights.data * self.products(self.z)
        if self.noise is not None and seen.size:
            seen = seen + (sparse.csr_array(self.noise + self.noise.T) / 2)[self.pairs]
        return self.on_mask(seen)

    @takes(u="self.d ...", finite=False)
    def products(self, u: np.ndarray) -> np.ndarray:
        r"""The entries of :math:`uu^\top` on the pairs, for u of shape (d,) or (d, r)."""
        rows, columns = self.pairs
        return sum(column[rows] * column[columns] for column in u.reshape(self.d, -1).T)

    @takes(u="self.d ...", finite=False)
    def residual(self, u: np.ndarray) -> np.ndarray:
        r"""The entries of :math:`\bar P(M - uu^\top)` on the pairs, noise included."""
        return self.observed.data - self.weights.data * self.products(u)

    @takes(data="...", finite=False)
    def on_mask(self, data: np.ndarray) -> sparse.csr_array:
        """The sparse matrix with these entries on the pairs."""
        w = self.weights
        return sparse.csr_array((data, w.indices, w.indptr), shape=w.shape)


@takes()
def flat_vector(d: int, rng: np.random.Generator) -> np.ndarray:
    r"""A unit vector of random signs: all entries :math:`\pm 1/\sqrt d`, so mu = 1."""
    return rng.choice([-1.0, 1.0], d) / np.sqrt(d)


@takes()
def gaussian_vector(d: int, rng: np.random.Generator) -> np.ndarray:
    r"""A unit vector of uniform direction: mu is about :math:`\sqrt{2\log d}`."""
    z = rng.standard_normal(d)
    return z / np.linalg.norm(z)


@takes()
def random_instance(
    d: int, p: float, rng: np.random.Generator, *, vector: Law = flat_vector, symmetric: bool = True
) -> Completion:
    """A random truth of dimension d and a random mask of density p."""
    return Completion(vector(d, rng), random_mask(d, p, rng, symmetric=symmetric), p)


@takes(x="d")
def incoherence(x: np.ndarray) -> float:
    r"""The least mu with :math:`\|x\|_\infty \le \mu\|x\|_2/\sqrt d`; from 1 (flat) to sqrt d.

    Raises ``ValueError`` for the zero vector.
    """
    if not np.any(x):
        raise ValueError("x: all entries are zero; expected a vector with a direction")
    return float(np.sqrt(x.shape[0]) * np.max(np.abs(x)) / np.linalg.norm(x))


@takes(x="problem.d ...", finite=False)
def objective(problem: Completion, x: np.ndarray) -> np.ndarray:
    r""":math:`f(x) = \tfrac12\|P_\Omega(M - xx^\top)\|_F^2` at a point or at each column of x.

    For weights w it is half the sum of :math:`w_{ij}(M_{ij}-x_ix_j)^2`. Noise on an entry must come
    with weight 1. Source: lecture 11, (11.1).
    """
    w = problem.weights.data
    return np.apply_along_axis(lambda point: 0.5 * np.sum(problem.residual(point) ** 2 / w), 0, x)


@takes(x="problem.d ...", finite=False)
def gradient(problem: Completion, x: np.ndarray) -> np.ndarray:
    r""":math:`\nabla f(x) = -2\,\bar P(M - xx^\top)\,x`, for one point or a batch of columns.

    :math:`\bar P` weighs with the symmetric part of the mask. Entry by entry
    :math:`-2\,[\bar P(M)x - x\circ \bar S(x\circ x)]`: two sparse products. Source: lecture 11,
    (11.5), with the factor -2 and the symmetric part that our copy leaves out.
    """
    return -2.0 * (problem.observed @ x - x * (problem.weights @ (x * x)))


@takes(x="problem.d")
def hessian(problem: Completion, x: np.ndarray) -> np.ndarray:
    r"""The dense Hessian of f at x, shape (d, d); for small d. Its quadratic form is (11.6),

    .. math:: \langle v,\nabla^2 f(x)v\rangle = \|P_\Omega(vx^\top+xv^\top)\|_F^2
        - 2\langle P_\Omega(M-xx^\top), vv^\top\rangle
    """
    s = problem.weights.toarray()
    return 2.0 * (np.diag(s @ (x * x)) + 2.0 * s * np.outer(x, x) - problem.observed.toarray())


def mask_error(problem: Completion) -> tuple[float, np.ndarray]:
    r"""Operator norm of E, and a unit vector in which it is attained.

    Dense eigenvalues up to d = 200, Lanczos above.
    """
    if problem.d <= 200:
        values, vectors = np.linalg.eigh(problem.weights.toarray() / problem.p - 1.0)
        top = int(np.argmax(np.abs(values)))
        return float(abs(values[top])), vectors[:, top]
    ones = aslinearoperator(np.ones((problem.d, 1)))
    error = aslinearoperator(problem.weights / problem.p) - ones * ones.H
    v0 = np.random.default_rng(0).standard_normal(problem.d)
    value, vector = eigsh(error, k=1, which="LM", v0=v0)
    return float(abs(value[0])), vector[:, 0]


def epsilon(problem: Completion) -> float:
    r""":math:`\varepsilon = \mu^2\|E\|/d` of the lecture's proof, mu the incoherence of z."""
    return incoherence(problem.z) ** 2 * mask_error(problem)[0] / problem.d


def row_error(problem: Completion) -> float:
    r""":math:`\rho = \|E(z\circ z)\|_\infty`: how far the worst row is from seeing its share."""
    z2 = problem.z * problem.z
    return float(np.max(np.abs(problem.weights @ z2 / problem.p - z2.sum())))


@takes(x="problem.d ...")
def distance(problem: Completion, x: np.ndarray, *, blocks: int | None = None) -> np.ndarray:
    r""":math:`\min(\|x-z\|, \|x+z\|)` for one point or for each column of a batch.

    With ``blocks`` it is taken for each of that many instances that stand side by side, and the
    result has shape (blocks, k). Raises ``ValueError`` if d is no multiple of ``blocks``.
    """
    count = blocks or 1
    if problem.d % count:
        raise ValueError(f"blocks: {blocks}; expected a divisor of d = {problem.d}")
    points = x.reshape(count, -1, *x.shape[1:])
    z = problem.z.reshape(count, -1, *[1] * (x.ndim - 1))
    near = np.minimum(np.linalg.norm(points - z, axis=1), np.linalg.norm(points + z, axis=1))
    return near[0] if blocks is None else near


def side_by_side(problems: Sequence[Completion]) -> Completion:
    r"""Instances of equal d and p as one with a block-diagonal mask; f is the sum of theirs.

    One gradient moves a batch of starts on all of them. Raises ``ValueError`` if d or p differ or
    there is noise.
    """
    shapes = {(problem.d, problem.p) for problem in problems}
    if len(shapes) != 1 or any(problem.noise is not None for problem in problems):
        raise ValueError(f"problems: (d, p) are {sorted(shapes)}; expected one pair, without noise")
    mask = sparse.block_diag([problem.mask for problem in problems], format="csr")
    return Completion(np.concatenate([problem.z for problem in problems]), mask, problems[0].p)


@takes(x="...", finite=False)
def penalty_gradient(x: np.ndarray, level: float, weight: float) -> np.ndarray:
    r"""Gradient of :math:`\lambda\sum_i (|x_i|-\alpha)_+^4`, the penalty on large entries.

    ``level`` is alpha, ``weight`` is lambda. Source: Ge, Lee & Ma (2016).
    """
    return 4.0 * weight * np.sign(x) * np.maximum(np.abs(x) - level, 0.0) ** 3


def penalised(problem: Completion, factor: float = 1.0) -> tuple[Slope, Slope]:
    r"""Gradient and Hessian of :math:`F=f+\lambda\sum_i(|x_i|-\alpha)_+^4`, as functions of x.

    The level is :math:`\alpha=\|z\|_\infty`, and :math:`\lambda` is ``factor`` times the least that
    the chapter asks for, :math:`q(\|z\|^2+\rho)/(16\alpha^2)`. Source: Ge, Lee & Ma (2016).
    """
    level = float(np.max(np.abs(problem.z)))
    row = problem.p * (problem.z @ problem.z + row_error(problem))
    weight = factor * row / (16 * level**2)

    def slope(x: np.ndarray) -> np.ndarray:
        return gradient(problem, x) + penalty_gradient(x, level, weight)

    def bend(x: np.ndarray) -> np.ndarray:
        excess = np.maximum(np.abs(x) - level, 0.0)
        return hessian(problem, x) + np.diag(12 * weight * excess**2)

    return slope, bend
