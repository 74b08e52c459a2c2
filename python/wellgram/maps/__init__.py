"""From wells to a map with one row per perturbation."""

from wellgram.maps.build import build_map

__all__ = ["build_map"]
