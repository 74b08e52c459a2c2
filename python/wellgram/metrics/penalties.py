"""Which probe is fitted, how strongly it is penalised, and how that is chosen."""

from collections.abc import Iterator, Sequence
from typing import Literal, get_args

import numpy as np

from wellgram.backends.moments import beyond, exponents
from wellgram.backends.number_checks import check_number, checked_numbers
from wellgram.backends.protocol import Codes, Progress, Rows
from wellgram.errors import InputError
from wellgram.metrics.labelled import Sides
from wellgram.probes import LinearClassifier, Logistic, LogisticFit, lda, ridge

Method = Literal["logistic", "ridge", "lda"]

_TRIED: dict[Method, tuple[float, ...]] = {
    "logistic": (1e4, 1e3, 1e2, 1e1, 1e0),
    "ridge": (1e5, 1e4, 1e3, 1e2, 1e1),
    "lda": (0.9, 0.5, 0.2, 0.05, 0.01),
}
_SAID: dict[Method, str] = {
    "logistic": "logistic probe",
    "ridge": "ridge probe",
    "lda": "linear discriminants",
}


_RANGE_BITS = 100
"""Features within 2^-100 and 2^100, and one over their deviation, are within float32's range"""


def method_words(method: Method) -> str:
    """Return the name of a probe in words."""
    return _SAID[method]


def check_penalties(method: Method, penalty: float | Sequence[float] | None) -> list[float]:
    """Return the penalties to choose of, the strongest first: those given, or powers of ten.

    Raises
    ------
    InputError
        If there is no such probe, or a penalty is out of its range.
    """
    if method not in get_args(Method):
        raise InputError(f"unknown probe {method!r}; choose {', '.join(get_args(Method))}")
    given = _TRIED[method] if penalty is None else penalty
    if isinstance(given, Sequence) and not isinstance(given, str):
        several = checked_numbers(given, "penalty")
    else:
        check_number(given, "penalty")
        several = [given]
    most = 1.0 if method == "lda" else np.inf
    wrong = [one for one in several if not 0 < one <= most]
    if wrong or not several:
        found = f"not {wrong[0]}" if wrong else "and there is none"
        raise InputError(
            f"penalties of {_SAID[method]} must be above 0"
            f"{' and up to 1' if method == 'lda' else ''}, {found}"
        )
    return sorted(map(float, several), reverse=True)


def fitted(x: Rows, codes: Codes, classes: int, method: Method, penalty: float) -> LinearClassifier:
    """Return a probe fitted to rows (n, d) of classes codes (n,)."""
    return next(_path(x, codes, classes, method, [penalty]))


def best_penalty(
    rows: Rows,
    side: Sides,
    method: Method,
    penalties: Sequence[float],
    *,
    progress: Progress | None = None,
) -> float:
    """Return the penalty whose probe does best on held-out wells, of some, the strongest first.

    By log loss, or the share of errors for ridge, whose scores are no odds. It ends at the first
    that does worse than the one before: weaker ones are not tried.
    """
    x, others = standardized(rows, side.train, side.test)
    path = _path(x, side.train_classes, len(side.trained), method, penalties)
    best, least = penalties[0], np.inf
    for k, (penalty, probe) in enumerate(zip(penalties, path, strict=True)):
        if progress is not None:
            progress((k + 1) / len(penalties))
        if method == "ridge":
            loss = float((probe.predict(others) != side.test_classes).mean())
        else:
            loss = probe.log_loss(others, side.test_classes)
        if loss > least:
            break
        best, least = penalty, loss
    return best


def standardized(rows: Rows, train: Codes, test: Codes) -> tuple[Rows, Rows]:
    """Return the rows of both sides, standardised by those that are fitted on."""
    x = rows[train]
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64)
    extreme = beyond(np.maximum(np.abs(mean), deviation), _RANGE_BITS)
    if extreme.any():
        exponent = np.where(extreme, exponents(np.abs(x).max(axis=0)), 0)
        return standardized(np.ldexp(rows, -exponent), train, test)
    deviation[deviation == 0] = 1
    shift, scale = mean.astype(rows.dtype), (1 / deviation).astype(rows.dtype)
    x -= shift
    x *= scale
    return x, (rows[test] - shift) * scale


def _path(
    x: Rows, codes: Codes, classes: int, method: Method, penalties: Sequence[float]
) -> Iterator[LinearClassifier]:
    """Yield the probe of each penalty, a logistic search beginning where the last one ended."""
    if method == "logistic":
        problem = Logistic(x, codes, classes)
        fit: LogisticFit | None = None
        for penalty in penalties:
            fit = problem.fit(penalty, start=fit)
            yield fit.classifier
    else:
        closed = ridge if method == "ridge" else lda
        for penalty in penalties:
            yield closed(x, codes, classes, penalty)
