"""Run as ``python -m analysis COMMAND``."""

import sys

if __name__ == "__main__":
    try:  # the imports take long enough for a Ctrl-C
        from analysis.cli.main import run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
