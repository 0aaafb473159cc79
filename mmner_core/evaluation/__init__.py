"""Scores a model on data sets, with the right images, other images and none."""
