"""The command line of the analysis, one file per command; whatever is heavy is imported inside the command."""
