"""Run as ``python -m mmner_core COMMAND``."""

import sys

if __name__ == "__main__":
    try:  # the imports take long enough for a Ctrl-C
        from mmner_core.cli.main import run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
