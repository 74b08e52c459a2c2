"""Typed view of the CUDA extension."""

from typing import Any

def devices() -> tuple[list[dict[str, Any]], str]: ...
