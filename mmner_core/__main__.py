"""Run as ``python -m mmner_core COMMAND``."""

from mmner_core.runtime.interrupts import end_at_once

if __name__ == "__main__":
    end_at_once()  # the imports take long enough for a Ctrl-C
    from mmner_core.cli.main import run

    run()
