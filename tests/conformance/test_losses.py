"""softmax_loss against the reference."""

import numpy as np
import pytest

from helpers.cases import SHAPES, classified
from helpers.comparers import close_loss
from wellgram import InputError


def compare(backend, x, codes, weights):
    loss, gradient = backend.softmax_loss(x, codes, len(weights))(weights)
    assert isinstance(loss, float)
    assert gradient.dtype == np.float64
    close_loss((loss, gradient), x, codes, weights)


@pytest.mark.parametrize("classes", [1, 2, 7, 33, 300])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_losses(backend, rng, dtype, shape, classes):
    compare(backend, *classified(rng, *shape, classes, dtype))


def test_many_rows_are_taken_some_at_a_time(backend, rng, dtype):
    """More scores than are held at once, by any backend."""
    compare(backend, *classified(rng, 5000, 5, 4000, dtype))


def test_rows_are_made_ready_once_for_any_number_of_weights(backend, rng, dtype):
    x, codes, weights = classified(rng, 97, 9, 5, dtype)
    loss = backend.softmax_loss(x, codes, 5)
    first, again = loss(weights), loss(weights)
    other, _ = loss(2 * weights)
    assert first[0] == again[0] != other
    np.testing.assert_array_equal(first[1], again[1])
    assert other == backend.softmax_loss(x, codes, 5)(2 * weights)[0]


def test_the_gradient_is_that_of_the_loss(backend, rng):
    x, codes, weights = classified(rng, 150, 12, 7, np.float64)
    loss = backend.softmax_loss(x, codes, 7)
    step, h = rng.normal(size=weights.shape), 1e-5
    slope = (loss(weights + h * step)[0] - loss(weights - h * step)[0]) / (2 * h)
    # Central differences err by h^2 and by the rounding of the loss over h.
    assert np.vdot(loss(weights)[1], step) == pytest.approx(slope, rel=1e-6)


def test_scores_whose_exponentials_would_overflow(backend, dtype):
    x = np.array([[1e4], [-1e4]], dtype)
    value, gradient = backend.softmax_loss(x, np.array([0, 1]), 2)(np.array([[1.0, 0], [-1.0, 0]]))
    assert value == 0
    np.testing.assert_array_equal(gradient, np.zeros((2, 2)))
    value, gradient = backend.softmax_loss(x, np.array([1, 0]), 2)(np.array([[1.0, 0], [-1.0, 0]]))
    assert value == 4e4
    np.testing.assert_array_equal(gradient, [[2e4, 0], [-2e4, 0]])


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_row_that_is_not_finite_leaves_no_loss(backend, rng, dtype):
    x, codes, weights = classified(rng, 40, 6, 5, dtype)
    x[13, 2] = np.nan
    loss, gradient = backend.softmax_loss(x, codes, 5)(weights)
    assert np.isnan(loss)
    assert np.isnan(gradient).all()


def test_results_do_not_depend_on_threads(backend, rng, by_threads):
    x, codes, weights = classified(rng, 3000, 9, 1139, np.float32)
    loss = backend.softmax_loss(x, codes, 1139)
    one, *more = by_threads(lambda: loss(weights))
    for other in more:
        assert other[0] == one[0]
        np.testing.assert_array_equal(other[1], one[1])


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ([0, 1, 2], r"codes\[2\] is 2; expected 0 to 1"),
        ([0, -1, 1], r"codes\[1\] is -1; expected 0 to 1"),
        ([0, 1], "one per row"),
        ([0.0, 1.0, 1.0], "integers"),
    ],
)
def test_codes_that_are_no_classes_are_refused(backend, codes, words):
    with pytest.raises(InputError, match=words):
        backend.softmax_loss(np.ones((3, 2)), np.array(codes), 2)


@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (6,)])
def test_weights_of_another_shape_are_refused(backend, shape):
    loss = backend.softmax_loss(np.ones((3, 2)), np.array([0, 1, 1]), 2)
    with pytest.raises(InputError, match=r"weights has shape .* each class: \(2, 3\)"):
        loss(np.zeros(shape))
