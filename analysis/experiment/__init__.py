"""The experiments that readers of the paper ask for: grids of trained models, scored on test, as tables."""
