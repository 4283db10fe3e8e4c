"""What comes in and what solvers say, checked in one place: numbers, shapes, certificates.

Errors are ``ValueError`` and read "name: value; expected ...".
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import wraps
from inspect import signature
from typing import Any, TypeVar

import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])


def takes(
    *, finite: bool = True, exact: bool = False, **shapes: str
) -> Callable[[Function], Function]:
    """Decorator: makes arguments floats of the given shapes, and numbers plain Python numbers.

    ``shapes`` names the arrays and their axes: ``A="m n", y="m"`` asks for two axes and one, of
    which the first two agree, none empty. "..." stands for any axes, "problem.d" for an attribute
    of another argument, "2" for itself. Unless ``finite`` is off, entries are finite. With
    ``exact``, arrays of Python objects, such as fractions, stay what they are. Arguments that are
    annotated ``int`` or ``float`` become such. None stays.
    """

    def decorate(function: Function) -> Function:
        known = signature(function)
        kinds = {
            name: NUMBERS[kind]
            for name, parameter in known.parameters.items()
            if (kind := str(parameter.annotation).removesuffix(" | None")) in NUMBERS
        }

        @wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            bound = known.bind(*args, **kwargs)
            given, sizes = bound.arguments, {}
            for name, convert in kinds.items():
                if given.get(name) is not None:
                    given[name] = convert(name, given[name])
            for name, axes in shapes.items():
                if given.get(name) is not None:
                    given[name] = as_floats(name, given[name], finite=finite, exact=exact)
                    _match(name, given[name].shape, axes, sizes, given)
            return function(*bound.args, **bound.kwargs)

        return checked

    return decorate


def _match(
    name: str, shape: tuple[int, ...], axes: str, sizes: dict[str, int], given: Mapping[str, Any]
) -> None:
    """Compare a shape with its axes; ``sizes`` are those known so far, and grow."""
    letters = axes.split()
    for axis in letters:
        owner, _, attribute = axis.partition(".")
        if axis.isdigit():
            sizes[axis] = int(axis)
        elif owner and attribute:
            sizes[axis] = getattr(given[owner], attribute)
    expected = ", ".join(str(sizes.get(axis, axis)) for axis in letters)
    if "..." in letters:
        gap = letters.index("...")
        letters[gap : gap + 1] = [""] * (len(shape) - len(letters) + 1)
    fits = len(letters) == len(shape) and all(
        not axis or 0 < size == sizes.setdefault(axis, size)
        for axis, size in zip(letters, shape, strict=True)
    )
    if not fits:
        more = "," if len(axes.split()) == 1 else ""
        full = " and none of them 0" if 0 in shape else ""
        raise ValueError(f"{name}: shape {shape}; expected ({expected}{more}){full}")


def as_floats(name: str, value: Any, *, finite: bool = True, exact: bool = False) -> np.ndarray:
    """An array of floats, or if ``exact`` also of objects; nothing is copied that is one."""
    array = np.asarray(value)
    if exact and array.dtype == object:
        return array
    real = array.dtype.kind in "biufO" and not np.ma.is_masked(value)
    try:
        array = array.astype(float, copy=False) if real else None
    except (TypeError, ValueError, OverflowError):
        array = None
    if array is None:
        raise ValueError(f"{name}: {_short(value)}; expected an array of real numbers")
    if finite and not np.isfinite(array).all():
        raise ValueError(f"{name}: {_short(value)}; expected finite numbers")
    return array


def as_integers(
    name: str, value: Any, low: int, high: int, shape: tuple[int, ...] | None = None
) -> np.ndarray:
    """An array of integers from ``low`` to ``high``, both included, of that shape if one is given.

    Floats and truth values may stand for them.
    """
    floats = as_floats(name, value)
    if shape is not None and floats.shape != shape:
        raise ValueError(f"{name}: shape {floats.shape}; expected {shape}")
    wrong = floats[(floats != np.rint(floats)) | (floats < low) | (floats > high)]
    if wrong.size:
        raise ValueError(f"{name}: holds {wrong[0]:g}; expected integers from {low} to {high}")
    return floats.astype(np.int64)


def as_bits(name: str, value: Any) -> np.ndarray:
    """An array of truth values, from numbers 0 and 1."""
    array = np.asarray(value)
    return array if array.dtype == bool else as_integers(name, value, 0, 1).astype(bool)


def as_signs(name: str, value: Any) -> np.ndarray:
    """An array of the floats -1 and 1."""
    signs = as_floats(name, value)
    wrong = signs[np.abs(signs) != 1]
    if wrong.size:
        raise ValueError(f"{name}: holds {wrong[0]:g}; expected -1 and 1 only")
    return signs


def as_words(name: str, value: Any) -> np.ndarray:
    """Words of 64 bits with four along the first axis; floats cannot hold all of them."""
    array = np.asarray(value)
    negative = array.dtype.kind == "i" and np.any(array < 0)
    if array.dtype.kind not in "ui" or array.shape[:1] != (4,) or negative:
        raise ValueError(f"{name}: {_short(value)}; expected four words, integers below 2**64")
    return array.astype(np.uint64, copy=False)


def as_integer(name: str, value: Any) -> int:
    """A Python integer, for those of numpy wrap."""
    try:
        plain = value.item() if isinstance(value, np.generic | np.ndarray) else value
        integral = isinstance(plain, float) and plain.is_integer()
        return int(plain) if integral else operator.index(plain)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: {_short(value)}; expected an integer") from None


def as_number(name: str, value: Any) -> float:
    """A Python float, which may be infinite."""
    try:
        number = float(value.item() if isinstance(value, np.ndarray) else value)
    except (TypeError, ValueError, OverflowError):
        number = np.nan
    if np.isnan(number):
        raise ValueError(f"{name}: {_short(value)}; expected a number")
    return number


def as_fraction(name: str, value: Any) -> Fraction:
    """A fraction of Python integers, exactly the number given."""
    try:
        plain = value.item() if isinstance(value, np.generic | np.ndarray) else value
        return Fraction(plain)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name}: {_short(value)}; expected a finite number") from None


#: What ``takes`` makes of arguments with these annotations.
NUMBERS = {"int": as_integer, "float": as_number}


def same_shape(**arrays: np.ndarray) -> None:
    """Raises ``ValueError`` unless the arrays, given by name, have one shape."""
    shapes = [array.shape for array in arrays.values()]
    if len(set(shapes)) > 1:
        found = ", ".join(map(str, shapes))
        raise ValueError(f"{', '.join(arrays)}: shapes {found}; expected equal shapes")


def as_symmetric(name: str, matrix: np.ndarray) -> np.ndarray:
    """The matrix; ``ValueError`` if more than rounding keeps it from being square and symmetric."""
    square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]
    if not square or np.max(np.abs(matrix - matrix.T)) > 1e-8 * np.max(np.abs(matrix)):
        raise ValueError(f"{name}: {_short(matrix)}; expected a symmetric matrix")
    return matrix


def check_semidefinite(name: str, eigenvalues: np.ndarray) -> None:
    """Raises ``ValueError`` if one of the increasing eigenvalues is negative beyond rounding."""
    if eigenvalues[0] < -1e-8 * np.max(np.abs(eigenvalues)):
        raise ValueError(f"{name}: eigenvalue {eigenvalues[0]:.3g}; expected none below 0")


def solve(name: str, matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The solution of a linear system; ``ValueError`` if the matrix is singular up to rounding.

    ``name`` says which rows are then to blame.
    """
    condition = np.linalg.cond(matrix)
    if not condition < 1 / np.finfo(float).eps:
        raise ValueError(f"{name}: condition {condition:.1e}; expected independent rows")
    return np.linalg.solve(matrix, right)


def bracketed(name: str, lower: float, upper: float, scale: float = 0.0) -> float:
    """The value ``upper`` of a minimum, if ``lower``, a bound on it, agrees to seven digits.

    ``scale`` is that of the data, against which a minimum of zero is judged.
    """
    if not abs(upper - lower) <= 1e-7 * max(abs(upper), scale):
        raise ValueError(
            f"{name}: the solver's answer lies in [{lower:.9g}, {upper:.9g}] and no closer; "
            "expected a problem of better condition"
        )
    return upper


def _short(value: Any) -> str:
    """At most sixty letters of a value, on one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
