"""What the image contributed: with and without it, by Shapley value and in minimal pairs."""
