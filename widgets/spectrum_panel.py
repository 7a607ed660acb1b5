"""Spectrum: how much power the picture has at which frequency; averages over many latents, two models overlaid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import dearpygui.dearpygui as dpg

from app.colormaps import colourize
from app.frame import Frame, LoopState, ModelInfo
from app.request import RenderRequest, Truncation
from app.studies.spectrum import BETA, AverageSpectrum, PictureSpectrum, Spectrum, as_json
from networks.plan import LayerInfo
from widgets.canvas import ColourBar
from widgets.choices import Choice, Combo
from widgets.controls import Checkbox, IntField, IntSlider, Slider, TextField
from widgets.image_view import ImageView
from widgets.overlay import Ring
from widgets.panel import Panel
from widgets.rows import columns, heading, note
from widgets.spectrum_plot import Line, SpectrumPlot
from widgets.study_box import Ask, StudyBox

SOURCES = {"live": "This picture", "mean": "Average", "second": "Other"}
SOURCE_HINT = "Which spectrum the map shows; the average and the second model's have to be measured first."
CURVE_NAMES = {"across": "0°", "diagonal": "45°", "radial": "Radial mean"}
CURVE_HINT = "A slice through the spectrum along the horizontal axis or the diagonal, or the mean over all directions."
BETA_HINT = (
    "Shape of the Kaiser window that the picture is multiplied by, so that its borders do not show: "
    "0 none, 8 as in the official code, more for less leakage and less sharpness. It holds for the next measurement."
)
LOW_HINT = "Power of the darkest colour, and lower end of the plot. 0 dB: white noise of standard deviation 1 in −1..1."
HIGH_HINT = "Power of the brightest colour, and upper end of the plot."
GRID_HINT = (
    "Marks at the sampling rates of the generator's layers, in cycles per picture width. A peak there repeats once per "
    "sample of that layer's grid: it comes from the grid, not from the content."
)
STUDY_HINT = (
    "Averages the power over many latents in the background (as avg_spectra.py of the official code); psi and all "
    "other settings as they are. The second model gets the same seeds and psi."
)
NOT_YET = {"live": "Waiting for the picture.", "mean": "Not measured yet.", "second": "Not measured yet."}
MAP = "inferno"
MAP_LINES, PLOT_LINES = 11.5, 9.5
RINGS = 3  # grids that are marked on the map, the finest first; the coarser ones crowd in its middle


class SpectrumPanel(Panel):
    """The spectrum as a map and as lines, of the picture on the screen and averaged."""

    title, order, window_id, area = "Spectrum", 121, 1_000_000_062, "right-bottom"

    def build(self) -> None:
        self.source = Choice("", "live", SOURCES, SOURCE_HINT)
        self.view = ImageView(
            self.actions.texture, height=MAP_LINES, describe=self._describe, smooth=False, empty=NOT_YET["live"]
        )
        self.scale_bar = ColourBar(self.actions.texture)
        with columns(0.5, 0.5):
            self.low = Slider("", -60.0, -150.0, 0.0, LOW_HINT, unit="dB", decimals=0, name="from")
            self.high = Slider("", 30.0, 0.0, 80.0, HIGH_HINT, unit="dB", decimals=0, name="to")
        self.curve = Choice("", "across", CURVE_NAMES, CURVE_HINT)
        self.plot = SpectrumPlot(PLOT_LINES)
        with columns(0.36, 0.64):
            self.grid = Checkbox("", True, GRID_HINT, beside="layer grids")
            self.beta = Slider("", BETA, 0.0, 50.0, BETA_HINT, decimals=1, name="window beta")
        heading("Average over latents")
        with columns(0.6, 0.4):
            self.count = IntSlider("pictures", 100, 2, 1000, "How many latents to average over.")
            self.first = IntField("seed", 0, "Their seeds: this one and those that follow.", buttons=False)
        self.second = Combo("second model", "", {"": "none"}, "A model to compare with: same seeds, same psi.")
        self.path = TextField(
            "or a file", "Path of another checkpoint to compare with; Enter adds it to the list above.",
            placeholder="path of a checkpoint", on_change=self._add_path,
        )  # fmt: skip
        self.study = StudyBox(self.actions, "Measure average", STUDY_HINT, self._ask, self._save)
        self.about = note("")
        self.spectra: dict[str, Spectrum] = {}
        self.names: dict[str, str] = {}
        self.questions: dict[str, AverageSpectrum] = {}
        self.added: tuple[str, ...] = ()
        self.painted: tuple[object, ...] = ()
        self.serial = -1
        self.frame: Frame | None = None

    def contribute(self, request: RenderRequest) -> RenderRequest:
        if not self.visible():
            return request
        return replace(request, measures=(*request.measures, PictureSpectrum(self.beta.value)))

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        self.study.update()
        self._offer_models(state)
        if frame is not None and frame.serial != self.serial:
            self.serial, self.frame = frame.serial, frame
            answer = frame.answer(PictureSpectrum)
            if isinstance(answer, Spectrum):
                self.spectra["live"] = answer
        if not self.visible():
            return
        for control in (self.count, self.first, self.second, self.path):
            control.enabled = not self.study.running
        self.study.save.enabled = bool(self.spectra)
        self._show_map()
        self._show_lines()
        dpg.configure_item(self.about, default_value=self._words(), show=bool(self._words()))

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        self.study.forget()
        self.spectra.clear()
        self.questions.clear()
        self.painted = ()

    @property
    def ends_db(self) -> tuple[float, float]:
        """The range of colours and plot."""
        return self.low.value, max(self.high.value, self.low.value + 1)

    def _show_map(self) -> None:
        spectrum = self.spectra.get(self.source.value)
        low, high = self.ends_db
        if spectrum is None:
            self.painted = ()
            self.view.clear(NOT_YET[self.source.value])
        elif (spectrum, low, high) != self.painted:
            self.painted = (spectrum, low, high)
            self.view.set_picture(colourize(spectrum.power_db, low, high, MAP))
            self.scale_bar.show(MAP, low, high, "dB")
        self.view.overlay.marks = rings(spectrum, self._grids()[:RINGS]) if spectrum and self.grid.value else ()
        self.view.update(busy=spectrum is None and self.study.running)
        self.scale_bar.update()

    def _show_lines(self) -> None:
        lines = [
            Line(words.lower(), self.spectra[source].curve(self.curve.value)) if source in self.spectra else None
            for source, words in SOURCES.items()
        ]
        factor = math.sqrt(2) if self.curve.value == "diagonal" else 1.0
        grids = [grid * factor for grid in self._grids()] if self.grid.value else []
        self.plot.show(lines, sorted(grids), *self.ends_db)
        self.plot.update()

    def _grids(self) -> list[float]:
        """Sampling rates of the layers below that of the picture, per picture width; the finest first."""
        return layer_grids(self.model.layers, self.model.resolution[1]) if self.model is not None else []

    def _words(self) -> str:
        parts = [
            f"{SOURCES[source]}: {self.names[source]}, {spectrum.count} pictures, beta {spectrum.beta:g}."
            for source in ("mean", "second")
            if (spectrum := self.spectra.get(source)) is not None
        ]
        return " ".join(parts)

    def _describe(self, x: int, y: int) -> str:
        spectrum = self.spectra.get(self.source.value)
        if spectrum is None:
            return ""
        fx, fy = frequency_at(spectrum, x, y)
        return f"x {fx:+.4g}  y {fy:+.4g} cycles / width   {spectrum.power_db[y, x]:.1f} dB"

    def _offer_models(self, state: LoopState) -> None:
        own = self.model.path if self.model is not None else ""
        known = {model.path: f"{model.title} (bundled)" for model in state.bundled}
        known |= {path: short_name(path) for path in (*state.recent, *self.added) if path not in known}
        self.second.offer({"": "none", **{path: words for path, words in known.items() if path != own}})

    def _add_path(self, path: str) -> None:
        if path:
            path = str(Path(path.strip('"')).expanduser().absolute())
            self.added = (*(known for known in self.added if known != path), path)
            self.second.offer({**self.second.choices, path: short_name(path)})
            self.second.set(path)

    def _ask(self) -> list[Ask]:
        if self.frame is None or self.model is None:
            return []
        asked = replace(self.frame.request, measures=())
        self._forget_averages()
        question = AverageSpectrum(asked, self.count.value, self.first.value, self.beta.value)
        asks = [self._asking("mean", question, self.model.name)]
        if self.second.value:
            model = replace(asked.model, path=self.second.value, attempt=asked.model.attempt + 1)
            other = RenderRequest(model=model, truncation=Truncation(asked.truncation.psi))
            asks.append(
                self._asking("second", replace(question, request=other), self.second.choices[self.second.value])
            )
        return asks

    def _asking(self, source: str, question: AverageSpectrum, name: str) -> Ask:
        def take(answer: Spectrum) -> None:
            self.spectra[source] = answer

        self.questions[source], self.names[source] = question, name
        return question, take

    def _forget_averages(self) -> None:
        for source in ("mean", "second"):
            self.spectra.pop(source, None)
            self.questions.pop(source, None)

    def _save(self) -> None:
        request = self.frame.request if self.frame is not None else RenderRequest()
        requests = {source: question.request for source, question in self.questions.items()}
        self.actions.save_numbers(
            "spectrum",
            {
                source: as_json(spectrum, requests.get(source, request), self.questions.get(source))
                for source, spectrum in self.spectra.items()
            },
        )


def layer_grids(layers: Sequence[LayerInfo], width: int) -> list[float]:
    """Sampling rates of the layers up to half of the picture's (its highest frequency), the finest first."""
    rates = {layer.sampling_rate or float(layer.size[1]) for layer in layers}
    return sorted((rate for rate in rates if 1 < rate <= width / 2), reverse=True)


