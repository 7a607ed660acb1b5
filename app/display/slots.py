"""The two ways a picture reaches a Dear PyGui texture: straight into its GL texture, or as a float32 raw texture.

A slot owns one Dear PyGui texture for the whole life of the window; textures are never deleted (Dear PyGui leaks a
buffer with each, and on some drivers crashes). `textures.TexturePool` hands slots out and takes them back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import dearpygui.dearpygui as dpg
import numpy as np
from numpy.typing import NDArray
from OpenGL import GL

Tag = int | str  # of a Dear PyGui item
Picture = NDArray[np.uint8]  # [H, W, 4], RGBA, straight alpha

SIGNATURE_SIZE = 8  # a fresh GL slot is 8x8 pixels of random colour, by which its GL texture is found
LARGEST_REPEAT = 8
PADDING = 2  # a row and column of a raw texture after the picture, and one before it across the border
GL_NAMES_SEARCHED = 4096  # drivers hand out texture names from 1 upwards; a whole session uses fewer than a hundred


class Slot(Protocol):
    """One Dear PyGui texture that shows the last uploaded picture."""

    @property
    def tag(self) -> Tag: ...  # for dpg.add_image and dpg.draw_image

    @property
    def uv_max(self) -> tuple[float, float]: ...  # the picture's lower right corner in texture coordinates

    @property
    def ready(self) -> bool: ...  # whether upload may be called

    def fits(self, width: int, height: int) -> bool: ...

    def upload(self, rgba: Picture, linear: bool) -> None: ...

    def shrink(self) -> None: ...  # gives memory back while nobody uses the slot


class GlSlot:
    """A static Dear PyGui texture whose GL texture we fill ourselves with uint8, without conversion or delay.

    Dear PyGui makes the GL texture in the next frame; `find_gl_names` then finds it by the signature.
    """

    uv_max = (1.0, 1.0)

    def __init__(self, registry: Tag, rng: np.random.Generator) -> None:
        self.signature = rng.integers(0, 256, (SIGNATURE_SIZE, SIGNATURE_SIZE, 4), dtype=np.uint8)
        self.signature[..., 3] = 0  # invisible should it be drawn before the first picture
        values = (self.signature.ravel() / 255.0).tolist()
        self.tag: Tag = dpg.add_static_texture(SIGNATURE_SIZE, SIGNATURE_SIZE, values, parent=registry)
        self.name = 0  # of the GL texture, 0 until it is found
        self._storage = (SIGNATURE_SIZE, SIGNATURE_SIZE)  # width, height that the GL texture has now
        self._linear: bool | None = None  # as the GL texture has it; None: not set by us yet

    @property
    def ready(self) -> bool:
        return self.name != 0

    def fits(self, width: int, height: int) -> bool:
        return True

    def upload(self, rgba: Picture, linear: bool) -> None:
        height, width = rgba.shape[:2]
        with _bound(self.name):
            if (width, height) != self._storage:
                GL.glTexImage2D(
                    GL.GL_TEXTURE_2D, 0, GL.GL_RGBA8, width, height, 0, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE, rgba
                )
                self._storage = (width, height)
            else:
                GL.glTexSubImage2D(GL.GL_TEXTURE_2D, 0, 0, 0, width, height, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE, rgba)
            if linear != self._linear:
                self._set_filter(linear)

    def _set_filter(self, linear: bool) -> None:
        self._linear = linear
        mode = GL.GL_LINEAR if linear else GL.GL_NEAREST
        GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_MIN_FILTER, mode)
        GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_MAG_FILTER, mode)
        # Dear PyGui leaves GL_REPEAT, which bleeds the opposite edge into a linearly filtered border.
        GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_WRAP_S, GL.GL_CLAMP_TO_EDGE)
        GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_WRAP_T, GL.GL_CLAMP_TO_EDGE)

    def read_back(self) -> Picture:
        """The texture's content as the driver holds it, [H, W, 4]."""
        width, height = self._storage
        with _bound(self.name):
            GL.glPixelStorei(GL.GL_PACK_ALIGNMENT, 1)
            data = GL.glGetTexImage(GL.GL_TEXTURE_2D, 0, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE)
        return np.frombuffer(data, np.uint8).reshape(height, width, 4)

    def shrink(self) -> None:
        if self.ready:
            self.upload(np.zeros((1, 1, 4), np.uint8), linear=True)


