"""Requests that are kept with a name and a small picture, as plain JSON values and back. No GUI in here."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image

from app.frame import Pixels
from app.request import RenderRequest, from_json, to_json
from app.studies.picture_list import shown_part
from widgets.request_words import lines, short_name

THUMBNAIL = 96  # px of the longer side
LARGEST = 512  # px, of a thumbnail that is read
JPEG_QUALITY = 88


@dataclass(frozen=True, eq=False)
class Kept:
    """A request, what it is called, and how it looks: RGBA, None where that is not known (any more)."""

    request: RenderRequest
    name: str
    thumbnail: Pixels | None = None

    @classmethod
    def of(cls, request: RenderRequest, thumbnail: Pixels | None = None) -> Kept:
        """Under the name that it gets by itself, without what is measured or how often it was tried."""
        request = replace(request, measures=(), max_height=None, model=replace(request.model, attempt=0))
        return cls(request, short_name(request), thumbnail)

    @cached_property
    def shown(self) -> RenderRequest:
        """What of the request decides its picture."""
        return shown_part(self.request)

    @cached_property
    def lines(self) -> str:
        """What the request shows, a line each."""
        return lines(self.request)

    @cached_property
    def plain(self) -> Mapping[str, Any]:
        """As JSON values; made once, because sessions ask for it every few seconds."""
        values = {"name": self.name, "request": to_json(self.request)}
        return values if self.thumbnail is None else values | {"thumbnail": encoded(self.thumbnail)}


def kept_from(values: Any) -> Kept | None:
    """The inverse of `Kept.plain`; None for what is no such thing, without its picture where that is damaged."""
    if not isinstance(values, dict) or not isinstance(values.get("request"), dict):
        return None
    try:
        request = from_json(values["request"])
    except (ValueError, TypeError, AttributeError):
        return None
    name = values.get("name")
    return Kept(request, name if isinstance(name, str) else short_name(request), decoded(values.get("thumbnail")))


def encoded(pixels: Pixels) -> str:
    """RGBA -> base64 of a JPEG, or of a PNG where something is transparent."""
    opaque = bool((pixels[..., 3] == 255).all())
    stream = io.BytesIO()
    if opaque:
        Image.fromarray(np.ascontiguousarray(pixels[..., :3])).save(stream, "JPEG", quality=JPEG_QUALITY)
    else:
        Image.fromarray(pixels).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode("ascii")


def decoded(text: Any) -> Pixels | None:
    """base64 of a JPEG or PNG of at most LARGEST px -> RGBA; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        image = Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=("JPEG", "PNG"))
        if max(image.size) > LARGEST:
            return None
        return np.asarray(image.convert("RGBA"))
    except (ValueError, OSError, SyntaxError):
        return None
