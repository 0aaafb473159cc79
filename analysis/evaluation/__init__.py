"""Makes a run: plans, reads images and texts, tags in shards, writes tables."""
