"""Run as ``python -m tests.bench [OPTIONS]``, or ``make bench ARGS="[OPTIONS]"``."""

from mmner_core.runtime.interrupts import end_at_once

if __name__ == "__main__":
    end_at_once()  # the imports take long enough for a Ctrl-C
    from tests.bench.command import bench
    from tests.tool import run_tool

    run_tool(bench, "python -m tests.bench")
