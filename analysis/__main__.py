"""Run as ``python -m analysis COMMAND``."""

from mmner_core.runtime.interrupts import end_at_once

if __name__ == "__main__":
    end_at_once()  # the imports take long enough for a Ctrl-C
    from analysis.cli.main import run

    run()
