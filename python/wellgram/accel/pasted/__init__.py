"""Copies of known functions that were pasted into scripts: told by their shape, and replaced."""
