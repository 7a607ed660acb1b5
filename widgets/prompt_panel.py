"""The text of text-to-image generators: two prompts, blended; or a conditioning vector from a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dearpygui.dearpygui as dpg
import numpy as np

from app.frame import Frame, LoopState, ModelInfo
from app.request import RenderRequest
from widgets.choices import Combo
from widgets.controls import Slider, TextField
from widgets.file_dialog import ask_path
from widgets.panel import Panel
from widgets.rows import buttons, heading, note

HISTORY = 20
NO_ENCODER = (
    "No text encoder: the file carries none, or the extra is not installed (pip install open_clip_torch). "
    "A conditioning vector as .npy works without."
)


class PromptPanel(Panel):
    """Prompts count when Enter is pressed; they are encoded beside the live picture."""

    title, order, window_id, area = "Prompt", 24, 1_000_000_013, "left-top"

    def build(self) -> None:
        self.words = note("Open a model first.")
        self.group = dpg.add_group(show=False)
        dpg.push_container_stack(self.group)
        self.a = TextField("prompt A", "What the picture shows. Enter encodes it.", placeholder="a photo of ...")
        self.b = TextField(
            "prompt B", "The far end of the blend; empty for none. Enter encodes it.", placeholder="none"
        )
        self.a.on_change = self.b.on_change = self._remember
        self.blend = Slider("blend", 0.0, 0.0, 1.0, "0 is prompt A, 1 is prompt B; a straight line in W.")
        self.history: tuple[str, ...] = ()
        self.recent = Combo("history", "", {}, "Former prompts, newest first: puts one into A.", on_change=self._recall)
        heading("Vector instead")
        self.file = TextField("", "A conditioning vector as .npy, in place of the prompts.", placeholder="vector .npy")
        _, self.back = buttons(
            ("Open ...", "Choose a .npy file.", lambda: ask_path("Open a vector", (".npy",), self.file.set)),
            ("Prompts", "Leave the file, back to the prompts.", lambda: self.file.set("")),
        )
        dpg.pop_container_stack()

    def contribute(self, request: RenderRequest) -> RenderRequest:
        if self.model is None or self.model.condition != "vector":
            return request
        file = self.file.value
        a, b = ("", "") if file else (self.a.value, self.b.value)
        blend = self.blend.value if b else 0.0
        return replace(
            request, condition=replace(request.condition, prompt=a, prompt_b=b, vector_file=file, blend=blend)
        )

    def restore(self, request: RenderRequest) -> None:
        asked = request.condition
        self.a.set(asked.prompt)
        self.b.set(asked.prompt_b)
        self.blend.set(asked.blend)
        self.file.set(asked.vector_file)

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        encoder = self.model is not None and self.model.has_text_encoder and not self.file.value
        self.a.enabled = self.b.enabled = encoder
        self.blend.enabled = encoder and bool(self.b.value)
        self.recent.enabled = encoder and bool(self.history)
        self.back.enabled = bool(self.file.value)

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        takes_text = model.condition == "vector"
        dpg.configure_item(self.group, show=takes_text)
        words = "" if model.has_text_encoder else NO_ENCODER
        if not takes_text:
            words = f"{model.title} takes no text; StyleGAN-T does."
        dpg.configure_item(self.words, default_value=words, show=bool(words))

    def take_file(self, path: str) -> bool:
        if self.model is None or self.model.condition != "vector" or Path(path).suffix.lower() != ".npy":
            return False
        try:
            shape = np.load(path, mmap_mode="r").shape
        except (OSError, ValueError):
            return False
        if shape not in ((self.model.c_dim,), (1, self.model.c_dim)):
            return False
        self.file.set(path)
        return True

    def _remember(self, prompt: str) -> None:
        if prompt:
            self.history = (prompt, *(old for old in self.history if old != prompt))[:HISTORY]
            self.recent.offer({old: old for old in self.history})
            self.recent.set(prompt)

    def _recall(self, prompt: str) -> None:
        self.a.set(prompt)
