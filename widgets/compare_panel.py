"""Compare: two to four generators under the same hand, each in its pane; two of the same size over each other."""

from __future__ import annotations

import dearpygui.dearpygui as dpg

from app.compare import MOST
from app.frame import Frame, LoopState
from app.request import RenderRequest
from widgets import look
from widgets.choices import Choice
from widgets.compare_film import FilmWindow
from widgets.compare_math import MODES, Look, linked, unpaired
from widgets.compare_pair import PairView
from widgets.compare_pane import HEADER_LINES, ComparePane, line_of
from widgets.controls import Slider
from widgets.icons import icon
from widgets.image_view import ImageView
from widgets.pane import arrange
from widgets.panel import Compared, Panel
from widgets.rows import Button, Tag, note

Rectangle = tuple[int, int, int, int]  # left, top, width, height in screen pixels of the panes' ground
LATENT_FILES = (".npy", ".npz", ".json")
GAP = 16  # screen pixels between two panes
FILM = f"{icon('film')}  Film"
COUNTS = {"2": "2", "3": "3", "4": "4"}


class ComparePanel(Panel):
    """Panes with the same point of W, psi, transform, zoom and pan, as far as they are linked."""

    title, order, window_id, area = "Compare", 120, 1_000_000_080, "centre"

    def build(self) -> None:
        self.mode = Choice(
            "", "side", MODES,
            "Panes side by side; or two pictures of the same size over each other: parted by a line that can be "
            "dragged, one showing through the other, or their difference.",
        )  # fmt: skip
        with line_of(1.2, 2.4, None, None, None):
            self.count = Choice("", "2", COUNTS, "How many panes.")
            with dpg.group():
                self.share = Slider("", 0.5, 0.0, 1.0, "Where the picture is parted, in view widths.", name="part at")
                self.opacity = Slider("", 0.5, 0.0, 1.0, "How much of B lies over A.", name="opacity")
                self.gain = Slider(
                    "", 4.0, 1.0, 64.0, "Factor on |A − B| before it is shown.", name="gain", unit="×", decimals=0
                )
            fit = Button("Fit", "Show the whole pictures. Double click does the same.", self._fit)
            self.smooth = Button("Smooth", "Between pixels: smooth, or hard edges.", self._toggle_smooth)
            self.film_button = Button(FILM, "An MP4 of the panes side by side, labelled.", self._show_film)
        for button in (fit, self.smooth):
            button.dress("ghost")
        self.words = note("", look.WARNING)
        self.ground: Tag
        self.over: Tag
        with dpg.child_window(border=False, no_scrollbar=True, no_scroll_with_mouse=True) as self.ground:
            self.panes = [self._pane(number) for number in range(MOST)]
            with dpg.child_window(border=False, no_scrollbar=True, no_scroll_with_mouse=True, show=False) as self.over:
                self.pair = PairView(self.actions.texture, on_drag=self._drag_shared, on_wipe=self.share.set)
            look.bind_style(self.over, "bare")
        look.bind_style(self.ground, "bare")
        self.film = FilmWindow(lambda: self.compared)
        self.compared: Compared | None = None
        self.request = RenderRequest()
        self.looks: list[Look | str] = [None] * MOST
        self.focus = 0
        self._laid: tuple[object, ...] = ()

    def _pane(self, number: int) -> ComparePane:
        return ComparePane(
            number,
            self.actions.texture,
            lambda dx, dy: self._drag(number, dx, dy),
            lambda name: self._toggle(number, name),
            None if number == 0 else "",
        )

    @property
    def shown(self) -> list[ComparePane]:
        """The panes that are on the screen."""
        return self.panes[: int(self.count.value)]

    @property
    def why_not(self) -> str:
        """Why the pictures cannot lie over each other; '' where they can."""
        return unpaired([pane.size for pane in self.shown])

    @property
    def paired(self) -> bool:
        """Whether two pictures lie over each other."""
        return self.mode.value != "side" and not self.why_not

    # -- three verbs -------------------------------------------------------------------------------------------------

    def contribute(self, request: RenderRequest) -> RenderRequest:
        self.request = request
        return request

    def show(self, frame: Frame | None, state: LoopState) -> None:
        if not self.visible():
            self.compared = self.actions.compare(())
            self.film.update(self.compared.recording, ready=False)
            return
        self.compared = self.actions.compare([pane.pane() for pane in self.shown], self.paired)
        for pane, news in zip(self.shown, self.compared.frames, strict=False):
            pane.take(news, state)
        self._lay_out()
        self._show_mode()
        if self.paired:
            self._update_pair()
        else:
            self._update_panes()
        self.film.update(self.compared.recording, ready=any(pane.info is not None for pane in self.shown))
        self.film_button.rename(self.film.words() if self.film.live else FILM)
        self.film_button.dress("danger" if self.film.live else "")

    # -- panes -------------------------------------------------------------------------------------------------------

    def _update_panes(self) -> None:
        for pane in self.shown:
            pane.view.update(pane.busy)
        views = [pane.view for pane in self.shown]
        links = [pane.own.links["zoom"] for pane in self.shown]
        placements, looks = linked([view.placement for view in views], self.looks[: len(views)], links)
        for view, placement in zip(views, placements, strict=True):
            view.placement = placement
        self.looks[: len(views)] = looks
        if dpg.is_mouse_button_clicked(dpg.mvMouseButton_Left):
            self.focus = next((n for n, pane in enumerate(self.shown) if pane.pointed), self.focus)
        for number, pane in enumerate(self.shown):
            pane.focused = number == self.focus

    def _update_pair(self) -> None:
        first, second = self.shown
        self.pair.mode = self.mode.value
        self.pair.share, self.pair.opacity, self.pair.gain = self.share.value, self.opacity.value, self.gain.value
        self.pair.names = f"A  {_name(first)}", f"B  {_name(second)}"
        frames = [pane.state.frame for pane in (first, second)]
        pictures = [frame.picture if frame is not None and frame.problem is None else None for frame in frames]
        if pictures[0] is not None and pictures[1] is not None and first.size is not None:
            transparent = any(pane.info is not None and pane.info.img_channels in (2, 4) for pane in (first, second))
            self.pair.show_pair(pictures[0], pictures[1], first.size, transparent)
        problem = next((frame.problem for frame in frames if frame is not None and frame.problem is not None), None)
        if problem is None:
            self.pair.problem.hide()
        else:
            self.pair.problem.show(problem.title, problem.detail, problem.hint)
        self.pair.update(first.busy or second.busy)

    def _show_mode(self) -> None:
        """The one slider of the mode, and why it cannot be had."""
        for name, slider in (("wipe", self.share), ("onion", self.opacity), ("difference", self.gain)):
            dpg.configure_item(slider.tag, show=self.mode.value == name)
        words = self.why_not if self.mode.value != "side" else ""
        dpg.configure_item(self.words, default_value=words, show=bool(words))

    def _carry_look(self) -> None:
        """Going over to another mode keeps the part of the picture that is shown."""
        views: list[ImageView] = [pane.view for pane in self.shown if pane.own.links["zoom"]]
        source = views[0] if self.paired and views else self.pair
        for view in [self.pair] if self.paired else views:
            view.placement = source.placement.resized(view.placement.view, view.placement.picture)

    def _lay_out(self) -> None:
        width, height = (max(8, int(side)) for side in dpg.get_item_rect_size(self.ground))
        line = look.line_height()
        shapes = [pane.size for pane in self.shown if pane.size is not None]
        shape = max(shapes, default=(1, 1))
        now = (width, height, shape, line, self.paired, len(self.shown))
        if now == self._laid:
            return
        if self._laid and self._laid[4] != self.paired:
            self._carry_look()
        self._laid = now
        header = round(HEADER_LINES * line)
        for pane in self.panes[len(self.shown) :]:
            pane.hide()
        dpg.configure_item(self.over, show=self.paired)
        if self.paired:
            half = (width - GAP) // 2
            for number, pane in enumerate(self.shown):
                pane.place((number * (half + GAP), 0, half, header), None)
            dpg.configure_item(self.over, pos=(0, header), width=width, height=height - header)
            return
        below = 2 * line + look.pixels(8)
        cells = arrange(len(self.shown), (width, height), shape, header + below, GAP)
        for pane, (left, top, wide, high) in zip(self.shown, cells, strict=True):
            pane.place((left, top, wide, header), (left, top + header, wide, max(8, high - header)))

    # -- what the user does ------------------------------------------------------------------------------------------

    def _drag(self, number: int, dx: float, dy: float) -> None:
        own = self.panes[number].own
        if own.links["latent"]:
            self.actions.drag_latent(dx, dy)
        else:
            own.drag(dx, dy)

    def _drag_shared(self, dx: float, dy: float) -> None:
        self.actions.drag_latent(dx, dy)

    def _toggle(self, number: int, name: str) -> None:
        self.panes[number].toggle(name, self.request)
        if name == "zoom":
            self.looks[number] = "new" if self.panes[number].own.links["zoom"] else None

    def _fit(self) -> None:
        for view in (*(pane.view for pane in self.shown), self.pair):
            view.fit()

    def _toggle_smooth(self) -> None:
        smooth = not self.pair.smooth
        for view in (*(pane.view for pane in self.panes), self.pair):
            view.smooth = smooth
        self.smooth.rename("Smooth" if smooth else "Pixels")

    def _show_film(self) -> None:
        if self.film.live and self.compared is not None:
            self.compared.stop_capture()
            return
        left, _ = dpg.get_item_rect_min(self.film_button.tag)
        _, top = dpg.get_item_rect_max(self.film_button.tag)
        self.film.show(left - look.pixels(260), top + 4)

    def dragging(self) -> bool:
        views = (self.pair, *(pane.view for pane in self.shown))
        held = any(control.active for pane in self.shown for control in pane.own.controls() if control.held_to_change)
        return held or any(view.dragging for view in views)

    def take_file(self, path: str) -> bool:
        """A checkpoint that is dropped on a pane is that pane's; on the pane of the open model it is opened."""
        if not self.visible() or path.lower().endswith(LATENT_FILES):
            return False
        pane = next((pane for pane in self.shown if pane.pointed), self.shown[min(self.focus, len(self.shown) - 1)])
        if pane.own.path is None:
            return False
        pane.own.open(path)
        return True

    def reset(self) -> None:
        super().reset()
        for pane in self.panes:
            pane.reset()
        self.pair.fit()


def _name(pane: ComparePane) -> str:
    return pane.info.name if pane.info is not None else ""
