"""Where frames go: MP4 or WebM, an animated GIF, a folder of PNG or EXR files, a contact sheet. One file for each.

Used by the writer's thread only. Frames have one fixed size and come with the second at which they are shown.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from app.errors import InputError, WriteError
from app.recording.sinks.base import Encoding, Shot, Sink, Tee, refused
from app.recording.sinks.folder import PngSink, save_png
from app.recording.sinks.gif import GifSink

KINDS = {"mp4": ".mp4", "webm": ".webm", "gif": ".gif", "sheet": ".png", "folder": ""}

FORMATS = {  # what a person chooses: the end of the file's name, and how it is written
    "mp4": (".mp4", Encoding()),
    "webm": (".webm", Encoding()),
    "gif": (".gif", Encoding()),
    "png": ("", Encoding()),
    "exr": ("", Encoding(folder="half")),
    "sheet": ("-sheet.png", Encoding()),
}

__all__ = ["FORMATS", "KINDS", "Encoding", "Shot", "Sink", "kind_of", "open_sink", "refused", "save_png"]


def kind_of(path: Path) -> str:
    """'mp4', 'webm', 'gif', 'sheet' or 'folder' from the name of what is to be written."""
    suffix = path.suffix.lower()
    for kind, known in KINDS.items():
        if suffix == known:
            return kind
    raise InputError(
        f"{path.name}: a recording is .mp4, .webm, .gif, .png (a contact sheet), or a folder of pictures (no suffix)"
    )


def open_sink(
    path: Path, size: tuple[int, int], fps: Fraction | None, encoding: Encoding | None = None, note: str = ""
) -> Sink:
    """Make the sink for a path. size: (W, H) of the frames. fps: the exact rate; None where time stamps vary.

    note: text that the file carries (app/recording/embedded.py), in the containers that can.
    """
    encoding = encoding or Encoding()
    kind = kind_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{path.parent}: the folder cannot be made, {error.strerror or error}") from error
    sink = _open(kind, path, size, fps, encoding, note)
    if encoding.sheet and kind != "sheet":
        from app.recording.sinks.contact import ContactSheet, beside

        return Tee(sink, ContactSheet(beside(path), encoding.sheet, note))
    return sink


def _open(kind: str, path: Path, size: tuple[int, int], fps: Fraction | None, encoding: Encoding, note: str) -> Sink:
    if kind in ("mp4", "webm"):
        from app.recording.sinks.video import VideoSink

        return VideoSink(path, size, fps, encoding, note)
    if kind == "gif":
        return GifSink(path, size, fps)
    if kind == "sheet":
        from app.recording.sinks.contact import ContactSheet

        return ContactSheet(path, encoding.sheet or 12, note)
    if encoding.folder == "png":
        return PngSink(path)
    from app.recording.sinks.exr import ExrSink

    return ExrSink(path, encoding.folder, fps)
