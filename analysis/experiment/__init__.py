"""The paper's experiments: grids of trained models, scored on test, as tables."""
