"""The container of what is transformed: an array, or a DataFrame where one is asked for."""

import sys
from typing import Any, Literal, Self

import pandas as pd

from wellgram.backends.protocol import Rows
from wellgram.errors import InputError
from wellgram.estimators.feature_names import Names

Container = Literal["default", "pandas", "polars"]


class ContainerOutput:
    """Has ``set_output``, for estimators that transform."""

    def get_feature_names_out(self, input_features: Any = None) -> Names:
        """Return the names of features that come out."""
        raise NotImplementedError

    def set_output(self, *, transform: Container | None = None) -> Self:
        """Choose what ``transform`` and ``fit_transform`` return of rows.

        Parameters
        ----------
        transform
            "default": an array; "pandas" or "polars": a DataFrame whose columns are
            ``get_feature_names_out()``. None changes nothing. Where nothing was chosen,
            scikit-learn's own ``transform_output`` holds, if it is loaded.

        Examples
        --------
        >>> import pandas as pd, wellgram as wg
        >>> table = pd.DataFrame({"red": [1.0, 3.0], "green": [2.0, 6.0]}, index=["A01", "A02"])
        >>> wg.CenterScale().set_output(transform="pandas").fit_transform(table)
             red  green
        A01 -1.0   -1.0
        A02  1.0    1.0
        """
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}  # the name that clone copies
        return self

    def contained(self, rows: Rows, given: Any) -> Any:
        """Return rows in the container that was chosen, with the index of what was given.

        Raises
        ------
        InputError
            If there is no such container.
        """
        container = self._container()
        if container == "default":
            return rows
        names = self.get_feature_names_out()
        if container == "pandas":
            index = given.index if isinstance(given, pd.DataFrame) else None
            return pd.DataFrame(rows, index=index, columns=names, copy=False)
        if container == "polars":
            import polars

            return polars.DataFrame(rows, schema=names.tolist(), orient="row")
        raise InputError(f"output must be 'default', 'pandas' or 'polars', not {container!r}")

    def _container(self) -> str:
        chosen: dict[str, str] = getattr(self, "_sklearn_output_config", {})
        if "transform" in chosen:
            return chosen["transform"]
        sklearn = sys.modules.get("sklearn")
        return sklearn.get_config()["transform_output"] if sklearn is not None else "default"
