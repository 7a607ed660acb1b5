"""A photo as the network would have to draw it: opened, turned upright, brought to the model's shape."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from app.errors import InputError
from app.frame import Pixels
from app.projection.project import Target
from app.studies.projection import Photo
from networks.base import Generator

LARGEST = 100_000_000  # pixels; more is no photo
WHITE = np.float32(255)
LUMA = np.array([[0.299], [0.587], [0.114]], np.float32)  # ITU-R BT.601


@dataclass(frozen=True, eq=False)
class Prepared:
    """A photo in the model's shape: RGBA [H, W, 4], and where it counts, [H, W] of 0 and 1 (None: everywhere)."""

    pixels: Pixels
    counts: np.ndarray | None = None

    def target(self, generator: Generator, device: torch.device, bgr: bool = False) -> Target:
        """As the network draws it: [1, C, H, W] in -1..1. Where it has no alpha, the photo is laid on white."""
        values = self.pixels.astype(np.float32)
        colours, alpha = values[..., :3], values[..., 3:]
        channels = generator.spec.img_channels
        if channels not in (2, 4):
            share = alpha / 255
            colours = (colours * share + WHITE * (1 - share)).astype(np.float32)
        if channels <= 2:
            colours = (colours @ LUMA).astype(np.float32)
        elif bgr:
            colours = colours[..., ::-1]
        planes = np.concatenate([colours, alpha], axis=2) if channels in (2, 4) else colours
        picture = torch.from_numpy(np.ascontiguousarray(planes.transpose(2, 0, 1))[None] / 127.5 - 1).to(device)
        mask = None if self.counts is None else torch.from_numpy(self.counts)[None, None].to(device)
        return Target(picture, mask, bgr)


def prepare(photo: Photo, resolution: tuple[int, int]) -> Prepared:
    """Open a photo and bring it to (H, W). Raises InputError where it is no picture that can be read."""
    image = open_photo(Path(photo.path))
    return crop(image, resolution, photo.place) if photo.fit == "crop" else letterbox(image, resolution)


def open_photo(path: Path) -> Image.Image:
    """A picture file as RGBA, upright as its EXIF orientation says; of an animation the first picture."""
    try:
        with Image.open(path) as image:
            if image.width * image.height > LARGEST:
                raise InputError(
                    f"{path.name} has {image.width} x {image.height} pixels; make it smaller than {LARGEST:,} pixels"
                )
            image.load()
            return eight_bits(ImageOps.exif_transpose(image)).convert("RGBA")
    except FileNotFoundError as error:
        raise InputError(f"{path} is not there any more") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path.name} is no picture that can be read ({error}); take a PNG, JPEG or WebP") from error


def eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey pictures in 8 bits (Pillow would cut them off at 255); others as they are."""
    if not image.mode.startswith("I"):
        return image
    values = np.asarray(image).astype(np.float64) / 257
    return Image.fromarray(np.clip(values + 0.5, 0, 255).astype(np.uint8))


def crop(image: Image.Image, resolution: tuple[int, int], place: float = 0.5) -> Prepared:
    """The largest part of the shape (H, W), scaled to it."""
    height, width = resolution
    scale = min(image.width / width, image.height / height)
    wide, high = width * scale, height * scale
    place = min(1.0, max(0.0, place))
    left, top = (image.width - wide) * place, (image.height - high) * place
    return Prepared(
        pixels(image.resize((width, height), Image.Resampling.LANCZOS, (left, top, left + wide, top + high)))
    )


def letterbox(image: Image.Image, resolution: tuple[int, int]) -> Prepared:
    """The whole photo scaled into (H, W); bars in the mean colour of the photo's rim, which do not count."""
    height, width = resolution
    scale = min(width / image.width, height / image.height)
    wide, high = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    small = pixels(image.resize((wide, high), Image.Resampling.LANCZOS))
    rim = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]]).mean(axis=0)
    whole = np.empty((height, width, 4), np.uint8)
    whole[:] = np.round(rim)
    counts = np.zeros((height, width), np.float32)
    top, left = (height - high) // 2, (width - wide) // 2
    whole[top : top + high, left : left + wide] = small
    counts[top : top + high, left : left + wide] = 1.0
    return Prepared(whole, None if counts.all() else counts)


def pixels(image: Image.Image) -> Pixels:
    """RGBA -> uint8 [H, W, 4]."""
    return np.ascontiguousarray(np.asarray(image.convert("RGBA")))
