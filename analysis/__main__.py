"""Run as ``python -m analysis COMMAND``."""

from analysis.cli.main import run

if __name__ == "__main__":
    run()
