"""Exceptions -> Problem: title, facts, and what the user can do. Nothing here imports torch."""

from __future__ import annotations

from app.errors import DeviceError, InputError, LatentFileError, WriteError
from app.frame import Problem
from networks.failures import is_lost_device, is_out_of_memory


def describe(error: BaseException) -> Problem:
    """Return the words for a failure; an unforeseen one keeps its type and message."""
    name = type(error).__name__
    text = " ".join(str(error).split()) or name
    if name == "CheckpointError":
        return Problem("This file does not open", text, "Choose another file, or mend this one and retry.")
    if isinstance(error, LatentFileError):
        return Problem("This cannot be drawn", text, "Ctrl+Z goes back, and so does Plane in the Latent panel.")
    if isinstance(error, InputError):
        return Problem("This cannot be drawn", text)
    if isinstance(error, DeviceError):
        return Problem("No such device", text, "Choose another device in the Performance panel.")
    if isinstance(error, FileNotFoundError):
        return Problem(
            "The file is not there", f"{error.filename or text}: no such file", "Was it moved? Then open it."
        )
    if isinstance(error, PermissionError):
        return Problem("The file may not be read", f"{error.filename or text}: permission denied", "Check its owner.")
    if isinstance(error, WriteError):
        return Problem("Writing failed", text, "Choose a folder with free space that you may write to.")
    if is_out_of_memory(error):
        return Problem("Out of memory", shortened(text), "Close other programs, or choose the CPU or a smaller model.")
    if is_lost_device(error):
        return Problem("The GPU was lost", shortened(text), "Choose the CPU, or start the app anew to use the GPU.")
    if isinstance(error, OSError):
        return Problem("The file cannot be read", text, "Is the disk still there? Retry.")
    return Problem("Drawing failed", f"{name}: {shortened(text)}", "The terminal has the details.")


def is_expected(error: BaseException) -> bool:
    """Whether the cause lies outside the program, so that its sentence says all and no traceback is needed."""
    return (
        isinstance(error, InputError | DeviceError | OSError)
        or type(error).__name__ == "CheckpointError"
        or is_out_of_memory(error)
        or is_lost_device(error)
    )


def shortened(text: str, limit: int = 240) -> str:
    """Cut a long message at a word."""
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + " ..."


__all__ = ["describe", "is_expected", "is_lost_device", "is_out_of_memory", "shortened"]
