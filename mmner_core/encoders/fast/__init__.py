"""Forms of the encoders that compute the same in less time."""
