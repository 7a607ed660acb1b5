"""Droplet search: which of many seeds have the strongest droplet, and which lack one."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState
from app.request import Latent, RenderRequest
from app.studies import Update
from app.studies.droplet_export import DropletExport
from app.studies.droplets import DropletRule, DropletSearch, DropletSearchAnswer, SeedDroplet
from widgets import look
from widgets.capture_panel import parse_seeds
from widgets.choices import Choice
from widgets.controls import TextField
from widgets.droplet_charts import StrengthHistogram
from widgets.droplet_gallery import THUMB_PX, Gallery
from widgets.droplets_panel import cleaned
from widgets.file_dialog import ask_path
from widgets.panel import Panel, StudyHandle
from widgets.rows import Button, columns, note

FIRST_SEEDS = "0-199"
MOST = 5000  # seeds of one search: their thumbnails take 80 MB
EMPTY = "Open a model, then look through many seeds for the strongest droplets, and for pictures that lack one."
READY = "Every seed is drawn with the settings of the picture on the screen, and measured."
SEEDS_HINT = "Which seeds to look at, for instance 0-499, 1000."
START_HINT = "Draw and measure these seeds in the background; the search waits while you drag."
LISTS = {"strongest": "Strongest", "missing": "Missing"}
LISTS_HINT = (
    "Strongest: by strength. Missing: no droplet, and less than half of the median strength, where at least 8 seeds "
    "are known and half of them have one. In StyleGAN about one picture in a thousand is so, and often broken."
)
NONE_MISSING = "No seed lacks the droplet of the others. Such seeds are rare: search a few thousand."
NOT_COMMON = "Most seeds have no droplet, so none can be said to lack it."
REFRESH_S = 0.5  # the table is filled so often while a search runs


class DropletSearchPanel(Panel):
    """Asks a DropletSearch, shows its rows, goes to a seed, writes the CSV."""

    title, order, window_id, area = "Droplet search", 103, 1_000_000_072, "right-bottom"

    def build(self) -> None:
        with columns(1.1, 0.8, 0.7):
            self.seeds = TextField("", SEEDS_HINT, placeholder="0-499, 1000", on_enter=False)
            self.start = Button("Search", START_HINT, self.search, width=-1, theme="primary")
            self.cancel = Button("Cancel", "Stop here; what is known so far stays.", self._cancel, width=-1)
        self.seeds.default = FIRST_SEEDS
        self.seeds.set(FIRST_SEEDS)
        self.progress = dpg.add_progress_bar(width=-1, show=False)
        self.words = note(EMPTY)
        self.results = dpg.add_group(show=False)
        with dpg.group(parent=self.results):
            self.histogram = StrengthHistogram()
            self.list = Choice("", "strongest", LISTS, LISTS_HINT)
            self.nothing = note()
            self.gallery = Gallery(self.actions.texture, self.go)
            self.save = Button("Export CSV ...", "All rows, as `droplets --csv` writes them.", self._ask, width=-1)
            self.saved = note()
        self.study: StudyHandle | None = None
        self.export: StudyHandle | None = None
        self.question: DropletSearch | None = None
        self.answer = DropletSearchAnswer(())
        self.request: RenderRequest | None = None
        self.name = ""  # of the model that was searched
        self.began = self.refreshed = 0.0

    @property
    def running(self) -> bool:
        """Whether a search goes on."""
        return self.study is not None and not self.study.done

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        self.request = cleaned(frame)
        if not self.visible():
            return
        self.start.enabled = self.request is not None and bool(self._wanted()) and not self.running
        self.cancel.enabled = self.running
        self._show_progress()
        self._refresh()
        self._show_words()
        self._show_saved()
        dpg.configure_item(self.results, show=bool(self.answer.rows))
        if self.answer.rows:
            self.histogram.show(self.answer)
            self._show_list()

    def search(self) -> None:
        """Look through the seeds that are written in the field."""
        seeds = self._wanted()
        if self.request is None or not seeds or self.model is None:
            return
        self._cancel()
        self.name, self.began, self.refreshed = self.model.name, time.monotonic(), 0.0
        self.answer, self.export = DropletSearchAnswer(()), None
        self.question = DropletSearch(self.request, tuple(seeds), DropletRule(), THUMB_PX)
        self.study = self.actions.study(self.question)

    def go(self, seed: int) -> None:
        """Show a seed that was found, in the model it was found in."""
        assert self.question is not None
        path = self.question.request.model.path
        if self.request is not None and self.request.model.path != path:
            self.actions.open(path)
        self.actions.go_to(Latent(((seed, 1.0),)))

    def write(self, path: str) -> None:
        """Write all rows as CSV."""
        if self.question is not None:
            question = DropletExport(self.question.request, self.answer.rows, path, self.question.rule)
            self.export = self.actions.study(question)

    def _ask(self) -> None:
        ask_path("Export the search as CSV", (".csv",), self.write, save_as=f"{Path(self.name).stem}-droplets")

    def _cancel(self) -> None:
        if self.study is not None:
            self.study.cancel()

    def _wanted(self) -> list[int]:
        """The seeds of the field, each once; [] where it names none, or too many."""
        seeds = list(dict.fromkeys(parse_seeds(self.seeds.value) or ()))
        return seeds if len(seeds) <= MOST else []

    def _refresh(self) -> None:
        """Take what is known, twice a second while the search runs: the table is slow to fill."""
        answer = self.study.state.update.answer if self.study is not None else None
        if isinstance(answer, DropletSearchAnswer) and answer is not self.answer:
            now = time.monotonic()
            if not self.running or now - self.refreshed > REFRESH_S:
                self.answer, self.refreshed = answer, now

    def _show_progress(self) -> None:
        dpg.configure_item(self.progress, show=self.running)
        if self.running and self.study is not None:
            update = self.study.state.update
            left = remaining(update, time.monotonic() - self.began)
            dpg.configure_item(self.progress, overlay=f"{update.text}{left}")
            dpg.set_value(self.progress, update.share or 0.0)

    def _show_words(self) -> None:
        problem = self.study.state.problem if self.study is not None else None
        words, colour = (READY if self.request is not None else EMPTY), look.MUTED
        seeds = parse_seeds(self.seeds.value)
        if seeds is None:
            words = f"{self.seeds.value!r} is not a list of seeds; write for instance 0-499, 1000."
            colour = look.WARNING
        elif len(set(seeds)) > MOST:
            words, colour = f"{len(set(seeds))} seeds are too many for one search; name at most {MOST}.", look.WARNING
        elif problem is not None:
            words, colour = f"{problem.title}: {problem.detail}", look.ERROR
        elif self.answer.rows and self.question is not None:
            words = summary(self.answer, self.name, self.question.request)
        dpg.configure_item(self.words, default_value=words, color=colour)

    def _show_list(self) -> None:
        rows: tuple[SeedDroplet, ...] = self.answer.strongest if self.list.value == "strongest" else self.answer.missing
        words = ""
        if not rows:
            words = NONE_MISSING if 2 * self.answer.flagged >= len(self.answer.rows) else NOT_COMMON
        dpg.configure_item(self.nothing, default_value=words, show=bool(words))
        self.gallery.show(rows, self._here(), float(dpg.get_item_rect_size(self.window_id)[0]))

    def _here(self) -> int | None:
        """The seed on the screen, where it is one alone and of the model that was searched."""
        if self.request is None or self.question is None or len(self.request.latent.seeds) != 1:
            return None
        same = replace(self.request, latent=self.question.request.latent) == self.question.request
        return self.request.latent.seeds[0][0] if same else None

    def _show_saved(self) -> None:
        words, colour = "", look.MUTED
        if self.export is not None and (problem := self.export.state.problem) is not None:
            words, colour = problem.detail, look.ERROR
        elif self.export is not None and self.export.done:
            words = self.export.state.update.text
        dpg.configure_item(self.saved, default_value=words, color=colour, show=bool(words))


def remaining(update: Update, elapsed_s: float) -> str:
    """How long it will still take, in words; '' as long as one cannot tell."""
    if not update.share or update.share < 0.02 or elapsed_s < 2:
        return ""
    seconds = elapsed_s / update.share * (1 - update.share)
    return f", about {seconds:.0f} s left" if seconds < 90 else f", about {seconds / 60:.0f} min left"


def summary(answer: DropletSearchAnswer, name: str, request: RenderRequest) -> str:
    """What came of a search so far, in a sentence."""
    count, flagged = len(answer.rows), answer.flagged
    return (
        f"{name}, psi {request.truncation.psi:g}: {flagged} of {count} seeds have a droplet ({flagged / count:.0%}), "
        f"{len(answer.missing)} lack it. Median strength {answer.median_strength:.3g}."
    )
