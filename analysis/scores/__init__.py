"""Scores and their uncertainty, from matched entities to slices, calibration and errors."""
