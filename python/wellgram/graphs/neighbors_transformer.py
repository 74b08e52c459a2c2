"""Graphs of neighbors as a step of scikit-learn, which scanpy and UMAP take."""

from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike

from wellgram.backends import takes_backend
from wellgram.backends.number_checks import check_whole
from wellgram.backends.protocol import Codes, Floats, Rows
from wellgram.errors import InputError
from wellgram.estimators import Estimator, as_features
from wellgram.estimators.feature_names import Names
from wellgram.graphs.graph_matrix import csr_of
from wellgram.graphs.measures import Measure, Metric, measure_of
from wellgram.graphs.row_store import StoredRows
from wellgram.graphs.search import Search, Side

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Mode = Literal["distance", "connectivity"]


class KNeighborsTransformer(Estimator):
    """scikit-learn's ``KNeighborsTransformer``, exact and by the pass over pairs.

    It goes wherever that one goes: ``scanpy.pp.neighbors(adata, transformer=...)``, a pipeline
    before an estimator with ``metric="precomputed"``. Distances are those of
    `wellgram.neighbor_graph`.

    Parameters
    ----------
    mode
        ``"distance"``: entries are distances, and a row has ``n_neighbors`` others and itself.
        ``"connectivity"``: entries are ones, and a row has ``n_neighbors``, itself among them.
    n_neighbors
        How many. scanpy counts a row itself among them.
    metric
        ``"euclidean"``, ``"cosine"`` or ``"correlation"``.

    Attributes
    ----------
    n_samples_fit_
        How many rows it was fitted on.
    n_features_in_, feature_names_in_
        Their features.

    Examples
    --------
    >>> import numpy as np, wellgram as wg
    >>> rows = np.array([[0.0], [1.0], [3.0]])
    >>> wg.KNeighborsTransformer(n_neighbors=1).fit_transform(rows).toarray()
    array([[0., 1., 0.],
           [1., 0., 0.],
           [0., 2., 0.]])
    """

    def __init__(
        self,
        *,
        mode: Mode = "distance",
        n_neighbors: int = 15,
        metric: Metric = "euclidean",
    ) -> None:
        self.mode = mode
        self.n_neighbors = n_neighbors
        self.metric = metric

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Keep the rows that partners are looked among: (n, d).

        Raises
        ------
        InputError
            If rows or parameters cannot be used.
        """
        self._check_params()
        rows = as_features(X)
        if not len(rows):
            raise InputError("Found array with 0 sample(s) while a minimum of 1 is required")
        self.learn_features(rows.shape[1], X)
        self._rows = rows
        self.n_samples_fit_ = len(rows)
        return self

    @takes_backend
    def transform(self, X: ArrayLike, *, backend: str | None = None) -> "csr_matrix":
        """Return the nearest fitted rows of each row, the nearest first: (m, n), in SciPy's CSR.

        Raises
        ------
        NotFitted
            If it has not been fitted.
        InputError
            If features are not those of the fit, fewer rows were fitted than are looked for, or a
            row has no distance, as one that is all zero has no cosine.
        """
        self.check_fitted()
        self.check_names(X)
        rows = as_features(X)
        self.check_count(rows.shape[1])
        wanted = self.n_neighbors + (self.mode == "distance")
        self._check_fit(wanted)
        measure = measure_of(self.metric)
        asked, among = self._side(rows, measure), self._side(self._rows, measure)
        found = Search(measure, wanted, asked, among, itself=False).run()
        return self._graph(found.rows, found.distances)

    @takes_backend
    def fit_transform(
        self, X: ArrayLike, y: Any = None, *, backend: str | None = None
    ) -> "csr_matrix":
        """Fit, and return the nearest others of each row, after the row itself: (n, n).

        So equal rows do not come before a row itself, as they may in `transform`.
        """
        self.fit(X)
        others = self.n_neighbors - (self.mode == "connectivity")
        self._check_fit(others + 1)
        measure = measure_of(self.metric)
        side = self._side(self._rows, measure)
        itself = side.chosen[:, None]
        if not others:
            return self._graph(itself, np.zeros(itself.shape))
        found = Search(measure, others, side, side, itself=True).run()
        distances = np.hstack([np.zeros(itself.shape), found.distances])
        return self._graph(np.hstack([itself, found.rows]), distances)

    def get_feature_names_out(self, input_features: Any = None) -> Names:
        """Return the names of the columns, one for each fitted row."""
        self.check_fitted()
        prefix = type(self).__name__.lower()
        return np.array([f"{prefix}{row}" for row in range(self.n_samples_fit_)], object)

    def _graph(self, columns: Codes, distances: Floats) -> "csr_matrix":
        values = distances if self.mode == "distance" else np.ones(distances.shape)
        return csr_of(columns, values, np.ones(len(columns), bool), self.n_samples_fit_)

    def _side(self, rows: Rows, measure: Measure) -> Side:
        """Return rows that look for partners, or are looked among; a measure learns of them."""
        kept = StoredRows(rows, None, on_disk=False).learn(measure)
        if len(kept) < len(rows):
            row = int(np.setdiff1d(np.arange(len(rows)), kept)[0])
            raise InputError(f"row {row} has no distance by {self.metric}; leave such rows out")
        return Side(rows, kept)

    def _check_fit(self, wanted: int) -> None:
        if wanted > self.n_samples_fit_:
            raise InputError(
                f"Expected n_neighbors <= n_samples_fit, but n_neighbors = {wanted} with the row "
                f"itself, n_samples_fit = {self.n_samples_fit_}; ask for fewer (n_neighbors=)"
            )

    def _check_params(self) -> None:
        check_whole(self.n_neighbors, "n_neighbors")
        if self.n_neighbors < 1:
            raise InputError(f"n_neighbors must be 1 or more, not {self.n_neighbors}")
        if self.mode not in get_args(Mode):
            raise InputError(f"mode must be 'distance' or 'connectivity', not {self.mode!r}")
        measure_of(self.metric)

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(preserves_dtype=[]),
        )