class RawSlot:
    """A float32 raw texture of fixed capacity; Dear PyGui uploads all of it in every frame, shown or not.

    The picture lies in the upper left corner, so `uv_max` is less than 1. Dear PyGui always filters it linearly;
    'nearest' is imitated by repeating each pixel as often as the capacity allows.
    """

    ready = True

    def __init__(self, registry: Tag, width: int, height: int) -> None:
        self.capacity = (width, height)
        # Dear PyGui keeps this array and reads it in every frame: never replace it, only write into it.
        self._pixels = np.zeros((height + PADDING, width + PADDING, 4), np.float32)
        pixels: Any = self._pixels.ravel()  # a view; Dear PyGui's annotation knows lists only
        self.tag: Tag = dpg.add_raw_texture(
            width + PADDING, height + PADDING, pixels, format=dpg.mvFormat_Float_rgba, parent=registry
        )
        self._used = (width, height)

    @property
    def uv_max(self) -> tuple[float, float]:
        return self._used[0] / (self.capacity[0] + PADDING), self._used[1] / (self.capacity[1] + PADDING)

    def fits(self, width: int, height: int) -> bool:
        return width <= self.capacity[0] and height <= self.capacity[1]

    def upload(self, rgba: Picture, linear: bool) -> None:
        if not linear and (repeat := self._repeat(rgba)) > 1:
            rgba = rgba.repeat(repeat, axis=0).repeat(repeat, axis=1)
        height, width = rgba.shape[:2]
        self._used = (width, height)
        pixels = self._pixels
        np.multiply(rgba, np.float32(1 / 255), out=pixels[:height, :width])
        # Linear filtering mixes in what lies around the picture, also across the texture's border: continue its edges.
        pixels[:height, width], pixels[:height, -1] = pixels[:height, width - 1], pixels[:height, 0]
        pixels[height], pixels[-1] = pixels[height - 1], pixels[0]

    def _repeat(self, rgba: Picture) -> int:
        height, width = rgba.shape[:2]
        return max(1, min(self.capacity[0] // width, self.capacity[1] // height, LARGEST_REPEAT))

    def shrink(self) -> None:
        self._pixels[:] = 0.0


def find_gl_names(slots: list[GlSlot]) -> dict[Tag, int]:
    """Looks through the GL textures for the slots' signatures -> {slot's tag: GL name} of those that were found."""
    wanted = {slot.signature.tobytes(): slot.tag for slot in slots}
    found: dict[Tag, int] = {}
    previous = GL.glGetIntegerv(GL.GL_TEXTURE_BINDING_2D)
    for name in range(1, GL_NAMES_SEARCHED):
        if len(found) == len(slots):
            break
        if GL.glIsTexture(name) and (tag := wanted.get(_signature_of(name))) is not None:
            found[tag] = name
    GL.glBindTexture(GL.GL_TEXTURE_2D, previous)
    return found


def _signature_of(name: int) -> bytes:
    """The content of GL texture `name` when it is of a signature's size, else nothing."""
    GL.glBindTexture(GL.GL_TEXTURE_2D, name)
    for side in (GL.GL_TEXTURE_WIDTH, GL.GL_TEXTURE_HEIGHT):
        if int(GL.glGetTexLevelParameteriv(GL.GL_TEXTURE_2D, 0, side)) != SIGNATURE_SIZE:
            return b""
    return bytes(GL.glGetTexImage(GL.GL_TEXTURE_2D, 0, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE))


@contextmanager
def _bound(name: int) -> Iterator[None]:
    """Binds a GL texture for an upload and leaves the state as Dear PyGui expects it.

    A pixel buffer left bound would turn its other textures black.
    """
    previous: Any = GL.glGetIntegerv(GL.GL_TEXTURE_BINDING_2D)
    GL.glBindBuffer(GL.GL_PIXEL_UNPACK_BUFFER, 0)
    GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 1)
    GL.glPixelStorei(GL.GL_UNPACK_ROW_LENGTH, 0)
    GL.glBindTexture(GL.GL_TEXTURE_2D, name)
    try:
        yield
    finally:
        GL.glBindTexture(GL.GL_TEXTURE_2D, previous)
        GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 4)
