"""Which image each sentence is shown: its own, another's, a corrupted one or none."""
