"""How fast the workbench is on this machine: tagging, loading, starting, the tabs; ``python -m tests.bench``."""
