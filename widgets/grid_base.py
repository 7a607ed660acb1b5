"""What the panels with small pictures share: whose settings they draw with, and what fits into them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState, ModelInfo
from app.request import RenderRequest
from app.studies import Study, StudyState
from app.studies.picture_list import Small, shown_part
from app.studies.picture_sheet import PictureSheet, Sheet
from widgets import look
from widgets.canvas import Canvas
from widgets.cell_grid import Cell, CellGrid, Plan
from widgets.flow import Flow
from widgets.icons import icon
from widgets.panel import Actions, Panel, StudyHandle
from widgets.rows import Button
from widgets.small_pictures import SmallPictures

EXACT_HINT = (
    "Draw every picture to the end and average it down. Otherwise a large generator is left at the first resolution"
    " that is large enough, which is quicker; what its finer layers add is then missing, unless they are quick."
)
MARGIN = 12.0  # screen pixels at scale 1 that stay free under a grid


class GridPanel(Panel):
    """A panel whose small pictures follow the settings of the picture on the screen; sub-classes build `grid`.

    `base` is that picture's request without what only looks at it; None until a model has drawn one.
    """

    grid: CellGrid
    tools: Flow
    save: Button

    def __init__(self, actions: Actions) -> None:
        super().__init__(actions)
        self.pictures = SmallPictures(actions)
        self.base: RenderRequest | None = None
        self.sheet = SheetBox(actions)
        self._shown: tuple[object, ...] = ()  # what the grid was laid out for

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow_picture(frame)
        self.show_grid(self.base is not None)

    def show_grid(self, ready: bool) -> None:
        """Lay out and draw while somebody looks. ready: there is something to draw."""
        self.sheet.update()
        self.tools.update()
        self.tools.rename(self.save, self.sheet.words or f"{icon('download')}  Sheet")
        self.save.enabled = ready
        visible = self.visible() and ready
        if visible:
            self._lay_out()
        if self.pictures.update(visible) and visible:
            self._fill()
        self.grid.update()

    def _lay_out(self) -> None:
        """Decide what fits, and which pictures that takes."""
        raise NotImplementedError

    def _fill(self) -> None:
        """Put what has been drawn into the grid."""
        raise NotImplementedError

    def follow_picture(self, frame: Frame | None) -> bool:
        """Take the settings of a picture that is there; whether they are others than before."""
        self.follow(frame)
        if frame is None or frame.picture is None or frame.problem is not None or frame.model != self.model:
            return False
        base = shown_part(frame.request)
        if base == self.base:
            return False
        self.base = base
        return True

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        self.pictures.forget()
        self.base, self._shown = None, ()
        self.grid.show((), Plan())

    @property
    def ratio(self) -> float:
        """Height over width of the model's pictures."""
        return 1.0 if self.model is None else self.model.resolution[0] / self.model.resolution[1]

    def room(self, canvas: Canvas) -> tuple[float, float]:
        """Width and height in screen pixels that a canvas may take down to the panel's lower edge."""
        bottom = dpg.get_item_pos(self.window_id)[1] + (dpg.get_item_height(self.window_id) or 0)
        height = bottom - dpg.get_item_rect_min(canvas.drawlist)[1] - look.pixels(MARGIN)
        return float(dpg.get_item_rect_size(canvas.canvas)[0]), max(1.0, float(height))

    def tick(self, seconds: float) -> None:
        self.pictures.tick(seconds)


def cell_of(small: Small, former: Cell | None, like: Cell) -> Cell:
    """`like` with what is known of its picture; until it comes, the former one stands there faintly."""
    if small.pixels is not None:
        return replace(like, picture=small.pixels)
    if small.problem:
        return replace(like, sign="!", hint=f"{like.hint}\n{small.problem}".strip())
    if former is not None and former.picture is not None:
        return replace(like, picture=former.picture, faint=True)
    return like


class SheetBox:
    """One sheet of pictures at a time, drawn in the background and saved; `update` once per loop."""

    def __init__(self, actions: Actions) -> None:
        self.actions = actions
        self.handle: StudyHandle | None = None
        self._take: Callable[[Sheet], None] | None = None

    def start(self, question: PictureSheet, take: Callable[[Sheet], None]) -> None:
        """Draw a sheet; one that is being drawn is given up."""
        self.stop()
        asked: Study = question
        self.handle, self._take = self.actions.study(asked), take

    def stop(self) -> None:
        """Give it up."""
        if self.handle is not None:
            self.handle.cancel()
        self.handle = None

    @property
    def words(self) -> str:
        """How far it is, '' when there is none."""
        return "" if self.handle is None else f"Sheet: {self.handle.state.update.text.lower()}"

    def update(self) -> None:
        """Hand over a sheet that is done; say why where it failed."""
        if self.handle is None or not self.handle.done:
            return
        state: StudyState = self.handle.state
        self.handle = None
        if state.problem is not None:
            self.actions.say(f"The sheet was not drawn: {state.problem.detail}")
        elif isinstance(state.update.answer, Sheet) and self._take is not None:
            if problems := state.update.answer.problems:
                self.actions.say(f"{len(problems)} pictures are missing on the sheet: {problems[0]}")
            self._take(state.update.answer)