def rings(spectrum: Spectrum, grids: Sequence[float]) -> tuple[Ring, ...]:
    """Marks on the map where one cycle per sample of a grid lies, along both axes."""
    height, width = spectrum.power_db.shape
    share = 1 / spectrum.size[1]  # of either side of the map, for one cycle per picture width: pixels are square
    middle_x, middle_y = (width // 2 + 0.5) / width, (height // 2 + 0.5) / height
    made: list[Ring] = []
    for grid in grids:
        for dx, dy in ((grid, 0.0), (-grid, 0.0), (0.0, grid), (0.0, -grid)):
            x, y = middle_x + dx * share, middle_y + dy * share
            if 0 <= x < 1 and 0 <= y < 1:
                made.append(Ring(x, y, colour=(235, 238, 243, 150)))
    return tuple(made)


def frequency_at(spectrum: Spectrum, x: int, y: int) -> tuple[float, float]:
    """The frequency of a sample of the map, in cycles per picture width; y grows downwards."""
    height, width = spectrum.power_db.shape
    per_px = spectrum.size[1]
    return (x - width // 2) / width * per_px, (y - height // 2) / height * per_px


def short_name(path: str) -> str:
    """'name in folder'."""
    return f"{Path(path).name} in {Path(path).parent.name or '/'}"
