"""The command line: one file per command; whatever is heavy is imported inside the command that needs it."""
