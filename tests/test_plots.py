"""Figures: of results and of tables alike, on axes of one's own, the same bytes each time."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from helpers.maps_and_wells import make_map
from wellgram import (
    CenterScale,
    MapLookup,
    Wells,
    batch_effects,
    consistency,
    drug_targets,
    gene_set_similarity,
    neighbors,
    pair_histogram,
    pca_projection,
    plots,
    relationship_recall,
)
from wellgram.simulate import rxrx3_core


@pytest.fixture(scope="module")
def screen():
    return rxrx3_core(scale=0.05, seed=2, features=24)


@pytest.fixture(scope="module")
def wells(screen):
    return screen.wells()


@pytest.fixture(scope="module")
def map_(wells):
    x = CenterScale().fit_transform(wells)
    return _map_of(Wells(x, wells.metadata, wells.origin))


def _map_of(wells):
    from wellgram import build_map

    return build_map(wells)


@pytest.fixture(scope="module")
def results(screen, wells, map_):
    return {
        plots.plot_recall: relationship_recall(map_, {"planted": screen.relationships}),
        plots.plot_doses: drug_targets(map_, screen.compound_targets, draws=5),
        plots.plot_batches: batch_effects(wells, sample=500),
        plots.plot_map: pca_projection(map_),
        plots.plot_bins: pair_histogram(map_, bins=20),
    }


def test_a_result_and_its_table_make_one_figure(results):
    for plot, result in results.items():
        of_table = {"explained": result.explained} if plot is plots.plot_map else {}
        drawn = plots.svg(plot(result), "x")
        assert drawn == plots.svg(plot(result.table, **of_table), "x")
        assert drawn == plots.svg(result.plot(), "x")


def test_figures_go_where_they_are_told(results, map_, wells):
    _, ax = plots.figure()
    for plot, result in results.items():
        assert plot(result, ax=ax) is ax
        ax.clear()
    table = consistency(wells, draws=50).table
    assert plots.plot_volcano(table, "mean_cosine", ax=ax) is ax
    assert ax.get_xlabel() == "mean cosine"
    ax.clear()
    found = neighbors(map_, 3)
    assert plots.plot_neighbors(found.nearest_cosines, found.farthest_cosines, ax=ax) is ax


def test_a_volcano_colours_what_is_found():
    table = pd.DataFrame(
        {"score": [1.0, 2.0, 3.0, 4.0], "p_value": [0.5, 0.01, 0.001, np.nan],
         "q_value": [0.5, 0.02, 0.003, np.nan]}
    )  # fmt: skip
    ax = plots.plot_volcano(table, "score", threshold=0.01)
    others, found = ax.collections
    np.testing.assert_allclose(found.get_offsets(), [[3.0, 0.001]])
    assert len(others.get_offsets()) == 2
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "others: 2",
        "false discovery rate ≤ 1%: 1",
    ]


def test_a_matrix_is_drawn_in_the_order_of_its_clustering(map_, screen):
    genes = sorted({*screen.relationships["entity1"]})
    result = gene_set_similarity(map_, {"a": genes[:4], "b": genes[4:8]})
    ax = result.plot()
    assert [label.get_text() for label in ax.get_yticklabels()] == list(result.cosines.index)
    shown = ax.images[0].get_array()
    assert np.isnan(np.diag(shown.filled(np.nan))).all()
    off = ~np.eye(8, dtype=bool)
    np.testing.assert_array_equal(np.asarray(shown)[off], result.cosines.to_numpy()[off])


def test_neighbors_are_marked_among_all(map_):
    found = MapLookup(map_).neighbors_of(3, k=4, farthest=2)
    ax = found.plot()
    counts, _, _ = ax.patches[0].get_data()
    assert counts.sum() == len(map_) - 1
    assert [len(lines.get_segments()) for lines in ax.collections] == [4, 2]


def test_a_label_is_a_text_and_no_formula(map_):
    name = r"$\frac{"
    pairs = pd.DataFrame({"entity1": ["PLK1"], "entity2": ["MTOR"]})
    ax = relationship_recall(map_, {name: pairs}).plot()
    assert "$\\frac{" in plots.svg(ax, "x")


def test_drawing_leaves_the_state_of_matplotlib_alone():
    code = (
        "import sys, numpy as np, matplotlib as mpl; before = mpl.rcParams['svg.fonttype']; "
        "from wellgram import plots; ax = plots.plot_p_values(np.linspace(0, 1, 9)); "
        "plots.svg(ax, 'x'); plots.save_png(ax, '/dev/null'); assert ax._repr_png_(); "
        "print('matplotlib.pyplot' in sys.modules, mpl.rcParams['svg.fonttype'] == before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_every_figure_is_documented():
    for name in plots.__all__:
        assert getattr(plots, name).__doc__, name


def test_a_map_of_one_kind_has_no_legend(rng):
    ax = pca_projection(make_map(rng, 30)).plot()
    assert ax.get_legend() is None
    assert len(ax.collections[0].get_offsets()) == 30
