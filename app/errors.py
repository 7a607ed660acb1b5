"""What a person can do wrong, said in one sentence; and failures turned into what the window shows."""

from __future__ import annotations


class InputError(ValueError):
    """The request cannot be drawn as asked: subject, numbers and remedy in one sentence."""


class LatentFileError(InputError):
    """A latent file does not fit the model, or is none; in the window the point before is a step away."""


class DeviceError(RuntimeError):
    """The device asked for is not there."""


class WriteError(OSError):
    """A file could not be written: full disk, no permission, folder gone."""
