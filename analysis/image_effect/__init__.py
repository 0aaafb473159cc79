"""Measures what the image contributed: F1 with and without it, Shapley values, minimal pairs."""
