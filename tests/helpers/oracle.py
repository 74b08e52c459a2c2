"""The backend that every other is tested against."""

from wellgram import get_backend

reference = get_backend("reference")
