"""Directions in W and in StyleSpace as named sliders, with what their ends look like."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState, ModelInfo
from app.request import Push, RenderRequest
from app.studies.direction_files import for_directions
from app.studies.directions import SaveSliders, Slider, as_json, from_plain, name_of, orthogonal, parse
from app.studies.picture_list import shown_part
from widgets import look
from widgets.controls import Checkbox, Control
from widgets.direction_ends import SIDE, EndTexture
from widgets.direction_list import DirectionList
from widgets.direction_source import DirectionSource
from widgets.file_dialog import ask_path
from widgets.icons import icon
from widgets.panel import Panel
from widgets.rows import Button, columns, heading
from widgets.small_pictures import SmallPictures

EMPTY = "No sliders yet. Add the first principal components of this model above."
ENDS_HINT = (
    "Small pictures beside each slider: the shown picture gone 3 standard deviations either way (15 for a style"
    " channel). They are drawn while nothing else is."
)
STRAIGHT_HINT = (
    "Make each direction orthogonal to those above it (Gram-Schmidt), so that no two sliders do the same. The first one"
    " stays; style channels stay."
)
SAVE_HINT = "Save the sliders with their vectors: .json to open them here again, .npz for other tools."
REACH = {True: 15.0, False: 3.0}  # standard deviations at the ends: of a style channel, of w


class DirectionsPanel(Panel):
    """ws[rows] += strength * sigma * direction, for each slider, after truncation and mixing."""

    title, order, window_id, area = "Directions", 45, 1_000_000_044, "left-bottom"

    def build(self) -> None:
        self.source = DirectionSource(self.actions, self.add)
        heading("Sliders")
        with columns(0.25, 0.35, 0.18, 0.11, 0.11):
            self.ends = Checkbox("", True, ENDS_HINT, beside="ends")
            self.straight = Button("Orthogonal", STRAIGHT_HINT, self.orthogonalize, width=-1)
            self.save = Button("Save", SAVE_HINT, self._ask_save, width=-1)
            self.zero = Button(icon("rotate-ccw"), "All sliders back to 0.", self._zero, width=-1, theme="ghost")
            self.clear = Button(icon("trash-2"), "Remove all sliders.", lambda: self.put(()), width=-1, theme="ghost")
        self.list = DirectionList(EMPTY, self.source)
        self.list.reroll = lambda push: replace(push, index=random.randrange(2**31))
        self.pictures = SmallPictures(self.actions)
        self.texture = EndTexture(self.actions.texture)
        self.base: RenderRequest | None = None  # of the shown picture, without directions
        self.waiting: tuple[Slider, ...] = ()  # sliders that came before a model
        self.wanted: list[RenderRequest | None] = []  # of the ends, two for each slider
        self._state: tuple[object, ...] = ()
        self.tried: set[str] = set()  # sources that were computed for their pictures, or could not be

    # -- request -----------------------------------------------------------------------------------------------------

    def contribute(self, request: RenderRequest) -> RenderRequest:
        return replace(request, pushes=self.list.pushes) if self._is_ours(request) else request

    def _is_ours(self, request: RenderRequest) -> bool:
        """Another model is about to open: the sliders belong to the one before, or to all snapshots of its run."""
        path = request.model.path
        return self.model is not None and (not path or Path(path).parent == Path(self.model.path).parent)

    def restore(self, request: RenderRequest) -> None:
        if self.model is None:
            self.waiting = (*self.waiting, *(Slider(push) for push in request.pushes))
        else:
            self.list.match(request.pushes, self.model)

    def keep(self) -> dict[str, Any]:
        sliders = self.list.now if self.model is not None else self.waiting
        return super().keep() | ({"sliders": [as_json(slider) for slider in sliders]} if sliders else {})

    def recall(self, kept: Mapping[str, Any]) -> None:
        super().recall(kept)
        sliders = kept.get("sliders")
        if isinstance(sliders, list):
            self.put(tuple(slider for values in sliders if (slider := from_plain(values)) is not None))

    # -- what the user does ------------------------------------------------------------------------------------------

    def add(self, sliders: tuple[Slider, ...]) -> None:
        """Put sliders at the end; what is there already is not put there twice."""
        there = {(slider.push.source, slider.push.index) for slider in self.list.now}
        self.put((*self.list.now, *(one for one in sliders if (one.push.source, one.push.index) not in there)))

    def put(self, sliders: tuple[Slider, ...]) -> None:
        """Exactly these sliders."""
        if self.model is None:
            self.waiting = sliders
        else:
            self.list.put(sliders, self.model)

    def orthogonalize(self) -> None:
        """Each direction in W without its share of those above it."""
        now = self.list.now
        places = [at for at, slider in enumerate(now) if parse(slider.push.source).kind != "style"]
        if len(places) < 2:
            self.actions.say("Two directions in W are needed to make one orthogonal to the other.")
            return
        source = orthogonal(tuple(_part(now[at].push) for at in places))
        made = list(now)
        for index, at in enumerate(places):
            before = now[at]
            name = (before.name or name_of(before.push)).removesuffix(ORTHOGONAL) + ORTHOGONAL
            made[at] = Slider(replace(before.push, source=source, index=index), name)
        self.source.find(source, lambda _: self.put(tuple(made)))

    def take_file(self, path: str) -> bool:
        if self.model is None or not for_directions(path, self.model.num_ws, self.model.w_dim):
            return False
        self.source.open_file(path, points=True)
        return True

    def reset(self) -> None:
        super().reset()
        self.source.stop()

    def _zero(self) -> None:
        for slider in self.list.sliders:
            slider.strength.reset()

    def _ask_save(self) -> None:
        ask_path("Save directions", (".json", ".npz"), self.save_to, save_as="directions")

    def save_to(self, path: str) -> None:
        """Write the sliders with their vectors."""
        self.source.ask(SaveSliders(self.source.request, self.list.now, path), self._saved)

    def _saved(self, answer: object) -> None:
        words = str(answer)
        self.actions.say(f"{words[:1].upper()}{words[1:]}")

    def controls(self) -> Iterator[Control[Any]]:
        return chain(super().controls(), self.list.controls())

    # -- what is shown -----------------------------------------------------------------------------------------------

    def tick(self, seconds: float) -> None:
        self.pictures.tick(seconds)

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        self.source.update()
        there = bool(self.list.sliders)
        for button in (self.straight, self.save, self.zero, self.clear):
            button.enabled = there
        if frame is not None and frame.picture is not None and frame.problem is None and frame.model == self.model:
            self.base = replace(shown_part(frame.request), pushes=())
        self._show_ends()

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        self.source.adopt(model)
        self.pictures.forget()
        self.base, self.tried = None, set()
        if former is None:
            self.list.put(self.waiting, model)
            self.waiting = ()
        elif (model.layers, model.w_dim, model.num_ws) != (former.layers, former.w_dim, former.num_ws):
            self.list.put((), model)

    def _show_ends(self) -> None:
        """Ask for the small pictures of the sliders that can be seen, and show what is there."""
        shown = self.ends.value and self.visible() and self.base is not None
        seen = tuple(
            slider.push if shown and dpg.is_item_visible(slider.group) and self._is_found(slider.push.source) else None
            for slider in self.list.sliders
        )
        state = (self.base, tuple(replace(push, strength=0.0) if push else None for push in seen), self.ends.value)
        if state != self._state:
            self._state = state
            self._lay_out_ends(seen)
        self.pictures.want([request for request in self.wanted if request is not None], look.pixels(SIDE))
        self.pictures.update(bool(shown))
        former = self.texture.pictures if len(self.texture.pictures) == len(self.wanted) else (None,) * len(self.wanted)
        self.texture.put(
            [
                before if request is None or (pixels := self.pictures.of(request).pixels) is None else pixels
                for request, before in zip(self.wanted, former, strict=True)
            ]
        )
        self._place_ends()

    def _lay_out_ends(self, seen: tuple[Push | None, ...]) -> None:
        """The requests of both ends of each slider that is seen."""
        self.wanted = []
        for slider, push in zip(self.list.sliders, seen, strict=True):
            for end in slider.ends:
                dpg.configure_item(end.tag, show=self.ends.value)
            reach = REACH[slider.source.kind == "style"]
            for strength in (-reach, reach):
                self.wanted.append(_pushed(self.base, push, strength))

    def _place_ends(self) -> None:
        shape = 1.0 if self.model is None else self.model.resolution[0] / self.model.resolution[1]
        for number, slider in enumerate(self.list.sliders):
            reach = REACH[slider.source.kind == "style"]
            for side, end in enumerate(slider.ends):
                words = f"{'+' if side else '−'}{reach:g} σ"
                end.show(self.texture.texture, self.texture.box(2 * number + side), words, shape)

    def _is_found(self, source: str) -> bool:
        """Whether a source is computed; else it is, step by step, as long as nothing else is computed here."""
        if source in self.source.found:
            return True
        if source not in self.tried and not self.source.busy:
            self.tried.add(source)
            self.source.find(source, lambda _: None)
        return False


ORTHOGONAL = ", orthogonal"


def _pushed(base: RenderRequest | None, push: Push | None, strength: float) -> RenderRequest | None:
    """The picture gone this far along one direction."""
    return None if base is None or push is None else replace(base, pushes=(replace(push, strength=strength),))


def _part(push: Push) -> tuple[str, int]:
    """The direction that a push goes along; of one made orthogonal, the one that it was made from."""
    source = parse(push.source)
    return source.parts[push.index] if source.kind == "orthogonal" else (push.source, push.index)
