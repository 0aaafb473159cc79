"""Run as ``python -m tests.load [OPTIONS]``, or ``make load ARGS="[OPTIONS]"``."""

from mmner_core.runtime.interrupts import end_at_once

if __name__ == "__main__":
    end_at_once()  # the imports take long enough for a Ctrl-C
    from tests.load.command import load_test
    from tests.tool import run_tool

    run_tool(load_test, "python -m tests.load")
