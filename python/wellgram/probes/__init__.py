"""Probes: simple classifiers of rows, which say how much an embedding tells of their labels."""

from wellgram.probes.classifier import LinearClassifier
from wellgram.probes.closed_form import lda, ridge
from wellgram.probes.logistic import Logistic, LogisticFit

__all__ = ["LinearClassifier", "Logistic", "LogisticFit", "lda", "ridge"]
