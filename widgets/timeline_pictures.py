"""The keyframes' pictures: taken from frames where one shows a keyframe, else drawn in the background."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from app.frame import Frame
from app.request import RenderRequest
from app.studies.picture_list import reduced, shown_part
from app.timeline.draft import Draft
from widgets.panel import Actions, Texture
from widgets.small_pictures import SmallPictures

SIDE = 96  # px of a picture in the texture
ACROSS = 32  # pictures beside each other in the texture
KEPT = 500  # pictures taken from frames
Corner = tuple[float, float]


class KeyPictures:
    """`update` once per loop; `of` gives what is known now."""

    def __init__(self, actions: Actions) -> None:
        self.small = SmallPictures(actions)
        self._taken: dict[RenderRequest, np.ndarray] = {}
        self._looked: tuple[object, ...] = ()
        self._of: object = ()
        self._wanted: list[RenderRequest] = []

    def update(self, draft: Draft, frame: Frame | None, visible: bool) -> tuple[np.ndarray | None, ...]:
        """Take the frame's picture where it is a keyframe's; ask for the others while they are in sight."""
        if draft.keyframes != self._of:
            self._of, self._wanted = draft.keyframes, [shown_part(keyframe.request) for keyframe in draft.keyframes]
        wanted = self._wanted
        if frame is not None and (draft.keyframes, frame.serial) != self._looked:
            self._looked = (draft.keyframes, frame.serial)
            self._take(frame, wanted)
        self.small.want(tuple(dict.fromkeys(each for each in wanted if each not in self._taken)), SIDE)
        self.small.update(visible)
        return tuple(self._taken.get(each, self.small.of(each).pixels) for each in wanted)

    def _take(self, frame: Frame, wanted: Sequence[RenderRequest]) -> None:
        if not frame.complete or frame.picture is None or frame.problem is not None:
            return
        shown = shown_part(frame.request)
        if shown in wanted and shown not in self._taken:
            self._taken[shown] = reduced(frame.picture, SIDE)
            while len(self._taken) > KEPT:
                del self._taken[next(iter(self._taken))]


class Atlas:
    """Many small pictures in one texture."""

    def __init__(self, texture: Callable[[], Texture]) -> None:
        self.texture = texture()
        self._pictures: tuple[np.ndarray | None, ...] = ()
        self._size = (1, 1)  # (H, W)

    def show(self, pictures: Sequence[np.ndarray | None]) -> bool:
        """Hold these; whether they are others than before."""
        made = tuple(pictures)
        same = len(made) == len(self._pictures) and all(a is b for a, b in zip(made, self._pictures, strict=True))
        if same:
            return False
        self._pictures = made
        rows = -(-len(made) // ACROSS)
        self._size = (max(1, rows) * SIDE, min(max(1, len(made)), ACROSS) * SIDE)
        sheet = np.zeros((*self._size, 4), np.uint8)
        for number, picture in enumerate(made):
            if picture is not None:
                self._put(sheet, number, picture)
        self.texture.upload(sheet)
        return True

    def place(self, number: int) -> tuple[Corner, Corner] | None:
        """(uv_min, uv_max) of a picture; None where there is none."""
        if number >= len(self._pictures) or self._pictures[number] is None:
            return None
        u, v = self.texture.uv_max
        top, left = number // ACROSS * SIDE, number % ACROSS * SIDE
        height, width = self._size
        return (u * left / width, v * top / height), (u * (left + SIDE) / width, v * (top + SIDE) / height)

    def _put(self, sheet: np.ndarray, number: int, picture: np.ndarray) -> None:
        """In the middle of its square, the longer side as long as that; small pictures keep hard pixel edges."""
        height, width = (max(1, round(side * SIDE / max(picture.shape[:2]))) for side in picture.shape[:2])
        rows, columns = np.arange(height) * picture.shape[0] // height, np.arange(width) * picture.shape[1] // width
        large = picture[rows][:, columns]
        top = number // ACROSS * SIDE + (SIDE - large.shape[0]) // 2
        left = number % ACROSS * SIDE + (SIDE - large.shape[1]) // 2
        sheet[top : top + large.shape[0], left : left + large.shape[1]] = large
