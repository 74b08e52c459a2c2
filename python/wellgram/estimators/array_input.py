"""Arrays, lists and DataFrames as rows of features, by scikit-learn's rules and in its words."""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.checks import as_rows, unmasked
from wellgram.backends.protocol import Rows
from wellgram.errors import InputError


def as_features(X: Any, *, missing: bool = False) -> Rows:
    """Return what is given as rows (n, d), float32 or float64.

    Parameters
    ----------
    X
        Whatever NumPy takes for a matrix of numbers: an array, nested lists, a DataFrame. float32
        and float64 stay, float16 becomes float32, all other numbers float64.
    missing
        Whether a value may be a NaN.

    Raises
    ------
    InputError
        If it is sparse, complex, of no numbers, without features, or no matrix; or a value is a NaN
        that may be none, or an Inf.
    TypeError
        If an object among the values is no number, as NumPy has it.
    """
    if _is_sparse(X):
        raise InputError("X is sparse, but dense rows are needed; give X.toarray()")
    given = np.asarray(unmasked(X, "X"))
    if given.ndim != 2:
        raise InputError(
            f"X must be a matrix (rows, features), not of shape {given.shape}. Reshape your data: "
            "X.reshape(1, -1) if it is one row, X.reshape(-1, 1) if it is one feature"
        )
    if given.shape[1] == 0:
        raise InputError(
            f"X has 0 feature(s) (shape={given.shape}) while a minimum of 1 is required; "
            "name the columns of the embedding"
        )
    rows = as_rows(_numbers(given), "X")
    finite = np.isfinite(rows).all(axis=1)
    if missing and not finite.all():
        finite = ~np.isinf(rows).any(axis=1)
    if not finite.all():
        bad = int(np.flatnonzero(~finite)[0])
        raise InputError(f"row {bad} holds a NaN or an Inf; leave such rows out")
    return rows


def _is_sparse(X: Any) -> bool:
    """Whether it is a sparse matrix of SciPy, which nobody has before it is loaded."""
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and bool(sparse.issparse(X))


def _numbers(given: NDArray[Any]) -> NDArray[Any]:
    """Return the values as floating-point numbers."""
    kind = given.dtype.kind
    if kind == "f":
        return given
    if kind == "c":
        raise InputError(
            f"Complex data not supported: X has dtype {given.dtype}; give real and imaginary parts "
            "as features of their own"
        )
    if kind not in "biuO":
        raise InputError(f"X has dtype {given.dtype}; give numbers, float32 or float64")
    try:
        return given.astype(np.float64)
    except ValueError as problem:  # of a text among objects; what else is no number, a TypeError
        raise InputError(f"X holds what is no number ({problem}); leave such columns out") from None
