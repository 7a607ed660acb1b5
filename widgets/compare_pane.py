"""One pane of the comparison: its model and links on top, its picture below."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import dearpygui.dearpygui as dpg

from app.compare import Pane, PaneState, own_values
from app.frame import BundledModel, Frame, LoopState, ModelInfo
from app.request import RenderRequest
from widgets import look
from widgets.choices import Combo
from widgets.compare_own import LINKS, OwnValues
from widgets.file_dialog import ask_path
from widgets.icons import icon
from widgets.image_view import Drag, ImageView
from widgets.model_panel import short_names
from widgets.panel import Texture
from widgets.rows import Button, Tag, tooltip

SUFFIXES = (".pkl", ".pt", ".pth", ".safetensors", ".xml", ".ckpt")
OPEN_MODEL, NONE = "open", ""  # entries of the list that are no paths
BUSY_AFTER_S = 0.3
NARROW = 260  # pixels at scale 1: in a narrower pane the links are signs, not words
HEADER_LINES = 5.3  # lines of text that the header takes: two rows of controls and one of words
CHOOSE = "Choose a model above, or drop a file here."


class PaneView(ImageView):
    """The picture with one line under it: milliseconds per picture and pictures per second, or the pixel."""

    timing = ""

    def _build_footer(self) -> None:
        self.status: Tag = dpg.add_text("", color=look.MUTED)
        look.bind_font(self.status, "small")

    def read_out(self) -> str:
        """What the pointed pixel holds; else how long pictures take and how large they are shown."""
        if self.pixels is None:
            return ""
        return super().read_out() if self._hovered else f"{self.timing}   {self.zoom * 100:.0f} %"


class ComparePane:
    """Header and picture lie in child windows of their own; the panel places them."""

    def __init__(
        self, number: int, texture: Callable[[], Texture], drag: Drag, unlink: Callable[[str], None], path: str | None
    ) -> None:
        """unlink(name): a link toggle was pressed. path: of the first model; None the open one, '' none yet."""
        self.name = "ABCD"[number]
        self.own = OwnValues(self.name, path)
        self.state = PaneState()
        self.info: ModelInfo | None = None
        self.frame: Frame | None = None
        self.focused, self._said = False, ""
        self.size_px = (0, 0)  # of header and picture together
        self.header: Tag
        with dpg.child_window(border=False, no_scrollbar=True, no_scroll_with_mouse=True) as self.header:
            self._build_header(unlink)
        look.bind_style(self.header, "bare")
        self.ground: Tag
        with dpg.child_window(border=False, no_scrollbar=True, no_scroll_with_mouse=True) as self.ground:
            self.view = PaneView(texture, on_drag=drag, empty=CHOOSE)
        look.bind_style(self.ground, "bare")

    def _build_header(self, unlink: Callable[[str], None]) -> None:
        with line_of(None, 1.0, None, None):
            self.letter: Tag = dpg.add_text(self.name, color=look.MUTED)
            look.bind_font(self.letter, "semibold")
            self.chosen = Combo("", NONE, {NONE: "No model"}, "This pane's generator.", on_change=self._choose)
            Button(icon("folder-open"), "Choose a file for this pane.", self._ask)
            self.more = Button(
                icon("sliders-horizontal"),
                "Values of this pane alone: noise, rows of a second seed, psi, shift and turn.",
                self.show_values,
            )
        self.toggles: dict[str, Button] = {}
        with line_of(None, 1.0, 1.0, 1.0, 1.0):
            tooltip(dpg.add_text(icon("link"), color=look.MUTED), "What this pane shares with the others.")
            for name, (label, _, hint) in LINKS.items():
                self.toggles[name] = Button(label, hint, partial(unlink, name), width=-1)
        self.said: Tag = dpg.add_text("", color=look.MUTED)
        self.tip: Tag
        with dpg.tooltip(self.said, delay=0.5, hide_on_activity=True) as self.tip:
            self.whole: Tag = dpg.add_text("", wrap=340)
        look.bind_font(self.said, "small")

    def place(self, header: tuple[int, int, int, int], picture: tuple[int, int, int, int] | None) -> None:
        """Lie in these rectangles (left, top, width, height) of the panel; no picture: it is shown elsewhere."""
        self.size_px = header[2], header[3] + (0 if picture is None else picture[3])
        narrow = header[2] < look.pixels(NARROW)
        for name, (label, short, _) in LINKS.items():
            self.toggles[name].rename(short if narrow else label)
        for tag, rectangle in ((self.header, header), (self.ground, picture)):
            if rectangle is None:
                dpg.configure_item(tag, show=False)
            else:
                left, top, width, height = rectangle
                dpg.configure_item(tag, show=True, pos=(left, top), width=width, height=height)

    def hide(self) -> None:
        """The pane is not on the screen."""
        for tag in (self.header, self.ground):
            dpg.configure_item(tag, show=False)

    @property
    def pointed(self) -> bool:
        """Whether the mouse is over the pane."""
        x, y = dpg.get_mouse_pos(local=False)
        left, top = dpg.get_item_rect_min(self.letter)
        width, height = self.size_px
        return bool(left <= x < left + width and top <= y < top + height)

    def pane(self) -> Pane:
        """The pane as plain values."""
        return self.own.pane()

    @property
    def size(self) -> tuple[int, int] | None:
        """(W, H) of the full picture."""
        return None if self.info is None else (self.info.resolution[1], self.info.resolution[0])

    def take(self, state: PaneState, loop: LoopState) -> None:
        """Show what the app says of this pane; once per turn."""
        self.state = state
        frame = state.frame
        self._offer(loop)
        if self.own.path == "":
            self.info = None
            self.view.problem.hide()
            self.view.clear(CHOOSE)
        elif frame is not None and frame is not self.frame:
            self.frame = frame
            self._take(frame)
        if self.view.pixels is None and self.own.path != "":
            failed = frame is not None and frame.problem is not None
            self.view.empty = "" if failed else _progress(state) or "Open a model first."
        self.own.update(self.info)
        self._write()

    def _take(self, frame: Frame) -> None:
        if frame.model is not None:
            self.info = frame.model
        if frame.picture is not None and frame.model is not None:
            self.view.set_picture(frame.picture, self.size, transparent=frame.model.img_channels in (2, 4))
        if frame.problem is None:
            self.view.problem.hide()
        else:
            self.view.problem.show(frame.problem.title, frame.problem.detail, frame.problem.hint)

    def _offer(self, loop: LoopState) -> None:
        """The models that can be chosen: the open one, those that come with the app, recent files, the pane's own."""
        entries = {NONE: "No model", OPEN_MODEL: "Main model", **_bundled(loop.bundled)}
        recent = [path for path in loop.recent if path not in entries]
        own = [self.own.path] if self.own.path and self.own.path not in (*entries, *recent) else []
        self.chosen.offer(entries | short_names([*own, *recent]))
        self.chosen.set(OPEN_MODEL if self.own.path is None else self.own.path)

    def _write(self) -> None:
        """The words of the header and of the line under the picture."""
        info, problem = self.info, None if self.state.frame is None else self.state.frame.problem
        about = f"{info.title}  {info.resolution[1]} × {info.resolution[0]} px" if info is not None else ""
        words, colour = ",  ".join(filter(None, (about, *own_values(self.pane())))), look.MUTED
        if self.state.left_out:
            words, colour = "Left out, " + "; ".join(self.state.left_out), look.WARNING
        if problem is not None:
            words, colour = f"{problem.title}: {problem.detail}", look.ERROR
        if words != self._said:
            self._said = words
            dpg.configure_item(self.said, default_value=words.replace("\n", " "), color=colour)
            dpg.set_value(self.whole, words)
            dpg.configure_item(self.tip, show=bool(words))
        for name, toggle in self.toggles.items():
            toggle.dress("active" if self.own.links[name] else "ghost")
        dpg.configure_item(self.letter, color=look.ACCENT if self.focused else look.MUTED)
        frame = self.state.frame
        ms = f"{frame.timing.total_ms:.0f} ms" if frame is not None and frame.picture is not None else ""
        rate = f"   {self.state.per_second:.1f} pictures / s" if self.state.per_second >= 0.5 else ""
        self.view.timing = ms + rate

    @property
    def busy(self) -> bool:
        """Whether the user waits for this pane."""
        frame, status = self.state.frame, self.state.status
        waiting = status.busy and not status.studying and time.perf_counter() - status.since > BUSY_AFTER_S
        return self.own.path != "" and (waiting or (frame is not None and not frame.complete))

    def show_values(self) -> None:
        """Open the window with the pane's own values, under the button."""
        left, _ = dpg.get_item_rect_min(self.letter)
        _, top = dpg.get_item_rect_max(self.more.tag)
        self.own.show(left, top + 4)

    def toggle(self, name: str, request: RenderRequest) -> None:
        """Link or unlink; its own values begin where the shared ones are."""
        self.own.unlink(name, request)

    def reset(self) -> None:
        """Everything linked, nothing of its own; the model stays."""
        self.own.reset()
        self.view.fit()

    def _choose(self, value: str) -> None:
        self.own.open(None if value == OPEN_MODEL else value)

    def _ask(self) -> None:
        ask_path(f"Open a checkpoint in pane {self.name}", SUFFIXES, self.own.open)


@contextmanager
def line_of(*weights: float | None) -> Iterator[None]:
    """One line whose items, created inside, take the width they need (None), or share the rest by weight."""
    table: Tag
    with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchProp, no_pad_outerX=True) as table:
        look.bind_style(table, "rows")
        for weight in weights:
            if weight is None:
                dpg.add_table_column(width_fixed=True)
            else:
                dpg.add_table_column(init_width_or_weight=weight, width_stretch=True)
        with dpg.table_row():
            yield


def _bundled(models: Sequence[BundledModel]) -> dict[str, str]:
    return {model.path: f"{model.title} {model.about.split(',')[0]}, bundled" for model in models}


def _progress(state: PaneState) -> str:
    percent = "" if state.status.progress is None else f"  {state.status.progress:.0%}"
    return state.status.text + percent if state.status.text else ""
