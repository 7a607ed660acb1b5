"""Failures after which nobody may simply go on: memory that ran out, and a GPU that answers no more. No torch here."""

from __future__ import annotations

import errno

_CUDA = "cuda error"
_LOST = (
    "device-side assert", "cudnn_status_execution_failed", "device is lost", "gpu is lost", "illegal memory access",
    "illegal instruction", "misaligned address", "unspecified launch failure", "uncorrectable ecc",
)  # fmt: skip
_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "bad alloc", "failed to allocate")
_CAPTURE = "captur"  # 'operation not permitted when stream is capturing': the recording is void, the GPU is well


def is_out_of_memory(error: BaseException) -> bool:
    """Out of main memory or of GPU memory; torch says the former with a plain RuntimeError."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _MEMORY)


def is_lost_device(error: BaseException) -> bool:
    """A GPU that fell off the bus or whose context is poisoned: every later call fails as well."""
    text = str(error).lower()
    if not isinstance(error, RuntimeError):
        return False
    return any(words in text for words in _LOST) or (_CUDA in text and _CAPTURE not in text)


def is_fatal(error: BaseException) -> bool:
    """Whether another way to compute the same would fail as well, or would hide that memory is short."""
    return is_out_of_memory(error) or is_lost_device(error)


def in_words(error: BaseException, limit: int = 160) -> str:
    """Type and first line of an error, cut where it is long: what a sentence can hold."""
    first = next(iter(str(error).strip().splitlines()), "")
    text = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + " ..."
