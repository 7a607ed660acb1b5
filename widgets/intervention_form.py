"""The controls that describe one intervention: layer, what is done, where, on which maps, how much."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import dearpygui.dearpygui as dpg

from networks.plan import DISC_OPS, NORM_OPS, OUTPUT, PRE_NORM, Disc, Intervention, LayerInfo
from widgets import look
from widgets.capture_panel import parse_seeds
from widgets.choices import Choice, Combo
from widgets.controls import Checkbox, Control, Drag, Slider, TextField
from widgets.intervention_ops import NORM_TAKES_IT, OPS, Op, fitting, key_of, maps_in_words
from widgets.rows import Tag, columns, note

STAGES = {PRE_NORM: "Before norm", OUTPUT: "After the layer"}
STAGE_HINT = (
    "Where the map is changed: before its instance norm, which then measures the changed map, or after the layer."
)
MAPS_HINT = "Which maps of the layer, for instance 3, 7-12; empty for all. Follows the Layers panel."
ONWARD_HINT = "To-RGBs excepted. A spike that is taken out of one layer is drawn anew by the next."
K_HINT = "Distance from the median in robust deviations, 1.4826 MAD."
ALL = ("", "all")
DISC = (
    ("x", 50.0, 0.0, 100.0, "Centre, in % of the picture's width from the left; a click on the picture sets it."),
    ("y", 50.0, 0.0, 100.0, "Centre, in % of the picture's height from the top; a click on the picture sets it."),
    ("r", 4.0, 0.2, 25.0, "Radius, in % of the picture's height."),
)


class InterventionForm:
    """`update` once per loop, then `value` is what the controls say; `describe` sets them."""

    def __init__(self) -> None:
        self.layers: Sequence[LayerInfo] = ()
        self.channels: tuple[int, ...] | None = None  # the last that could be read
        self.layer = Combo("layer", "", {}, "The layer whose maps are changed; follows the Layers panel.")
        self.op = Combo("what", "silence", fitting(None), "What is done to the values of each map.")
        self.op.on_change = self._suit_stage
        self.words = note()
        self.stage_group: Tag
        with dpg.group(show=False) as self.stage_group:
            self.stage = Choice("where", OUTPUT, STAGES, STAGE_HINT)
        self.onward_group: Tag
        with dpg.group(show=False) as self.onward_group, columns(look.LABEL_SHARE, 1 - look.LABEL_SHARE):
            dpg.add_text("")
            self.onward = Checkbox("", False, ONWARD_HINT, beside="and in every later layer")
        self.maps = TextField("maps", MAPS_HINT, placeholder="all, or 3, 7-12", on_enter=False)
        self.complaint = note("", look.WARNING)
        self._build_amounts()
        self.disc_group: Tag
        with dpg.group(show=False) as self.disc_group:
            self._build_disc()

    def _build_amounts(self) -> None:
        """One control for each kind of amount; the op's one is shown."""
        self.amounts: dict[str, Slider] = {}
        self.amount_groups: dict[str, Tag] = {}
        drag = partial(Drag, step=0.02, low=-1e4, high=1e4)
        makers: dict[str, Callable[[], Slider]] = {
            "factor": lambda: drag("factor", 2.0, "What each value is multiplied by.", unit="×"),
            "summand": lambda: drag("summand", 1.0, "What is added to each value, without unit.", unit="+"),
            "bound": lambda: drag("bound", 2.0, "Largest magnitude that is left, without unit.", unit="±"),
            "k": lambda: Slider("k", 4.0, 0.5, 12.0, K_HINT, unit="MAD", decimals=1),
            "strength": lambda: Slider("strength", 100.0, 0.0, 100.0, "0 % does nothing.", unit="%", decimals=0),
        }
        for name, make in makers.items():
            group: Tag
            with dpg.group(show=False) as group:
                self.amounts[name] = make()
            self.amount_groups[name] = group

    def _build_disc(self) -> None:
        third = (1 - look.LABEL_SHARE) / 3
        with columns(look.LABEL_SHARE, third, third, third):
            dpg.add_text("disc", color=look.MUTED)
            self.x, self.y, self.radius = (
                Slider("", default, low, high, hint, unit="%", decimals=1, name=name)
                for name, default, low, high, hint in DISC
            )

    # -- what the controls say ---------------------------------------------------------------------------------------

    @property
    def info(self) -> LayerInfo | None:
        """The layer that is named; None while there is no model."""
        return next((layer for layer in self.layers if layer.name == self.layer.value), None)

    @property
    def kind(self) -> Op:
        """What is to be done."""
        return OPS[self.op.value]

    @property
    def disc(self) -> Disc | None:
        """Where, if what is done needs a disc."""
        if self.kind.op not in DISC_OPS:
            return None
        return Disc(*(round(control.value / 100, 4) for control in (self.x, self.y, self.radius)))

    @property
    def value(self) -> Intervention | None:
        """All together; None while there is no model."""
        info = self.info
        if info is None:
            return None
        return Intervention(
            layer=info.name,
            op=self.kind.op,
            value=self._amount(),
            channels=self._channels(info),
            stage=self.stage.value if self.stage.value in info.stages else info.stages[0],
            disc=self.disc,
            onward=self.onward.value and self.kind.for_spikes,
        )

    def _amount(self) -> float:
        if self.kind.amount == "none":
            return 0.0
        return round(self.amounts[self.kind.amount].value / (100 if self.kind.amount == "strength" else 1), 4)

    def _channels(self, info: LayerInfo) -> tuple[int, ...] | None:
        """The maps as typed; what cannot be read, or is not there, is complained of and changes nothing."""
        text = self.maps.value.replace("–", "-")
        numbers = None if text in ALL else parse_seeds(text)
        words = ""
        if numbers is None and text not in ALL:
            words = f"'{text}' is no list of maps; for instance 3, 7-12."
        elif numbers and max(numbers) >= info.channels:
            words = f"{info.name} has maps 0 to {info.channels - 1}; {max(numbers)} is not there."
        dpg.configure_item(self.complaint, default_value=words, show=bool(words))
        if not words:
            self.channels = None if numbers is None else tuple(dict.fromkeys(numbers))
        kept = self.channels
        return kept if kept is None else tuple(channel for channel in kept if channel < info.channels)

    # -- what they are set to ----------------------------------------------------------------------------------------

    def adopt(self, layers: Sequence[LayerInfo]) -> None:
        """Offer the layers of another model."""
        self.layers = layers
        self.layer.offer({layer.name: f"{layer.name}   {layer.channels} maps" for layer in layers})
        self.look_at(layers[0].name, None)

    def look_at(self, layer: str, channel: int | None) -> None:
        """Be about one map, or all, of a layer."""
        if layer in self.layer.choices:
            self.layer.set(layer)
            self.maps.set("" if channel is None else str(channel))

    def describe(self, edit: Intervention | None) -> None:
        """Set the controls to an intervention; None leaves them."""
        if edit is None:
            return
        key = key_of(edit)
        self.layer.set(edit.layer)
        self.op.offer(fitting(self.info))
        self.op.set(key)
        self.stage.set(edit.stage)
        self.onward.set(edit.onward)
        self.maps.set("" if edit.channels is None else maps_in_words(edit.channels))
        self.channels = edit.channels
        if OPS[key].amount != "none":
            self.amounts[OPS[key].amount].set(round(edit.value * (100 if OPS[key].amount == "strength" else 1), 2))
        if edit.disc is not None:
            self.place(edit.disc.x, edit.disc.y, edit.disc.radius)

    def place(self, x: float, y: float, radius: float | None = None) -> None:
        """Put the disc at (x, y), shares of the picture's width and height; radius in heights, None as it is."""
        self.x.set(round(100 * min(max(x, 0.0), 1.0), 1))
        self.y.set(round(100 * min(max(y, 0.0), 1.0), 1))
        if radius is not None:
            self.radius.set(round(100 * radius, 1))

    def update(self) -> None:
        """Offer what fits the layer; show what belongs to the op."""
        info = self.info
        self.op.offer(fitting(info))
        if not self.op.value:
            self.op.set("silence")
        op = self.kind
        normed = info is not None and PRE_NORM in info.stages
        if op.op in NORM_OPS:
            self.stage.set(PRE_NORM)
        idle = normed and self.stage.value == PRE_NORM and op.op in ("scale", "shift")
        dpg.set_value(self.words, f"{op.sentence} {NORM_TAKES_IT}" if idle else op.sentence)
        dpg.configure_item(self.stage_group, show=normed)
        self.stage.enabled = op.op not in NORM_OPS
        dpg.configure_item(self.onward_group, show=op.for_spikes)
        for name, group in self.amount_groups.items():
            dpg.configure_item(group, show=name == op.amount)
        dpg.configure_item(self.disc_group, show=op.op in DISC_OPS)

    def controls(self) -> Iterator[Control[Any]]:
        """All of them."""
        yield from (value for value in vars(self).values() if isinstance(value, Control))
        yield from self.amounts.values()

    def _suit_stage(self, key: str) -> None:
        """Spikes are met before the norm; scaled, shifted or silenced, a map must be met after it."""
        self.stage.set(PRE_NORM if OPS[key].for_spikes else OUTPUT)
