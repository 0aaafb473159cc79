"""Heat maps of where the model looked, and whether that is where the named thing is."""
