"""Figures, each a function of a result or its table that returns matplotlib axes."""

from wellgram.plots.batch_plots import plot_batches
from wellgram.plots.canvas import figure, save_png, svg
from wellgram.plots.map_plots import plot_map, plot_similarity
from wellgram.plots.pair_plots import plot_bins, plot_line, plot_neighbors, plot_neighbors_of
from wellgram.plots.recall_plots import plot_null, plot_recall
from wellgram.plots.replicate_plots import plot_p_values, plot_volcano
from wellgram.plots.study_plots import plot_accuracies, plot_depth, plot_study
from wellgram.plots.target_plots import plot_doses

__all__ = [
    "figure",
    "plot_accuracies",
    "plot_batches",
    "plot_bins",
    "plot_depth",
    "plot_doses",
    "plot_line",
    "plot_map",
    "plot_neighbors",
    "plot_neighbors_of",
    "plot_null",
    "plot_p_values",
    "plot_recall",
    "plot_similarity",
    "plot_study",
    "plot_volcano",
    "save_png",
    "svg",
]
