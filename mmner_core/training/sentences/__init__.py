"""Training sentences of our own making: augmented, cut, moved into other contexts, filled from templates."""
