"""A pool of picture slots: what every panel draws its pictures from.

    picture = pool.create()
    picture.upload(rgba)                                        # uint8 [H, W, 4]
    dpg.configure_item(image, texture_tag=picture.tag, uv_max=picture.uv_max, width=w, height=h)

Backend 'gl' writes uint8 straight into Dear PyGui's GL textures; 'raw' is Dear PyGui's own float32 raw texture, for
systems where it does not draw with OpenGL (Windows, macOS) or where the self-test fails. `pool.backend` and
`pool.reason` say which one it is and why. Main thread only: uploads from another thread silently do nothing.
"""

import logging
from typing import Literal

import dearpygui.dearpygui as dpg
import numpy as np
from OpenGL import GL
from OpenGL.error import Error as GLError

from app.display import native
from app.display.slots import GlSlot, Picture, RawSlot, Slot, Tag, find_gl_names

log = logging.getLogger("stylescope.display")

Backend = Literal["auto", "gl", "raw"]
SPARE_SLOTS = 6  # GL slots kept attached and ready, so that a new picture shows at once
FRAMES_TO_ATTACH = 4  # a static texture gets its GL texture in the first frame; after a few it never will
SMALLEST_RAW = 256  # pixels on a side
LARGEST_RAW = 8192  # pixels on a side; a square float32 picture of this size takes 1 GB already


class PictureTexture:
    """One picture on the screen. Read `tag`, `size`, `uv_max` after every upload: the raw backend may change them."""

    def __init__(self, pool: "TexturePool", slot: Slot) -> None:
        self._pool = pool
        self._slot: Slot | None = slot
        self._linear = True
        self._picture: Picture | None = None

    @property
    def slot(self) -> Slot:
        """The texture behind this picture; RuntimeError after release()."""
        if self._slot is None:
            raise RuntimeError("This picture was released; create a new one from the pool.")
        return self._slot

    @property
    def tag(self) -> Tag:
        """Dear PyGui texture for add_image and draw_image."""
        return self.slot.tag

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the last picture in pixels; (0, 0) before the first."""
        return (0, 0) if self._picture is None else (self._picture.shape[1], self._picture.shape[0])

    @property
    def uv_max(self) -> tuple[float, float]:
        """Texture coordinates of the picture's lower right corner; uv_min is always (0, 0)."""
        return self.slot.uv_max

    def upload(self, rgba: Picture) -> None:
        """Shows uint8 [H, W, 4] RGBA from the next frame on. The array must not be changed afterwards."""
        slot = self.slot
        rgba = self._pool.checked(rgba)
        height, width = rgba.shape[:2]
        if not slot.fits(width, height):
            self._slot = self._pool.exchange(slot, width, height)
        self._picture = rgba
        self._refresh()

    def set_filter(self, linear: bool) -> None:
        """Linear (smooth) or nearest (hard pixel edges) when the picture is drawn larger than it is."""
        if linear != self._linear:
            self._linear = linear
            self._refresh()

    def release(self) -> None:
        """Gives the slot back to the pool; delete or re-point the items that draw it before."""
        if self._slot is not None:
            self._pool.take_back(self)
        self._slot = self._picture = None

    def moved_to(self, slot: Slot) -> None:
        """The pool calls this when the slot changed or became ready."""
        self._slot = slot
        self._refresh()

    def _refresh(self) -> None:
        if self._picture is not None and self.slot.ready:
            self.slot.upload(self._picture, self._linear)


