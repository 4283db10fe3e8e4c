r"""Matrix completion beyond the theorem: truths of higher rank.

Source: Ge, Lee & Ma (2016); lecture 11, after Theorem 11.12.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import orthogonal_procrustes

from lecture_code.checks import takes
from lecture_code.completion import Completion


@takes(u="problem.d r", finite=False)
def factor_gradient(problem: Completion, u: np.ndarray) -> np.ndarray:
    r""":math:`-2\,\bar P(M-UU^\top)\,U`, the gradient of f at a factor U of shape (d, r)."""
    return -2.0 * (problem.on_mask(problem.residual(u)) @ u)


@takes(truth="d r", u="d r")
def factor_distance(truth: np.ndarray, u: np.ndarray) -> float:
    r""":math:`\min_Q \|U - ZQ\|_F` over orthogonal Q (Procrustes); shapes (d, r)."""
    return float(np.linalg.norm(u - truth @ orthogonal_procrustes(truth, u)[0]))
