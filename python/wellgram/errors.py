"""The exceptions wellgram raises on purpose; every message names what is wrong and the remedy."""


class WellgramError(Exception):
    """Base of all errors below: catch this one to catch them all."""


class InputError(WellgramError, ValueError):
    """The input cannot be used as it is: a file, a column, a value or an argument."""


class ColumnMissing(InputError):  # noqa: N818 - as the field says it
    """A table lacks a column that is needed; the message names those it has."""


class MissingPackage(InputError):  # noqa: N818
    """An optional package is not installed; the message says how to install it."""


class NotApplicable(InputError):  # noqa: N818
    """The data does not allow this benchmark: too few wells, one batch, no gene set in the map.

    `wellgram.score` leaves such a benchmark out and says why. Any other error ends the run.
    """


class BackendUnavailable(WellgramError, RuntimeError):  # noqa: N818
    """The backend asked for cannot run here; the message says why and which ones can."""


class NotFitted(InputError, AttributeError):  # noqa: N818 - scikit-learn's word, but not its class
    """An estimator is used that was not fitted; where scikit-learn is loaded, its error as well."""


class NotWritten(WellgramError, OSError):  # noqa: N818
    """A file cannot be written, as on a full disk; the message names it. What was there stays."""


class DeviceMemoryError(WellgramError, MemoryError):
    """The card has too little memory for what is asked; the message says how much is missing."""


class NotEnoughMemory(InputError, MemoryError):  # noqa: N818
    """What is asked takes more memory than there is; the message says both, and what to ask."""


class ClusterError(WellgramError, RuntimeError):
    """The workers of a Dask cluster, or its scheduler, were lost and did not come back in time."""


class WellgramWarning(UserWarning):
    """Base of all warnings below; the command line prints them as notes."""


class ControlsWarning(WellgramWarning):
    """There are few control wells for what is asked of them."""


class TiesWarning(WellgramWarning):
    """Many pairs are equally similar, so a ranking of them says little."""


class IdenticalRowsWarning(WellgramWarning):
    """Several profiles have the same embedding, so they are alike whatever was done to them."""


class LabelsWarning(WellgramWarning):
    """Labels or columns may not mean what they are taken for; the message says what to do."""
