"""Notebooks show figures: asked as IPython asks."""

import pytest

from helpers.maps_and_wells import make_map
from wellgram import pair_histogram, plots

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def formatter():
    return pytest.importorskip("IPython.core.formatters").DisplayFormatter()


def test_a_plot_is_a_picture(rng, formatter):
    drawn = pair_histogram(make_map(rng), bins=9).plot()
    for value in (drawn, drawn.figure, *plots.figure()):
        data, _ = formatter.format(value)
        assert data["image/png"].startswith(PNG)
        assert "text/plain" in data


def test_axes_of_ones_own_are_shown_by_their_own_figure(rng, formatter):
    from matplotlib.figure import Figure

    own = Figure().add_subplot()
    drawn = pair_histogram(make_map(rng), bins=9).plot(own)
    assert drawn is own
    assert "image/png" not in formatter.format(drawn)[0]
