"""The point in W: a plane of seeds to move through, by hand or by itself; or a latent file."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from app.compare import position
from app.frame import Frame, LoopState
from app.request import Latent, RenderRequest, plane
from app.studies.direction_files import for_directions
from widgets.controls import Checkbox, Drag, TextField
from widgets.file_dialog import ask_path
from widgets.icons import icon
from widgets.panel import Panel, Shortcut
from widgets.readouts import KeyValues
from widgets.rows import buttons, heading

SUFFIXES = (".npy", ".npz", ".json")


class LatentPanel(Panel):
    """Seed = round(x) + 100 round(y); between whole numbers, w is the bilinear blend of the four neighbours."""

    title, order, window_id, area = "Latent", 30, 1_000_000_003, "left-bottom"

    def build(self) -> None:
        self.x = Drag("x", 0.0, "Across the plane: one unit is one seed.", unit="seeds", decimals=3)
        self.y = Drag("y", 0.0, "Down the plane: one unit is 100 seeds.", unit="× 100 seeds", decimals=3)
        self.gain = Drag(
            "drag gain",
            1.0,
            "How far a drag over the whole width of the picture moves through the plane.",
            low=0.01,
            high=100.0,
            unit="seeds / width",
        )
        buttons(
            (f"{icon('dices')}  Random", "Jump to a random seed from 0 to 9999 (R).", self.jump),
            ("Snap", "Move to the nearest whole seed (S).", self.snap),
            ("Reset", "Back to seed 0, standing still.", self.reset),
            weights=(1.3, 0.85, 0.85),
        )
        self.seeds = KeyValues()
        self.held: Latent | None = None  # a point that lies neither on the plane nor in one file
        heading("Walk")
        self.animate = Checkbox("on", False, "Move through the plane by itself, by the clock (W).")
        self.speed_x = Drag("speed x", 0.25, "Seeds per second along x.", unit="seeds / s")
        self.speed_y = Drag("speed y", 0.0, "Steps of 100 seeds per second along y.", unit="× 100 seeds / s")
        heading("File")
        self.file = TextField(
            "", "A latent file with w or W+ instead of the plane; dragging the picture returns to the plane.",
            placeholder="w or W+ as .npy, .npz, .pt, .json",
        )  # fmt: skip
        _, _, self.back = buttons(
            ("Open ...", "Choose a latent file.", self._ask_open),
            ("Save ...", "Save the shown point as W+ [num_ws, w_dim].", self._ask_save),
            ("Plane", "Leave the file, back to the plane of seeds.", self._leave_file),
        )

    def contribute(self, request: RenderRequest) -> RenderRequest:
        return replace(request, latent=self.latent)

    @property
    def latent(self) -> Latent:
        """The point that is shown."""
        if self.held is not None:
            return self.held
        return Latent.of_file(self.file.value) if self.file.value else plane(self.x.value, self.y.value)

    def restore(self, request: RenderRequest) -> None:
        self.go_to(request.latent)

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        self.seeds.show(parts(self.latent))
        self.back.enabled = bool(self.file.value) or self.held is not None

    def tick(self, seconds: float) -> None:
        if self.x.active or self.y.active:
            self.held = None
        elif self.animate.value:
            self.move(self.speed_x.value * seconds, self.speed_y.value * seconds)

    def move(self, dx: float, dy: float) -> None:
        """Move in the plane, in its own units."""
        self.held = None
        self.x.set(self.x.value + dx)
        self.y.set(self.y.value + dy)

    def drag_latent(self, dx: float, dy: float) -> None:
        self._leave_file()
        self.move(dx * self.gain.value, dy * self.gain.value)

    def go_to(self, latent: Latent) -> None:
        """Show a point; one that is not on the plane is held until the plane is moved through again."""
        self.animate.set(False)
        self.file.set(latent.file)
        place = position(latent)
        self.held = None if latent.file or (place is not None and plane(*place) == latent) else latent
        if place is None and latent.seeds:
            seed = max(latent.seeds, key=lambda item: item[1])[0]
            place = float(seed % 100), float(seed // 100)
        if place is not None:
            self.x.set(place[0])
            self.y.set(place[1])

    def reset(self) -> None:
        super().reset()
        self.held = None

    def jump(self) -> None:
        """Go to a random whole seed."""
        self._leave_file()
        self.x.set(float(random.randrange(100)))
        self.y.set(float(random.randrange(100)))

    def snap(self) -> None:
        """Go to the nearest whole seed."""
        self.held = None
        self.x.set(float(round(self.x.value)))
        self.y.set(float(round(self.y.value)))

    def take_file(self, path: str) -> bool:
        known = self.model
        if known is not None and for_directions(path, known.num_ws, known.w_dim):
            return False
        if Path(path).suffix.lower() in SUFFIXES:
            self.go_to(Latent.of_file(path))
            return True
        return False

    def _leave_file(self) -> None:
        self.file.set("")
        self.held = None

    def _ask_open(self) -> None:
        ask_path("Open a latent file", (".npy", ".npz", ".pt", ".json"), self.file.set)

    def _ask_save(self) -> None:
        ask_path("Save the latent", (".npz", ".npy", ".json"), self.actions.save_latent, save_as="latent")

    def _toggle(self) -> None:
        self.animate.set(not self.animate.value)

    def shortcuts(self) -> Sequence[Shortcut]:
        return (
            Shortcut("R", "Random seed", self.jump),
            Shortcut("S", "Snap to the nearest whole seed", self.snap),
            Shortcut("W", "Walk through W by itself, or stop", self._toggle),
            Shortcut("Left", "One seed to the left", lambda: self.move(-1.0, 0.0)),
            Shortcut("Right", "One seed to the right", lambda: self.move(1.0, 0.0)),
            Shortcut("Up", "100 seeds up", lambda: self.move(0.0, -1.0)),
            Shortcut("Down", "100 seeds down", lambda: self.move(0.0, 1.0)),
        )


def parts(latent: Latent) -> dict[str, str]:
    """What a point is made of, the largest weight first, for the table."""
    if latent.file:
        return {"from file": Path(latent.file).name}
    named = [(f"seed {seed}", weight) for seed, weight in latent.seeds]
    named += [(Path(path).name, weight) for path, weight in latent.files]
    named.sort(key=lambda item: -abs(item[1]))
    return {name: f"{weight:.1%}{' of z' if latent.space == 'z' else ''}" for name, weight in named}