class TexturePool:
    """Hands out picture slots and takes them back; textures live as long as the window.

    Create it after dpg.create_context, before or after show_viewport, and call service() after every frame.
    """

    def __init__(self, backend: Backend = "auto", spare: int = SPARE_SLOTS) -> None:
        self._registry: Tag = dpg.add_texture_registry()
        self._rng = np.random.default_rng()
        self._largest_side: int | None = None  # pixels that the driver takes, asked once
        self._pictures: set[PictureTexture] = set()
        self._free: list[Slot] = []
        self._pending: list[GlSlot] = []  # not found in GL yet; each is also free or in a picture
        self._frames_pending = 0
        self._spare = spare
        self._tested = False
        self.backend: Literal["gl", "raw"] = "raw" if backend == "raw" else "gl"
        self.reason = "asked for" if backend == "raw" else "not tested yet"
        if backend == "auto" and not native.available():
            self._fall_back("Dear PyGui does not draw with an OpenGL context that can be reached here")
        self._add_spares()

    @property
    def decided(self) -> bool:
        """Whether the backend is settled: from the second frame on."""
        return self.backend == "raw" or self._tested

    def create(self) -> PictureTexture:
        """A picture slot. With the gl backend its first upload shows in the next frame, or the one after."""
        picture = PictureTexture(self, self._take_slot(1, 1))
        self._pictures.add(picture)
        return picture

    def service(self) -> None:
        """After every frame: finds the GL textures of new slots, tests the first one, keeps spare ones ready."""
        if self._pending:
            self._attach_pending()
        else:
            self._add_spares()

    def checked(self, rgba: Picture) -> Picture:
        """The picture in the layout that both backends need, or a ValueError that says what is wrong with it."""
        if rgba.dtype != np.uint8 or rgba.ndim != 3 or rgba.shape[2] != 4 or 0 in rgba.shape:
            raise ValueError(
                f"A picture for the screen is {rgba.dtype} {list(rgba.shape)}, expected uint8 [H, W, 4] with H, W > 0."
            )
        largest = self._ask_largest_side()
        if max(rgba.shape[:2]) > largest:
            raise ValueError(
                f"The picture is {rgba.shape[1]}x{rgba.shape[0]} pixels, the display takes up to {largest} on a side; "
                "show a smaller one."
            )
        return np.ascontiguousarray(rgba)

    def exchange(self, slot: Slot, width: int, height: int) -> Slot:
        """A slot that holds width x height for one that does not; the small one becomes free."""
        larger = self._take_slot(width, height)
        slot.shrink()
        self._free.append(slot)
        return larger

    def take_back(self, picture: PictureTexture) -> None:
        """The slot of a released picture becomes free."""
        self._pictures.discard(picture)
        picture.slot.shrink()
        self._free.append(picture.slot)

    def _take_slot(self, width: int, height: int) -> Slot:
        for slot in self._free:
            if isinstance(slot, RawSlot) == (self.backend == "raw") and slot.fits(width, height):
                self._free.remove(slot)
                return slot
        if self.backend == "raw":
            return RawSlot(self._registry, _capacity(width), _capacity(height))
        return self._new_gl_slot()

    def _new_gl_slot(self) -> GlSlot:
        slot = GlSlot(self._registry, self._rng)
        self._pending.append(slot)
        self._frames_pending = 0
        return slot

    def _add_spares(self) -> None:
        if self.backend == "gl":
            self._free.extend(self._new_gl_slot() for _ in range(self._spare - len(self._free)))

    def _attach_pending(self) -> None:
        self._frames_pending += 1
        names = find_gl_names(self._pending)
        found = [slot for slot in self._pending if slot.tag in names]
        for slot in found:
            slot.name = names[slot.tag]
        if found and not self._tested and not self._self_test(found[0]):
            return
        self._pending = [slot for slot in self._pending if not slot.ready]
        for picture in [picture for picture in self._pictures if picture.slot in found]:
            picture.moved_to(picture.slot)
        if self._pending and self._frames_pending >= FRAMES_TO_ATTACH:
            self._fall_back(f"{len(self._pending)} GL textures were not found within {FRAMES_TO_ATTACH} frames")

    def _self_test(self, slot: GlSlot) -> bool:
        """Uploads random pictures of changing size and compares what the driver gives back, byte for byte."""
        try:
            for width, height in ((7, 5), (7, 5), (16, 3)):
                picture = self._rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
                slot.upload(picture, linear=True)
                if not np.array_equal(slot.read_back(), picture):
                    self._fall_back(f"a {width}x{height} picture came back changed from its GL texture")
                    return False
        except GLError as error:
            self._fall_back(f"the driver refused an upload ({type(error).__name__}: {error})")
            return False
        self._tested, self.reason = True, "self-test passed"
        return True

    def _fall_back(self, reason: str) -> None:
        """From now on raw textures. Pictures move over; after a passed self-test those that work stay."""
        log.warning("Pictures go through float32 raw textures, which is slower: %s.", reason)
        self.backend, self.reason = "raw", reason
        self._pending = []
        for picture in self._pictures:
            if not (self._tested and picture.slot.ready):
                picture.moved_to(self._take_slot(*picture.size))

    def _ask_largest_side(self) -> int:
        if self._largest_side is None:
            if self.backend == "raw" or native.current_window() is None:
                return LARGEST_RAW
            self._largest_side = int(GL.glGetIntegerv(GL.GL_MAX_TEXTURE_SIZE))
        return self._largest_side


def _capacity(side: int) -> int:
    """Next power of two, so that a growing picture changes its texture rarely."""
    return max(SMALLEST_RAW, 1 << (max(side, 1) - 1).bit_length())
