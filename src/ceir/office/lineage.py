"""Processes that end with the one that started them, however that one ends."""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_LOOK_SECONDS = 1.0


def end_with_parent() -> Callable[[], None]:
    """What a child is to call before its program is loaded: Linux then sends it SIGTERM when its parent dies.

    Other systems leave it running; a service manager ends it there.
    """
    if not sys.platform.startswith("linux"):
        return lambda: None
    library = ctypes.CDLL(None)
    parent = os.getpid()

    def prepare() -> None:
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def watch_parent(parent: int, grace: float) -> None:
    """End this process with SIGTERM once its parent is another than it was, and by force if that takes long.

    Why by force: whoever would have done that is the parent that is gone.

    Args:
        grace: seconds that it may take to end in good order.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(grace)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True, name="parent").start()
