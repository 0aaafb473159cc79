"""The three encoders of the paper's figure, each callable alone."""
