"""What a pane of the comparison has of its own: model, noise, rows of a second seed, and what was unlinked."""

from __future__ import annotations

from typing import Any

import dearpygui.dearpygui as dpg

from app.compare import Pane, position, spans
from app.frame import ModelInfo
from app.request import Latent, Mix, RenderRequest, Transform, plane
from networks.plan import NoiseMode
from widgets import look
from widgets.choices import Choice
from widgets.compare_math import parse_rows
from widgets.controls import Checkbox, Control, IntField, Slider, TextField
from widgets.icons import icon
from widgets.mixing_panel import groups
from widgets.rows import Switchable, Tag, buttons, heading, note

NOISE = {"": "Shared", "none": "Off", "const": "Stored", "random": "Random"}
NOISE_MODES: dict[str, NoiseMode] = {"none": "none", "const": "const", "random": "random"}
WIDTH = 380  # pixels at scale 1
LINKS = {  # the word, the sign for narrow panes, what it means
    "latent": (
        "point",
        icon("crosshair"),
        "The point of W: linked, a drag in any linked pane moves all of them; each model maps the same seeds.",
    ),
    "psi": ("psi", "ψ", "Truncation: linked, psi is that of the Truncation panel."),
    "transform": ("shift", icon("move"), "Shift and turn: linked, they are those of the Transform panel."),
    "zoom": ("zoom", icon("search"), "Zoom and pan: linked, the same part of the picture is shown, whatever its size."),
}


class OwnValues:
    """A pane's values and the window with their controls. `pane()` is what the app is told."""

    def __init__(self, name: str, path: str | None) -> None:
        self.name, self.first_path = name, path
        self.path, self.attempt = path, 0
        self.links = dict.fromkeys(LINKS, True)
        self.latent = Latent()
        self.info: ModelInfo | None = None
        self.window: Tag
        self.body: Tag
        with (
            dpg.window(popup=True, show=False, autosize=True, no_saved_settings=True) as self.window,
            dpg.child_window(width=look.pixels(WIDTH), auto_resize_y=True, border=False) as self.body,
        ):
            self._build()

    def _build(self) -> None:
        title = dpg.add_text(f"Pane {self.name}: its own values")
        look.bind_font(title, "semibold")
        self.file = TextField(
            "file", "Path of this pane's own checkpoint. Enter opens it, also once more.", on_change=self.open,
            placeholder="the open model",
        )  # fmt: skip
        self.bgr = Checkbox("", False, "Some ports were trained on blue, green, red.", beside="swap red and blue")
        heading("Noise")
        self.noise = Choice("", "", NOISE, "As in the Noise panel, or this pane's own.")
        self.strength = Slider("strength", 1.0, 0.0, 4.0, "Factor on every noise input of this pane.", unit="×")
        heading("Style mixing")
        self.own_mix = Checkbox("", False, "Instead of the rows of the Mixing panel.", beside="rows of its own")
        self.seed = IntField("second seed", 1, "The seed whose w styles these rows.")
        self.rows = TextField(
            "rows", "Rows of ws from the second seed, for instance 0-3, 8.", placeholder="none", on_enter=False
        )
        self.parts = buttons(
            *(
                (part.capitalize(), f"The {part} rows of this pane's model.", lambda part=part: self.choose(part))
                for part in ("coarse", "middle", "fine", "none")
            )
        )
        self.complaint = note("", look.ERROR)
        heading("Where unlinked")
        self.psi = Slider("psi", 1.0, -1.0, 2.0, "This pane's psi, with the shared cutoff. Unlink psi to change it.")
        unlink = "Unlink shift to change it."
        self.x = Slider("shift x", 0.0, -1.0, 1.0, f"To the right. {unlink}", unit="widths", decimals=3)
        self.y = Slider("shift y", 0.0, -1.0, 1.0, f"Downwards. {unlink}", unit="heights", decimals=3)
        self.angle = Slider("turn", 0.0, -180.0, 180.0, f"About the middle. {unlink}", unit="°", decimals=1)

    def controls(self) -> list[Control[Any]]:
        """Every control of the window."""
        return [value for value in vars(self).values() if isinstance(value, Control)]

    def pane(self) -> Pane:
        """The pane as plain values; what is linked is None."""
        own = self.path is not None
        shown = Transform(self.x.value, self.y.value, self.angle.value)
        return Pane(
            path=self.path,
            attempt=self.attempt,
            bgr=self.bgr.value if own else False,
            noise=NOISE_MODES.get(self.noise.value),
            noise_strength=self.strength.value,
            mix=self._mix(),
            latent=None if self.links["latent"] else self.latent,
            psi=None if self.links["psi"] else self.psi.value,
            transform=None if self.links["transform"] else shown,
        )

    def _mix(self) -> Mix | None:
        if not self.own_mix.value:
            return None
        rows = parse_rows(self.rows.value)
        return Mix(self.seed.value, rows) if rows else Mix()

    def open(self, path: str | None) -> None:
        """Give the pane a model of its own ('' none yet), or None: the open one. The same path again tries again."""
        if isinstance(path, str):
            path = path.strip().strip('"')
        self.attempt = self.attempt + 1 if path == self.path else 0
        self.path = path
        self.file.set(path or "")

    def unlink(self, name: str, request: RenderRequest) -> None:
        """Let a value of the pane go its own way, from where the shared one is now; or link it again."""
        self.links[name] = not self.links[name]
        if self.links[name]:
            return
        if name == "latent":
            self.latent = request.latent
        elif name == "psi":
            self.psi.set(request.truncation.psi)
        elif name == "transform":
            for control, value in zip(
                (self.x, self.y, self.angle),
                (request.transform.x, request.transform.y, request.transform.angle_deg),
                strict=True,
            ):
                control.set(value)

    def drag(self, dx: float, dy: float) -> None:
        """Move the pane's own point of W by so many seeds; from seed 0 where it lies on no plane of seeds."""
        x, y = position(self.latent) or (0.0, 0.0)
        self.latent = plane(x + dx, y + dy)

    def choose(self, part: str) -> None:
        """Take the coarse, middle or fine rows of the pane's model."""
        rows = groups(self.info.layers, self.info.num_ws) if self.info is not None else {}
        self.rows.set(spans(rows.get(part, ())))

    def update(self, info: ModelInfo | None) -> None:
        """Fit the controls to the pane's model; once per turn."""
        self.info = info
        noisy = info is None or any(layer.has_noise for layer in info.layers)
        self.noise.enabled = self.strength.enabled = noisy
        self.bgr.enabled = self.path is not None
        switchable: list[Switchable] = [self.seed, self.rows, *self.parts]
        for item in switchable:
            item.enabled = self.own_mix.value
        self.psi.enabled = not self.links["psi"]
        for slider in (self.x, self.y, self.angle):
            slider.enabled = not self.links["transform"] and (info is None or info.has_transform)
        wrong = self.own_mix.value and parse_rows(self.rows.value) is None
        words = f"{self.rows.value!r} is not a list of rows; write for instance 0-3, 8." if wrong else ""
        dpg.configure_item(self.complaint, default_value=words, show=wrong)

    def show(self, x: float, y: float) -> None:
        """Open the window with its upper left corner there, in pixels of the viewport."""
        dpg.configure_item(self.body, width=look.pixels(WIDTH))
        dpg.configure_item(self.window, show=True, pos=(round(x), round(y)))

    def reset(self) -> None:
        """Linked again, nothing of its own; the model stays."""
        for control in self.controls():
            if control is not self.file:
                control.reset()
        self.links = dict.fromkeys(LINKS, True)
