"""Run as ``python -m mmner_core COMMAND``."""

from mmner_core.cli.main import run

if __name__ == "__main__":
    run()
