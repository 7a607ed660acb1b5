"""Contributions: what each resolution's to-RGB adds to the picture, and its share over many latents."""

from __future__ import annotations

from dataclasses import replace

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState, ModelInfo
from app.request import RenderRequest
from app.studies.contributions import (
    ONE_TORGB,
    ContributionShares,
    ResolutionAnswer,
    ResolutionPictures,
    SharesAnswer,
    as_json,
)
from widgets.canvas import Bar, BarList, Caption, PictureStrip
from widgets.choices import Choice
from widgets.controls import IntField, IntSlider, Slider
from widgets.image_view import ImageView
from widgets.panel import Panel
from widgets.rows import Tag, columns, heading, note, tooltip
from widgets.study_box import Ask, StudyBox

MODES = {"so_far": "Up to here", "alone": "Added here"}
MODE_HINT = (
    "The picture is the sum of the to-RGBs of all resolutions, each enlarged as the generator does it. Up to here: "
    "what it is when the higher resolutions are left out. Added here: what each one contributes; 0 is mid-grey."
)
APART = (
    "Each to-RGB made the whole picture while training grew to its resolution; only the last one is used now. Walk or "
    "drag: details that stay in place were pinned by growing."
)
SHARE_HINT = (
    "Standard deviation of the pixel values that a resolution adds, before enlarging, over all pixels, colours and "
    "latents; in % of the sum of all (Karras et al. 2020, section 4.2, Fig. 8). StyleGAN: a resolution adds what its "
    "picture differs by from the one before, doubled. The mark is this picture's own share."
)
VIEW_LINES = 15.0


class ContributionsPanel(Panel):
    """Pictures of every resolution for the latent on the screen; shares for many latents in the background."""

    title, order, window_id, area = "Contributions", 120, 1_000_000_061, "right-bottom"

    def build(self) -> None:
        self.words = note("Open a model to see what its to-RGBs add.")
        self.body: Tag = dpg.add_group(show=False)
        with dpg.group(parent=self.body):
            self.mode = Choice("", "so_far", MODES, MODE_HINT)
            self.gain_row: Tag = dpg.add_group(show=False)
            with dpg.group(parent=self.gain_row):
                self.gain = Slider(
                    "gain", 1.0, 1.0, 32.0, "Factor on what a resolution adds before it is shown.", unit="×", decimals=1
                )
            self.strip = PictureStrip(self.actions.texture, self._pick)
            self.about = heading("Share of each resolution")
            tooltip(self.about, SHARE_HINT)
            self.bars = BarList(self._pick)
            with columns(0.6, 0.4):
                self.count = IntSlider(
                    "latents", 256, 8, 1024, "Latents to measure; the paper takes 1024.", words={1024: "1024"}
                )
                self.first = IntField("seed", 0, "Their seeds: this one and those that follow.", buttons=False)
            self.study = StudyBox(
                self.actions, "Measure shares", "Draw many latents in the background. " + SHARE_HINT, self._ask,
                self._save,
            )  # fmt: skip
            self.chosen_words = heading("Large")
            self.view = ImageView(self.actions.texture, height=VIEW_LINES)
        self.chosen = 0
        self.serial = -1
        self.frame: Frame | None = None
        self.seen: ResolutionAnswer | None = None
        self.shares: SharesAnswer | None = None
        self.question: ContributionShares | None = None

    def contribute(self, request: RenderRequest) -> RenderRequest:
        if not (self.model is not None and several_torgbs(self.model) and self.visible()):
            return request
        alone = self.mode.value == "alone"
        question = ResolutionPictures(alone, self.gain.value if alone else 1.0, self.chosen)
        return replace(request, measures=(*request.measures, question))

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        self.study.update()
        if frame is not None and frame.serial != self.serial:
            self.serial, self.frame = frame.serial, frame
            answer = frame.answer(ResolutionPictures)
            if isinstance(answer, ResolutionAnswer) and answer.sizes:
                self._take(answer)
        if not self.visible():
            return
        dpg.configure_item(self.gain_row, show=self.mode.value == "alone")
        self.study.save.enabled = self.shares is not None
        self.count.enabled = self.first.enabled = not self.study.running
        for part in (self.strip, self.bars):
            part.update()
        self.view.update(busy=self.seen is None)

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        self.study.forget()
        self.seen = self.shares = None
        self.chosen = 0
        several = several_torgbs(model)
        dpg.configure_item(self.body, show=several)
        words = "" if several else f"{model.title}: {ONE_TORGB[0].lower()}{ONE_TORGB[1:]}"
        dpg.configure_item(self.words, default_value=words, show=not several)
        self.strip.show((), (), None)
        self.view.clear("Waiting for the picture.")
        self._show_bars()

    def _take(self, answer: ResolutionAnswer) -> None:
        self.seen = answer
        names = [size_name(size) for size in answer.sizes]
        captions = [Caption(name, f"{share:.1f} %") for name, share in zip(names, answer.share, strict=True)]
        self.strip.show(answer.tiles, captions, answer.chosen)
        if answer.large is not None:
            self.view.set_picture(answer.large)
        dpg.configure_item(self.words, default_value=APART, show=answer.use == "apart")
        words = "Up to" if self.mode.value == "so_far" else "Added at"
        dpg.set_item_label(self.chosen_words, f"{words} {names[answer.chosen]}")
        self._show_bars()

    def _show_bars(self) -> None:
        shares, seen = self.shares, self.seen
        if shares is None and seen is None:
            self.bars.show(())
            return
        sizes = shares.sizes if shares is not None else seen.sizes if seen is not None else ()
        own = dict(zip(seen.sizes, seen.share, strict=True)) if seen is not None else {}
        values = shares.share if shares is not None else tuple(own.values())
        rows = [
            Bar(size_name(size), value, f"{value:.1f} %", own.get(size) if shares is not None else None)
            for size, value in zip(sizes, values, strict=True)
        ]
        self.bars.show(rows, next((place for place, size in enumerate(sizes) if size[1] == self._shown_width), None))
        over = "in this picture" if shares is None else f"over {shares.count} latents (mark: this picture)"
        dpg.set_item_label(self.about, f"Share {over}")

    @property
    def _shown_width(self) -> int:
        return self.seen.sizes[self.seen.chosen][1] if self.seen is not None else 0

    def _pick(self, place: int) -> None:
        if self.seen is not None and place < len(self.seen.sizes):
            self.chosen = self.seen.sizes[place][1]

    def _ask(self) -> list[Ask]:
        if self.frame is None:
            return []
        self.question = ContributionShares(
            replace(self.frame.request, measures=()), self.count.value, self.first.value
        )  # fmt: skip
        return [(self.question, self._take_shares)]

    def _take_shares(self, answer: SharesAnswer) -> None:
        self.shares = answer
        self._show_bars()

    def _save(self) -> None:
        if self.shares is not None and self.question is not None:
            self.actions.save_numbers("contributions", as_json(self.shares, self.question))


def several_torgbs(model: ModelInfo) -> bool:
    """Whether resolutions can be told apart."""
    return sum(info.kind == "torgb" for info in model.layers) > 1


def size_name(size: tuple[int, int]) -> str:
    """(H, W) -> '8 × 8', width first."""
    return f"{size[1]} × {size[0]}"
