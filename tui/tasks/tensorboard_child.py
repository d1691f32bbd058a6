"""TensorBoard as a child process that ends with its input, so with a killed parent too.

`python -m tui.tasks.tensorboard_child ARGUMENTS`
"""

from __future__ import annotations

import os
import signal
import sys
from threading import Thread


def _follow() -> None:
    """Wait until nobody holds the other end of the input."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    Thread(target=_follow, name="parent", daemon=True).start()
    from tensorboard.main import run_main  # type: ignore[import-untyped]

    sys.argv[0] = "tensorboard"
    run_main()
