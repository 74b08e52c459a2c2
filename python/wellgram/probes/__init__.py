"""Probes: simple classifiers of rows, which say how much an embedding tells of their labels."""

from wellgram.probes.classifier import LinearClassifier
from wellgram.probes.closed_form import lda, ridge
from wellgram.probes.label_probes import LabelProbe, LDAProbe, LogisticProbe, RidgeProbe
from wellgram.probes.logistic import Logistic, LogisticFit

__all__ = [
    "LDAProbe",
    "LabelProbe",
    "LinearClassifier",
    "Logistic",
    "LogisticFit",
    "LogisticProbe",
    "RidgeProbe",
    "lda",
    "ridge",
]
