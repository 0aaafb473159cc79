"""Where the model looked, and whether it is where the named thing is."""
