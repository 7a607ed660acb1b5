"""What a picture or a film says of itself: the request that makes it again, inside PNG, MP4 and WebM files.

A PNG holds the request as JSON in a text entry, and the model's name and SHA-256 in another. Films hold a note in
the container's comment, written at the beginning, so that a file that was cut short has it too. What is read is never
trusted: sizes are limited, and every value must have its type (`app.request.from_json`).
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from app.errors import InputError
from app.frame import ModelInfo
from app.recording.film import Film, film_from_dict, film_to_dict
from app.request import RenderRequest, from_json, to_json

REQUEST_KEY = "stylescope"  # PNG text entry that holds the request as JSON
MODEL_KEY = "stylescope-model"  # ... the model's name and SHA-256
NOTE_KEY = "stylescope-recording"  # ... the note of a recording, on its contact sheet
FORMAT, VERSION = "stylescope-recording", 1  # of the note, as of the sidecar
PICTURES, FILMS = (".png",), (".mp4", ".webm")
LONG_NOTE, LARGEST_NOTE, LARGEST_JSON = 1 << 20, 16 << 20, 256 << 20  # characters, characters, bytes


@dataclass(frozen=True)
class Kept:
    """A state that a file holds. name, sha256: of the model, '' where the file does not say. looks: whether it says
    what is looked at besides the picture (`view`, `diagnostic`); films do not."""

    request: RenderRequest
    name: str = ""
    sha256: str = ""
    looks: bool = False


def png_info(request: RenderRequest, model: ModelInfo | None = None) -> PngInfo:
    """Text entries for a PNG that shows a request's picture."""
    info = PngInfo()
    info.add_text(REQUEST_KEY, json.dumps(to_json(request)))
    if model is not None:
        info.add_text(MODEL_KEY, json.dumps({"name": model.name, "sha256": model.sha256}))
    return info


def png_note(note: str) -> PngInfo:
    """Text entries for a PNG that stands for a recording."""
    info = PngInfo()
    info.add_text(NOTE_KEY, note)
    return info


def note(infos: Iterable[ModelInfo], walk: Film | None = None, request: RenderRequest | None = None) -> str:
    """What a film says of itself, JSON: its models, and its walk, timeline or performance, else (and where that would
    be very long) the request of its first frame."""
    values: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "models": [{"path": info.path, "name": info.name, "sha256": info.sha256} for info in infos],
    }
    if walk is not None:
        whole = json.dumps(values | film_to_dict(walk))
        if len(whole) <= LONG_NOTE:
            return whole
        request = walk.at(0)
    if request is not None:
        values["request"] = to_json(request)
    return json.dumps(values)


def read_state(path: Path) -> Kept | None:
    """The state that a PNG, MP4, WebM or JSON file holds: of a film, that of its first frame; None where it has none.

    A film without a note is asked for the sidecar beside it. Raises InputError with one sentence for damaged files.
    """
    suffix = path.suffix.lower()
    if suffix not in (*PICTURES, *FILMS, ".json") or not path.is_file():
        return None
    if suffix in PICTURES:
        return _of_png(path)
    if suffix in FILMS:
        return _of_film(path)
    return _of_json(path)


def request_from(values: Any, name: str) -> RenderRequest:
    """Plain JSON values -> a request; raises InputError that names the file."""
    try:
        return from_json(values)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError) as error:
        words = str(error)
        words = words if len(words) <= 120 else f"{words[:117]}..."
        raise InputError(f"{name}: the state in it is damaged ({words})") from error


def _of_png(path: Path) -> Kept | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a picture of very many pixels: they are not read here
            with Image.open(path, formats=("PNG",)) as image:
                texts = {key: text for key, text in image.info.items() if isinstance(text, str)}
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path.name}: not a PNG that can be read; was it cut short?") from error
    if (text := texts.get(REQUEST_KEY)) is not None:
        model = _parsed(texts.get(MODEL_KEY, "{}"), path.name)
        request = request_from(_parsed(text, path.name), path.name)
        return Kept(request, _word(model, "name"), _word(model, "sha256"), looks=True)
    if (text := texts.get(NOTE_KEY)) is not None:
        return _of_note(_parsed(text, path.name), path.name)
    return None


def _of_film(path: Path) -> Kept | None:
    import av

    from app.recording.sidecar import beside

    demuxer = "mp4" if path.suffix.lower() == ".mp4" else "matroska"
    try:
        with av.open(str(path), format=demuxer, metadata_errors="replace") as file:
            tags = {key.lower(): value for key, value in file.metadata.items()}
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name}: not a film that can be read; was it cut short?") from error
    text = tags.get("comment", "")
    if FORMAT in text:
        return _of_note(_parsed(text, path.name), path.name)
    return _of_json(beside(path)) if beside(path).is_file() else None


def _of_json(path: Path) -> Kept | None:
    """The first state of a recording's sidecar; None for any other JSON."""
    from app.recording import sidecar

    if path.stat().st_size > LARGEST_JSON:
        return None
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None  # other things are called .json as well: latents, numbers
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        return None
    made = sidecar.read(path)
    first = next(iter(made.requests()), None)
    if first is None:
        return None
    model = made.models[0] if made.models else {}
    return Kept(request_from(to_json(first[1]), path.name), model.get("name", ""), model.get("sha256", ""))


def _of_note(values: Mapping[str, Any], name: str) -> Kept:
    """The first frame's state of a note."""
    if values.get("format") != FORMAT or values.get("version") != VERSION:
        raise InputError(f"{name}: its note has version {values.get('version')}, this program reads {VERSION}")
    models = values.get("models")
    model = models[0] if isinstance(models, list) and models and isinstance(models[0], dict) else {}
    try:
        film = film_from_dict(values)
        found = values["request"] if film is None else to_json(film.at(0))
    except InputError as error:
        raise InputError(f"{name}: the walk in it is damaged ({error})") from error
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise InputError(f"{name}: the state in it is damaged ({type(error).__name__}: {error})") from error
    return Kept(request_from(found, name), _word(model, "name"), _word(model, "sha256"))


def _parsed(text: str, name: str) -> dict[str, Any]:
    """JSON -> a dict; raises InputError."""
    if len(text) > LARGEST_NOTE:
        raise InputError(f"{name}: the state in it has {len(text):,} characters, more than any that is written here")
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}: the state in it is damaged, it is no JSON") from error
    if not isinstance(values, dict):
        raise InputError(f"{name}: the state in it is damaged, it is {type(values).__name__}, not an object")
    return values


def _word(values: Mapping[str, Any], key: str) -> str:
    found = values.get(key, "")
    return found[:300] if isinstance(found, str) else ""
