"""Whether the compiled kernels are there: numba loads in the background, and what it compiled once is kept on disk.

Until they are, and where numba is missing or cannot run, the same operations run in torch. Their values differ in the
last bits, so whoever promises equal bits (recordings, the command line) calls `settle` first.
"""

from __future__ import annotations

import importlib
import logging
import threading
from types import ModuleType

log = logging.getLogger("stylescope")
_lock = threading.Lock()
_thread: threading.Thread | None = None
_kernels: ModuleType | None = None
why_not = ""  # why there are none, in words


def kernels() -> ModuleType | None:
    """`networks.ops.kernels`, or None as long as (or because) there are none; never waits."""
    return _kernels


def filter_kernels() -> ModuleType | None:
    """`networks.ops.filter_kernels`, or None like `kernels`."""
    return _beside("filter_kernels")


def up_kernels() -> ModuleType | None:
    """`networks.ops.up_kernels`, or None like `kernels`."""
    return _beside("up_kernels")


def _beside(name: str) -> ModuleType | None:
    return None if _kernels is None else importlib.import_module(f"networks.ops.{name}")


def is_settled() -> bool:
    """Whether it is known if there are any: from then on an operation has the same bits."""
    return _kernels is not None or bool(why_not)


def start() -> None:
    """Begin to load them, once, in a thread of their own."""
    global _thread
    with _lock:
        if _thread is None:
            _thread = threading.Thread(target=_load, name="compile", daemon=True)
            _thread.start()


def settle() -> bool:
    """Wait until it is decided; True when the kernels are there."""
    start()
    assert _thread is not None
    _thread.join()
    return _kernels is not None


def _load() -> None:
    global _kernels, why_not
    try:
        found = importlib.import_module("networks.ops.kernels")
        for name in ("filter_kernels", "up_kernels"):
            importlib.import_module(f"networks.ops.{name}")
        _kernels = found
    except ImportError as error:
        why_not = f"numba is not installed ({error})"
    except Exception as error:  # numba refuses a platform or a version in many ways; torch computes all the same
        why_not = f"numba does not run here ({type(error).__name__}: {error})"
        log.warning("%s; pictures are drawn without compiled kernels", why_not)
