"""Notebooks show figures, and pyplot knows of none: asked as IPython asks."""

import subprocess
import sys

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


PROGRAM = """
import sys
import numpy as np
import wellgram as wg

drawn = wg.pair_histogram(np.random.default_rng(0).normal(size=(50, 8)), bins=9).plot()
assert drawn._repr_png_()
assert "matplotlib.pyplot" not in sys.modules
"""


def test_pyplot_is_left_alone():
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)
