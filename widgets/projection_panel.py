"""Projection: the point of W or W+ whose picture comes closest to a photo; and whether this model made the photo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState, ModelInfo, Pixels
from app.request import Latent, Mix, RenderRequest, Transform, Truncation
from app.studies.projection import (
    Attributing,
    AttributionAnswer,
    KeepPoint,
    Photo,
    PhotoPreview,
    Projecting,
    ProjectionAnswer,
    ProjectionSettings,
    as_json,
    attribution_json,
)
from networks.plan import Noise
from widgets import look
from widgets.choices import Choice
from widgets.controls import Checkbox, IntField, IntSlider, Slider
from widgets.file_dialog import ask_path
from widgets.icons import icon
from widgets.panel import Panel, StudyHandle
from widgets.picture_grid import PictureGrid, PictureRow
from widgets.projection_plots import DistanceCurve, OwnDistances
from widgets.readouts import Figures
from widgets.rows import Tag, buttons, columns, heading, note, tooltip
from widgets.study_box import Ask, StudyBox

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
HEADER_BYTES = 1 << 16  # of a PNG: its texts come before the pixels
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
REQUEST_KEYS = ("stylescope", "stylescope-recording")  # text entries of PNGs that are for others (app/recording/)
FITS = {"crop": "Crop", "letterbox": "Letterbox"}
SPACES = {"w": "W", "w+": "W+"}
HEADS = ("photo", "now", "best")
FRAMES_TO_DOCK = 3  # a window that was hidden finds its place first
NO_PHOTO = "Drop a photo on the window (PNG, JPEG, WebP), or open one."
FIT_HINT = (
    "How the photo gets the model's shape. Crop: its largest part of that shape. Letterbox: all of it, between bars; "
    "the bars do not count."
)
SPACE_HINT = (
    "W: one w for all layers, the method of the StyleGAN2 paper. W+: a w for each layer of its own; comes closer, but "
    "reaches pictures that the model itself never makes."
)
STEPS_HINT = "Steps of the optimization. The paper takes 1000; 200 show where it goes."
NOISE_HINT = "Find the noise maps as well; a regularizer keeps them white, so that they cannot draw the photo."
MOVE_HINT = "Rotate and shift the input as well, so that the photo need not be aligned."
START_HINT = (
    "Looks for the point whose picture is closest to the photo, in the background: Adam on w, from the mean w "
    "(Karras et al. 2020, section 5 and appendix D). Pictures that you ask for meanwhile go first."
)
SHOW_HINT = (
    "Saves the best point, with its noise and transform, as a latent file beside the saved pictures, and shows it: at "
    "psi 1, without mixing and edits."
)
CHECK_HINT = (
    "Projects pictures of this model, at the psi of the window, just as the photo was, and compares the distances: a "
    "picture that the model made is found again (Karras et al. 2020, section 5)."
)
FIGURES = {
    "distance": "Perceptual distance of the best picture; below it says which one. 0: the same picture.",
    "closer by": "Distance at the first step, near the mean w, over the best one.",
    "PSNR": "Peak signal-to-noise ratio of the best picture against the photo: 10 log10(range² / mean square error).",
    "left": "Time that the remaining steps take.",
}


class ProjectionPanel(Panel):
    """Photo, progress and best picture side by side; the curve of the distance; the attribution check."""

    title, order, window_id, area = "Projection", 112, 1_000_000_040, "right-top"

    def build(self) -> None:
        self.words = note(NO_PHOTO)
        self.photo_button, self.start_button, self.pause_button = buttons(
            (f"{icon('folder-open')}  Photo ...", "Choose a picture file.", self._browse),
            ("Project", START_HINT, self._start_or_stop),
            ("Pause", "Rest, and go on later.", self._pause),
            weights=(0.34, 0.36, 0.3),
        )
        self.start_button.dress("primary")
        self.progress: Tag = dpg.add_progress_bar(width=-1, show=False)
        self.trouble = note("", look.ERROR)
        self.grid = PictureGrid(self.actions.texture, HEADS)
        self.figures = Figures(FIGURES)
        self.show_button, self.save_button = buttons(
            (f"{icon('eye')}  Show best", SHOW_HINT, self._show_best),
            ("Save as JSON", "The distances, and what was asked, beside the saved pictures.", self._save),
            weights=(0.6, 0.4),
        )
        self.curve = DistanceCurve()
        self.remarks = note("")
        heading("How")
        with columns(0.55, 0.45):
            self.fit = Choice("", "crop", FITS, FIT_HINT)
            self.place = Slider(
                "", 0.5, 0.0, 1.0, "Where the crop lies along the longer way: 0 left or top.", name="place"
            )  # fmt: skip
        with columns(0.55, 0.45):
            self.space = Choice("", "w", SPACES, SPACE_HINT)
            self.steps = IntSlider("", 1000, 10, 5000, STEPS_HINT, unit="steps")
        with columns(0.55, 0.45):
            self.noise = Checkbox("", True, NOISE_HINT, beside="noise maps")
            self.move = Checkbox("", True, MOVE_HINT, beside="rotation and shift")
        tooltip(heading("Did this model make it?"), CHECK_HINT)
        self.count = IntField("own pictures", 20, "How many pictures of the model are projected.", low=5, high=10_000)
        self.check = StudyBox(self.actions, "Check", CHECK_HINT, self._ask_check, self._save_check)
        self.own = OwnDistances()
        self.verdict = note("")
        self.photo = ""
        self.to_front = 0  # turns in which the panel is still brought to the front
        self.pixels: Pixels | None = None
        self.frame: Frame | None = None
        self.handle: StudyHandle | None = None
        self.preview: StudyHandle | None = None
        self.previewed: tuple[Photo, str] | None = None
        self.keeping: StudyHandle | None = None
        self.question: Projecting | None = None
        self.answer: ProjectionAnswer | None = None
        self.checked: tuple[Attributing, AttributionAnswer] | None = None
        self.painted: ProjectionAnswer | None = None

    # -- what is looked for --------------------------------------------------------------------------------------------

    def take_file(self, path: str) -> bool:
        """Any picture but one that brings a request: that one is opened as what it shows."""
        if Path(path).suffix.lower() not in SUFFIXES or holds_request(path):
            return False
        self._take(path)
        return True

    def _take(self, path: str) -> None:
        if self._running:
            self._stop()
        self.photo, self.pixels, self.answer, self.checked = path, None, None, None
        dpg.configure_item(self.window_id, show=True)
        self.to_front = FRAMES_TO_DOCK
        self._look()

    def _browse(self) -> None:
        ask_path("Choose a photo", SUFFIXES, self._take)

    @property
    def _wanted(self) -> Photo:
        """The photo as the controls ask for it."""
        return Photo(self.photo, "letterbox" if self.fit.value == "letterbox" else "crop", self.place.value)

    @property
    def _request(self) -> RenderRequest | None:
        """The model and what it is conditioned on; None before there is one."""
        if self.frame is None or self.frame.model is None:
            return None
        asked = self.frame.request
        return RenderRequest(asked.model, condition=asked.condition, bgr=asked.bgr)

    def _look(self) -> None:
        """Have the photo brought to the model's shape."""
        request = self._request
        if not self.photo or request is None:
            return
        if self.preview is not None:
            self.preview.cancel()
        self.previewed = self._wanted, request.model.path
        self.preview = self.actions.study(PhotoPreview(request, self._wanted))

    # -- the optimization ----------------------------------------------------------------------------------------------

    @property
    def _running(self) -> bool:
        return self.handle is not None and not self.handle.done

    def _start_or_stop(self) -> None:
        request = self._request
        if self._running:
            self._stop()
        elif request is not None and self.photo:
            self.check.forget()
            self.answer = self.checked = None
            settings = ProjectionSettings(
                "w+" if self.space.value == "w+" else "w", self.steps.value, self.noise.value, self.move.value
            )
            self.question = Projecting(request, self._wanted, settings)
            self.handle = self.actions.study(self.question)

    def _stop(self) -> None:
        if self.handle is not None:
            self.handle.cancel()

    def _pause(self) -> None:
        if self.handle is not None:
            self.handle.pause(not self.handle.paused)

    def _show_best(self) -> None:
        if self.answer is not None:
            self.keeping = self.actions.study(KeepPoint(self.answer.best, self.actions.new_path("-projected.npz")))

    # -- what comes back -----------------------------------------------------------------------------------------------

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        self.frame = frame
        if self.to_front > 0:
            self.to_front -= 1
            self.come_forward()
        self._collect()
        self.check.update()
        if not self.visible():
            return
        self._enable()
        self._paint()
        self.grid.update()
        self.own.update()

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        """Another model: what was found belongs to the former one."""
        self._stop()
        self.check.forget()
        self.handle = self.keeping = self.question = self.answer = self.checked = None
        self.move.enabled = model.has_transform
        self.noise.enabled = any(layer.has_noise for layer in model.layers)
        self.pixels = None
        self.previewed = None

    def _collect(self) -> None:
        """Take over what the studies have by now."""
        request = self._request
        stale = request is not None and self.previewed != (self._wanted, request.model.path)
        if stale and self.photo and not (self._running or self.place.active):
            self._look()
        if self.preview is not None and self.preview.state.update.answer is not None:
            self.pixels = self.preview.state.update.answer
        if self.handle is not None and self.handle.state.update.answer is not None:
            self.answer = self.handle.state.update.answer
        if self.keeping is not None and self.keeping.state.update.answer is not None:
            path, self.keeping = str(self.keeping.state.update.answer), None
            self.actions.restore(as_found(self.actions.current(), path))

    def _enable(self) -> None:
        running = self._running
        for control in (self.fit, self.place, self.space, self.steps):
            control.enabled = not running
        self.place.enabled = not running and self.fit.value == "crop"
        self.start_button.enabled = running or (bool(self.photo) and self._request is not None)
        self.start_button.rename("Stop" if running else "Project")
        self.start_button.dress("danger" if running else "primary")
        self.pause_button.enabled = running
        paused = self.handle is not None and self.handle.paused
        self.pause_button.rename("Resume" if paused else "Pause")
        self.show_button.enabled = self.save_button.enabled = self.answer is not None
        self.check.button.enabled = self.check.running or (self.answer is not None and not running)
        self.check.save.enabled = self.checked is not None
        dpg.configure_item(self.progress, show=running)
        if running and self.handle is not None:
            update = self.handle.state.update
            dpg.set_value(self.progress, update.share or 0.0)
            dpg.configure_item(self.progress, overlay=f"{update.text}{', paused' if paused else ''}")

    def _paint(self) -> None:
        """Bring words and pictures up to date."""
        name = Path(self.photo).name if self.photo else NO_PHOTO
        dpg.set_value(
            self.words, name if self._request is not None or not self.photo else f"{name}: open a model first."
        )
        troubled = next(
            (run.state.problem for run in (self.handle, self.preview, self.keeping) if run and run.state.problem), None
        )
        said = "" if troubled is None else f"{troubled.title}: {troubled.detail} {troubled.hint}".strip()
        dpg.configure_item(self.trouble, default_value=said, show=bool(said))
        answer = self.answer
        photo = self.pixels if answer is None else answer.photo
        shown = (photo, None, None) if answer is None else (photo, answer.now, answer.best.picture)
        said = "" if answer is None else f"now {answer.now_distance:.4f}, best {answer.best.distance:.4f}"
        self.grid.show([PictureRow("distance" if said else "", said, shown)])
        if answer is not self.painted:
            self.painted = answer
            self._paint_numbers(answer)
        self.own.show(None if self.checked is None else self.checked[1])
        dpg.set_value(self.verdict, "" if self.checked is None else self.checked[1].verdict)

    def _paint_numbers(self, answer: ProjectionAnswer | None) -> None:
        if answer is None:
            self.figures.show(*("–" for _ in FIGURES))
            dpg.set_value(self.remarks, "")
            return
        best, taken = answer.best, len(answer.distances)
        closer = float(answer.distances[0]) / max(best.distance, 1e-12)
        left = in_words((answer.steps - taken) * answer.step_s)
        self.figures.show(f"{best.distance:.4f}", f"{closer:.1f} ×", f"{best.psnr_db:.1f} dB", left)
        self.curve.show(answer.distances, best.step, answer.steps)
        moved = ""
        if best.move is not None:
            x, y, turn = best.move
            moved = f" Moved by x {x:+.3f}, y {y:+.3f} picture widths, turned by {turn:+.1f}°."
        speed = f"{answer.step_s * 1000:.0f} ms a step"
        dpg.set_value(
            self.remarks, f"Distance: {answer.distance_name}; {speed}.{moved} {' '.join(answer.notes)}".strip()
        )

    # -- did this model make it? ---------------------------------------------------------------------------------------

    def _ask_check(self) -> list[Ask]:
        if self.question is None or self.answer is None or self.frame is None:
            return []
        asked = self.question
        whole = len(self.answer.distances) == self.answer.steps
        question = Attributing(
            replace(asked.request, truncation=self.frame.request.truncation), asked.photo, asked.settings,
            self.count.value, given=self.answer.best.distance if whole else None,
        )  # fmt: skip

        def take(answer: AttributionAnswer) -> None:
            self.checked = question, answer

        return [(question, take)]

    def _save(self) -> None:
        if self.answer is not None and self.question is not None:
            self.actions.save_numbers("projection", as_json(self.answer, self.question))

    def _save_check(self) -> None:
        if self.checked is not None:
            self.actions.save_numbers("attribution", attribution_json(self.checked[1]))


def as_found(request: RenderRequest, path: str) -> RenderRequest:
    """A request that shows a kept point as it was found: at psi 1, with its own noise and transform alone."""
    return replace(
        request, latent=Latent.of_file(path), truncation=Truncation(), mix=Mix(), pushes=(), noise=Noise(), edits=(),
        transform=Transform(),
    )  # fmt: skip


def in_words(seconds: float) -> str:
    """'0 s', '45 s', '12 min', '3.5 h'."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def holds_request(path: str) -> bool:
    """Whether a PNG brings a request or a recording of this app."""
    if Path(path).suffix.lower() != ".png":
        return False
    try:
        with open(path, "rb") as file:
            beginning = file.read(HEADER_BYTES)
    except OSError:
        return False
    return any(kind + key.encode() + b"\0" in beginning for kind in TEXTS for key in REQUEST_KEYS)
