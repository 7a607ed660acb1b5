"""Truncation: pull ws towards the centre of W."""

from __future__ import annotations

from dataclasses import replace

from app.frame import Frame, LoopState, ModelInfo
from app.request import RenderRequest, Truncation
from widgets.controls import IntSlider, Slider
from widgets.panel import Panel
from widgets.rows import buttons, note


class TruncationPanel(Panel):
    """ws = centre + psi (ws - centre) on rows below the cutoff (Karras et al. 2019, section 2.1 of the appendix)."""

    title, order, window_id, area = "Truncation", 40, 1_000_000_004, "left-bottom"

    def build(self) -> None:
        self.psi = Slider(
            "psi", 1.0, -1.0, 2.0,
            "Distance from the centre of W, as a factor: 0 is the average picture, 1 leaves w as it is, "
            "negative values give the opposite.",
        )  # fmt: skip
        self.cutoff = IntSlider(
            "cutoff", 0, 0, 0,
            "Rows of ws that psi acts on, counted from the coarsest; rows from here on are left as they are.",
            words={0: "all rows"},
        )  # fmt: skip
        buttons(
            ("Average", "psi 0: the centre of W.", lambda: self.psi.set(0.0)),
            ("0.7", "psi 0.7: the usual compromise between variety and fidelity.", lambda: self.psi.set(0.7)),
            ("Off", "psi 1: no truncation.", lambda: self.psi.set(1.0)),
        )
        self.words = note()

    def contribute(self, request: RenderRequest) -> RenderRequest:
        cutoff = None if self.cutoff.value == self.cutoff.high else self.cutoff.value
        return replace(request, truncation=Truncation(self.psi.value, cutoff))

    def restore(self, request: RenderRequest) -> None:
        self.psi.set(request.truncation.psi)
        self.cutoff.set(self.cutoff.high if request.truncation.cutoff is None else request.truncation.cutoff)

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        untouched = self.psi.value == self.psi.default and self.cutoff.value == self.cutoff.default
        if former is not None and former.num_ws == model.num_ws and former.path == model.path:
            return
        all_rows = model.num_ws
        everywhere = self.cutoff.value == self.cutoff.high
        self.cutoff.limit(0, all_rows, {0: "no row", all_rows: f"all {all_rows} rows"})
        self.psi.default = model.default_psi
        self.cutoff.default = all_rows if model.default_cutoff is None else model.default_cutoff
        if untouched:
            self.psi.reset()
            self.cutoff.reset()
        elif everywhere:
            self.cutoff.set(all_rows)
