"""What is dropped on the window and nobody can use: one sentence on what it is, where, and what to do instead."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from app.recording.embedded import FILMS, PICTURES
from app.recording.sidecar import beside

MODELS = (".pkl", ".pt", ".pth", ".safetensors")
PHOTOS = (".png", ".jpg", ".jpeg", ".webp")  # that the Projection panel takes
MOST_LISTED = 10_000  # entries of a folder that are looked at
NAMED = 3
OTHERS = {  # suffixes that no model, latent or photo has
    "a film": (".mkv", ".mov", ".avi", ".m4v", ".wmv", ".mpg", ".mpeg", ".flv"),
    "an animation": (".gif", ".apng"),
    "a picture of a format that is not read": (".bmp", ".tif", ".tiff", ".heic", ".avif", ".exr", ".psd", ".svg"),
    "a sound": (".wav", ".mp3", ".flac", ".ogg", ".m4a", ".aac"),
    "a text": (".txt", ".md", ".csv", ".log", ".html", ".htm", ".pdf", ".docx", ".py"),
}
NO_STATE = {
    "picture": "Drop one that this app saved, or project it in the Projection panel.",
    "film": "Drop one that this app made, or save a frame of it as PNG or JPEG and drop that: it is projected.",
}
TO_DO = {
    "a film": "what this app filmed is an MP4 or WebM, which brings its state",
    "an animation": "drop its sidecar (.json), if this app made it",
    "a picture of a format that is not read": "save it as PNG, JPEG or WebP and drop it: it is projected",
    "a sound": "the app reads models, latents, directions, photos, and what it saved itself",
    "a text": "the app reads models, latents, directions, photos, and what it saved itself",
}


def refusal(path: str) -> str:
    """Why nobody should even look at it; '' for an ordinary file or a folder that is there."""
    place = Path(path)
    if place.is_file() or place.is_dir():
        return ""
    if place.exists():
        return f"{path} is no ordinary file but a pipe, socket or device; drop a file or a folder."
    return f"{path} is not there; was it moved?"


def foreign(path: str) -> str:
    """What a file is that brings nothing, by its name; '' where some panel may want it, or it may be a model."""
    name, suffix = Path(path).name, Path(path).suffix.lower()
    if suffix in (*PICTURES, *FILMS):
        kind = "picture" if suffix in PICTURES else "film"
        return f"{name} holds no state: it was made elsewhere, or its text entries were removed. {NO_STATE[kind]}"
    kind = next((kind for kind, suffixes in OTHERS.items() if suffix in suffixes), "")
    if not kind:
        return ""
    if kind == "an animation" and beside(Path(path)).is_file():
        return f"{name} is {kind} and holds no state; drop {beside(Path(path)).name}, which lies beside it and does."
    return f"{name} is {kind}, not a model; {TO_DO[kind]}."


def is_photo(path: str) -> bool:
    """Whether a panel may take the file as a photo."""
    return Path(path).suffix.lower() in PHOTOS


def about_folder(folder: Path) -> str:
    """What a folder is that is neither a training run nor a model."""
    try:
        names = [entry.name for entry, _ in zip(os.scandir(folder), range(MOST_LISTED), strict=False)]
    except OSError as error:
        return f"{folder} cannot be read: {error.strerror}; check its owner."
    models = sorted(name for name in names if name.lower().endswith(MODELS))
    pictures = sum(name.lower().endswith(PHOTOS) for name in names)
    if not names:
        return f"{folder} is an empty folder; open a checkpoint, or the folder of a training run."
    if models:
        one = "it" if len(models) == 1 else "one of them"
        return f"{folder} is no training run (it has no run.json), but holds {listed(models)}; open {one} by itself."
    if pictures:
        return (
            f"{folder} holds {pictures:,} picture{'s'[: pictures > 1]} and no model; drop a single photo to project it,"
            " or make a training set of them all: python main.py data folder."
        )
    return (
        f"{folder} holds no run.json, so it is no training run; open the folder that train --out wrote, or a checkpoint"
    )


def listed(names: Iterable[str]) -> str:
    """'a.pkl', 'a.pkl and b.pkl', 'a.pkl, b.pkl, c.pkl and 4 more'."""
    names = list(names)
    shown, more = names[:NAMED], len(names) - NAMED
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
