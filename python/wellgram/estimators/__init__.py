"""scikit-learn's conventions, by protocol: what alignments and classifiers share.

scikit-learn is imported only where it calls; whoever does not use it never loads it.
"""

from wellgram.estimators.array_input import as_features
from wellgram.estimators.container_output import ContainerOutput
from wellgram.estimators.conventions import Estimator
from wellgram.estimators.metadata_requests import UNCHANGED, Request
from wellgram.estimators.shared_errors import conversion_warning, not_fitted

__all__ = [
    "UNCHANGED",
    "ContainerOutput",
    "Estimator",
    "Request",
    "as_features",
    "conversion_warning",
    "not_fitted",
]
