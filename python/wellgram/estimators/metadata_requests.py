"""Metadata routing: which labels of rows scikit-learn's pipelines hand on to an estimator."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

UNCHANGED = "$UNCHANGED$"
"""The request that leaves one as it was, as scikit-learn writes it"""

Request = bool | str | None
"""True: handed on; False: not; None: an error if it is there; a name: that under which it is"""


class MetadataRequests:
    """Says what its methods take of each row beside features, and what of it is asked for."""

    takes: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """What each method can be handed, by the method's name"""

    def get_metadata_routing(self) -> Any:
        """Return what is asked for, as scikit-learn's ``MetadataRequest``."""
        from sklearn.utils.metadata_routing import MetadataRequest, get_routing_for_object

        if hasattr(self, "_metadata_request"):
            return get_routing_for_object(self._metadata_request)
        requests = MetadataRequest(owner=type(self).__name__)
        for method, names in self.takes.items():
            for name in names:
                getattr(requests, method).add_request(param=name, alias=None)
        return requests

    def ask_for(self, method: str, **requests: Request) -> Self:
        """Note what of each row a method asks for.

        Raises
        ------
        RuntimeError
            If metadata routing is not enabled in scikit-learn, as scikit-learn has it.
        """
        import sklearn

        if not sklearn.get_config().get("enable_metadata_routing", False):
            raise RuntimeError(
                "This method is only available when metadata routing is enabled. You can enable it "
                "using sklearn.set_config(enable_metadata_routing=True)."
            )
        routing = self.get_metadata_routing()
        for name, alias in requests.items():
            if alias != UNCHANGED:
                getattr(routing, method).add_request(param=name, alias=alias)
        self._metadata_request = routing  # the name by which scikit-learn's clone copies it
        return self
