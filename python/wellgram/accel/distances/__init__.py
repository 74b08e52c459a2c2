"""Distances of rows and of classes of rows, for several libraries."""
