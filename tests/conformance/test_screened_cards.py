"""A pass with a screen on a card has the states of one without, to the bit; and its bound holds.

Where a library multiplies whole numbers, it does so here; else our own kernel does.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.adversarial_rows import KINDS
from helpers.cases import unit
from helpers.screened_states import SHAPES, states
from wellgram.backends.consumers import CountBelow, Histogram, Nearest
from wellgram.backends.gpu import products, screened_rows
from wellgram.backends.gpu.screened_scan import screened_cosines
from wellgram.errors import BackendUnavailable
from wellgram.pairs import scan_pairs

pytestmark = pytest.mark.gpu


@pytest.fixture(params=["cuda", "cupy"])
def card(request, usable, monkeypatch):
    """A card whose cosines are our own chains, by which a screen decides."""
    monkeypatch.setenv("WELLGRAM_PRODUCTS", "float32")
    backend = usable(request.param)
    yield backend
    backend.kernels.use_screen(None)


@pytest.fixture
def both(card):
    """The answers of a call without a screen and with one."""

    def answers(call):
        made = []
        for screen in ("none", "int8"):
            card.kernels.use_screen(screen)
            made.append(call())
        return made

    return answers


def rows_of(kind, rng, n, d):
    x = KINDS[kind](rng, n, d)
    x[np.linalg.norm(x, axis=1) == 0] = 1
    return x


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_states_are_those_without_a_screen(card, both, rng, kind, shape):
    n, d = shape
    x, y = rows_of(kind, rng, n, d), rows_of(kind, rng, n // 2 + 1, d)
    for other in (None, y):
        without, with_screen = both(lambda other=other: states(x, other, backend=card.name))
        assert without == with_screen


def test_states_are_those_of_processors(card, usable, rng):
    """Whose chains have the same bits, with fused multiply-adds."""
    cpu = usable("cpu")
    if cpu.kernels.instruction_set() == "baseline":
        pytest.skip("this processor has no fused multiply-add")
    card.kernels.use_screen("int8")
    x = unit(rng, 200, 96, np.float32)
    consumers = [CountBelow((-0.1, 0.0, 0.3)), Nearest(9, 4)]
    below, nearest = card.scan_pairs(x, consumers)
    expected_below, expected_nearest = cpu.scan_pairs(x, consumers)
    np.testing.assert_array_equal(below, expected_below)
    np.testing.assert_equal(vars(nearest), vars(expected_nearest))


@pytest.mark.parametrize("others", [None, 90])
def test_tiles_that_rows_do_not_fill(card, both, rng, monkeypatch, others):
    """On, above and below the diagonal, of rows that pass through the card in chunks."""
    monkeypatch.setattr(products, "TILE", (64, 128))
    x = unit(rng, 300, 40, np.float32)
    y = None if others is None else unit(rng, others, 40, np.float32)
    for chunk in (1 << 28, 70 * 160):
        monkeypatch.setattr(card.kernels.card, "chunk_bytes", chunk)
        shares = []

        def scanned(shares=shares):
            shares.clear()
            consumers = [CountBelow((-0.1, 0.2)), Nearest(7, 3)]
            scan = scan_pairs(x, consumers, other=y, backend=card.name, progress=shares.append)
            return [(s.counts.tobytes(), s.values.tobytes()) for s in scan.states]

        without, with_screen = both(scanned)
        assert without == with_screen
        assert shares == sorted(shares)
        assert shares[-1] == 1


def test_a_pass_in_blocks(card, both, rng, monkeypatch):
    """Each block begins at what the blocks before have found."""
    monkeypatch.setattr("wellgram.pairs.tiling.TILE_ROWS", 64)
    x = rng.standard_normal((300, 24), np.float32)
    consumers = [Nearest(4, 2), CountBelow((0.1,))]

    def merged():
        scans = [
            scan_pairs(x, consumers, tiles=tiles, backend=card.name) for tiles in ((0, 7), (7, 15))
        ]
        return [s.counts.tobytes() for s in scans[0].merge(scans[1]).states]

    without, with_screen = both(merged)
    assert without == with_screen


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("values", [3, 60])
def test_ranks_are_those_without_a_screen(card, both, rng, values, absolute):
    x, y = unit(rng, 150, 40, np.float32), unit(rng, 90, 40, np.float32)
    for left, right in ((x, y), (x, x)):
        sizes = rng.integers(0, values + 1, len(left))
        starts = np.concatenate([[0], np.cumsum(sizes)])
        row = np.repeat(np.arange(len(left)), sizes)
        # Cosines that are met among them, so that many cells are near a value.
        asked = card.pair_cosines(left, row, rng.integers(0, len(right), len(row)), right)
        asked = asked[np.lexsort([asked, row])].astype(np.float64)
        own = rng.integers(0, 4, (2, len(left))).astype(np.int32)
        their = own if right is x else rng.integers(0, 4, (2, len(right))).astype(np.int32)
        without, with_screen = both(
            lambda a=left, b=right, s=starts, v=asked, o=own, t=their: card.rank_counts(
                a, b, s, v, o, t, absolute=absolute
            ).tobytes()
        )
        assert without == with_screen


def certified(card, x, y):
    """A screen's cosines of all pairs of unit rows, their bounds, and those of pair_cosines."""
    laid = card.kernels.card.lay(x), card.kernels.card.lay(y)
    cosines, bounds = screened_cosines(card.kernels.card, *laid)
    i, j = np.indices(cosines.shape).reshape(2, -1)
    return cosines, bounds, card.pair_cosines(x, i, j, y).reshape(cosines.shape)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(sorted(KINDS)),
    n=st.integers(1, 40),
    d=st.one_of(st.integers(1, 70), st.integers(900, 1100)),
)
def test_the_bound_holds(card, seed, kind, n, d):
    rng = np.random.default_rng(seed)
    x, y = KINDS[kind](rng, n, d), KINDS[kind](rng, n, d)
    x, y = (
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-30) for rows in (x, y)
    )
    x, y = x.astype(np.float32), y.astype(np.float32)
    cosines, bounds, chain = certified(card, x, y)
    exact = x.astype(np.float64) @ y.astype(np.float64).T
    for sought in (exact, chain.astype(np.float64)):
        assert (np.abs(cosines - sought) <= bounds).all()


