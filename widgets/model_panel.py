"""The generator: open a file, see what it is, read in words why one does not open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState, ModelInfo, Problem
from app.request import RenderRequest
from widgets import look
from widgets.bundled_list import BundledList
from widgets.choices import Combo
from widgets.controls import Checkbox, TextField
from widgets.icons import icon
from widgets.panel import Panel
from widgets.readouts import KeyValues
from widgets.rows import buttons, heading, note

CHANNELS = {1: "grey", 2: "grey and alpha", 3: "RGB", 4: "RGBA"}
CUT = "…"
FIELD_PADDING = 20  # pixels at scale 1 that a field takes beside its text
DROP_HINT = (
    "Drop a checkpoint anywhere on the window: .pkl, .pt, .pth, .safetensors, or the folder of a training run. No code"
    " in it is executed."
)
SWAP_HINT = "Some ports were trained on pictures whose channels are blue, green, red: faces that look blue."


class ModelPanel(Panel):
    """Path, recent files, progress, what the file holds, what was ignored."""

    title, order, window_id, area = "Model", 20, 1_000_000_002, "left-top"

    def build(self) -> None:
        self.path = TextField(
            "", "Path of a checkpoint. Enter opens it.", placeholder="Path of a checkpoint", on_change=self._open
        )
        self.recent = Combo("Recent", "", {}, "Files that were open before, newest first.", on_change=self._open)
        browse, self.again = buttons(
            (f"{icon('folder-open')}  Open", "Choose a file (Ctrl+O).", self.actions.browse),
            (
                f"{icon('refresh-cw')}  Retry",
                "Try the same file again, for instance after it was repaired (F5).",
                self.actions.retry,
            ),
        )
        browse.dress("primary")
        self.bundled = BundledList(self.actions.open)
        self.progress = dpg.add_progress_bar(width=-1, show=False)
        self.problem = [note("", look.ERROR), note(), note("", look.WARNING)]
        look.bind_font(self.problem[0], "semibold")
        self.heading = heading("No model")
        self.details = KeyValues()
        self.notes = note(DROP_HINT)
        self.bgr = Checkbox("", False, SWAP_HINT, beside="swap red and blue")
        self.serial = -1
        self.shown_path, self.cut, self.fitted = "", 0, ("", 0.0)
        self._show_problem(None)

    def contribute(self, request: RenderRequest) -> RenderRequest:
        return replace(request, bgr=self.bgr.value)

    def restore(self, request: RenderRequest) -> None:
        self.bgr.set(request.bgr)

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        self.recent.offer(short_names(state.recent))
        self.bundled.offer(state.bundled)
        status = state.status
        loading = status.busy and bool(status.text) and (status.progress is not None or self.model is None)
        dpg.configure_item(self.progress, show=loading)
        if loading:
            percent = "" if status.progress is None else f"  {status.progress:.0%}"
            dpg.configure_item(self.progress, overlay=status.text + percent)
            dpg.set_value(self.progress, status.progress or 0.0)
        if frame is not None and frame.serial != self.serial:
            self.serial = frame.serial
            self._show_problem(frame.problem)
            if frame.request.model.path:
                self.shown_path = frame.request.model.path
                self.bundled.mark(self.shown_path)
                self.recent.set(self.shown_path)
        self._fit_path()

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        height, width = model.resolution
        channels = CHANNELS.get(model.img_channels, f"{model.img_channels} channels")
        dpg.set_item_label(self.heading, model.title)
        self.details.show(
            {
                "name": model.name,
                "format": model.format,
                "picture": f"{width} × {height} px, {channels}",
                "z, c, w": f"{model.z_dim}, {model.c_dim}, {model.w_dim} values",
                "rows of ws": f"{model.num_ws}",
                "layers": f"{len(model.layers)}",
                "parameters": f"{model.parameters / 1e6:.2f} million",
                "runs on": f"{model.device}, {model.precision}",
            }
        )
        ignored = f"Not used: {', '.join(model.ignored)}." if model.ignored else ""
        dpg.set_value(self.notes, "\n".join((*model.notes, ignored)).strip())
        self.bgr.enabled = model.img_channels >= 3

    def _show_problem(self, problem: Problem | None) -> None:
        words = (problem.title, problem.detail, problem.hint) if problem else ("", "", "")
        for item, text in zip(self.problem, words, strict=True):
            dpg.configure_item(item, default_value=text, show=bool(text))
        self.again.enabled = problem is not None

    def _fit_path(self) -> None:
        """Show the end of a path that is too long for its field."""
        room = (
            dpg.get_item_rect_size(self.path.tag)[0] / dpg.get_global_font_scale() - FIELD_PADDING
        )  # as text is measured
        if room > 0 and (self.shown_path, room) != self.fitted and not self.path.active:
            self.fitted = self.shown_path, room
            self.cut = cut_to_fit(self.shown_path, lambda words: dpg.get_text_size(words)[0] <= room)
            self.path.set(CUT + self.shown_path[self.cut :] if self.cut else self.shown_path)

    def _open(self, path: str) -> None:
        if self.cut and path.startswith(CUT):  # what was cut is still meant
            path = self.shown_path[: self.cut] + path[len(CUT) :]
        if path:
            self.actions.open(path)

    def reset(self) -> None:
        """The open file stays."""
        self.bgr.reset()


def cut_to_fit(path: str, fits: Callable[[str], bool]) -> int:
    """How many characters to cut from the front of a path, so that the rest fits after an ellipsis."""
    return 0 if fits(path) else next((cut for cut in range(1, len(path)) if fits(CUT + path[cut:])), len(path))


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """Words for each path, all different: 'name in folder', the whole path where that names two files."""
    names = {path: f"{Path(path).name} in {Path(path).parent.name or '/'}" for path in paths}
    return {path: name if list(names.values()).count(name) == 1 else path for path, name in names.items()}
