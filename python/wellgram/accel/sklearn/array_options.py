"""Options of scikit-learn as a whole that change what its functions take and give."""

from wellgram.accel.declined import Declined


def check_array_options() -> None:
    """Decline where arrays of other libraries are dispatched to these."""
    import sklearn

    if sklearn.get_config().get("array_api_dispatch"):
        raise Declined("array_api_dispatch is set")