def test_the_bound_holds_of_20_000_features(card, rng):
    x = unit(rng, 20, 20_000, np.float32)
    cosines, bounds, chain = certified(card, x, x)
    assert (np.abs(cosines.astype(np.float64) - chain) <= bounds).all()
    assert (np.abs(cosines - x.astype(np.float64) @ x.T.astype(np.float64)) <= bounds).all()


def test_rows_next_to_nothing(card, rng):
    """Their scale must not leave float32."""
    x, y = np.full((3, 70), 1e-38, np.float32), unit(rng, 3, 70, np.float32)
    cosines, bounds, chain = certified(card, x, y)
    assert np.isfinite(cosines).all()
    assert (np.abs(cosines.astype(np.float64) - chain) <= bounds).all()


def test_the_bound_is_as_narrow_as_said(card, rng):
    x = unit(rng, 64, 1024, np.float32)
    _, bounds, _ = certified(card, x, x)
    assert bounds.max() < 3e-4


@pytest.mark.parametrize(
    ("kind", "consumer"),
    [
        ("normal", CountBelow(tuple(np.linspace(-0.1, 0.1, 400)))),
        ("normal", Histogram(bins=100_000)),
        ("near copies", Nearest(5, 5)),
    ],
    ids=["thresholds", "bins", "nearest"],
)
def test_a_bound_that_is_too_small_is_noticed(card, both, rng, monkeypatch, kind, consumer):
    """Or these tests would say nothing of the bound."""
    x = KINDS[kind](rng, 250, 1024)
    monkeypatch.setattr(screened_rows, "bound_factor", 1e-4)
    without, with_screen = both(
        lambda: scan_pairs(x, [consumer], backend=card.name).states[0].counts.tobytes()
    )
    assert without != with_screen


def test_a_bound_of_ranks_that_is_too_small_is_noticed(card, both, rng, monkeypatch):
    x = unit(rng, 250, 1024, np.float32)
    starts = np.arange(251) * 40
    values = np.sort(rng.normal(0, 0.03, (250, 40)), axis=1).ravel()
    none = np.zeros((0, 250), np.int32)
    monkeypatch.setattr(screened_rows, "bound_factor", 1e-4)
    without, with_screen = both(
        lambda: card.rank_counts(x, x, starts, values, none, none).tobytes()
    )
    assert without != with_screen


def test_rows_that_are_not_of_length_1_have_no_screen(card, both):
    """NaN is below nothing, and in the first bin."""
    x = np.full((3, 4), np.nan, np.float32)
    for counts in both(lambda: card.scan_pairs(x, [Histogram(bins=3)])[0]):
        assert counts.tolist() == [3, 0, 0]


def test_a_screen_that_is_unknown(card):
    with pytest.raises(
        BackendUnavailable, match="no screen 'int4' on a card; use one of none, int8"
    ):
        card.kernels.use_screen("int4")
