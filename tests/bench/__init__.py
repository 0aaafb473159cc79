"""How fast the workbench is on this machine: tagging, loading, starting; ``python -m mmner_core bench``."""
