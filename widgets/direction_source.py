"""Where directions come from: principal components, the weights, style channels, chance, or a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import dearpygui.dearpygui as dpg

from app.frame import ModelInfo
from app.request import Latent, Push, RenderRequest
from app.studies import Study
from app.studies.directions import (
    SAMPLES,
    FindDirections,
    Found,
    OpenFile,
    RankChannels,
    Ranking,
    Slider,
    Sliders,
)
from widgets import look
from widgets.choices import Choice, Combo
from widgets.controls import IntField, TextField
from widgets.file_dialog import ask_path
from widgets.icons import icon
from widgets.panel import Actions, StudyHandle
from widgets.rows import Button, Tag, buttons, note

KINDS = {"pca": "PCA", "sefa": "SeFa", "style": "Style", "random": "Random"}
KINDS_HINT = (
    "PCA: the directions along which w varies most (GANSpace). SeFa: those that change the styles most, from the"
    " weights alone. Style: one channel of one layer's style (StyleSpace). Random: a direction drawn from a seed."
)
COUNTS = {"1000": "1,000", "10000": "10,000", "100000": "100,000", "1000000": "1,000,000"}
FILES = (".npz", ".npy", ".json", ".pt", ".pth", ".pkl")
STRONGEST = 8  # channels that are added at once
MOST = 64  # directions that a file adds at once


class DirectionSource:
    """add: takes new sliders; moved on: `update` once per loop. `words` knows shares and labels of what was found."""

    def __init__(self, actions: Actions, add: Callable[[tuple[Slider, ...]], None]) -> None:
        self.actions, self.add = actions, add
        self.model: ModelInfo | None = None
        self.found: dict[str, Found] = {}
        self.effects: dict[tuple[str, int], float] = {}  # (source, channel) -> % of the range, where it was looked at
        self.handle: StudyHandle | None = None
        self.take: Callable[[object], None] = lambda answer: None
        self.kind = Choice("", "pca", KINDS, KINDS_HINT, on_change=self._show_kind)
        self.groups: dict[str, Tag] = {}
        self._build_pca()
        self._build_sefa()
        self._build_style()
        self._build_random()
        self.press, self.file = buttons(
            ("Add", "Put them at the end of the list, at 0.", self._pressed),
            (
                f"{icon('folder-open')}  File ...",
                "Directions or a saved set: .npz, .npy, .json, .pt, .pkl (GANSpace's components, too). Nothing in a"
                " file is executed. Files can be dropped on the window as well.",
                lambda: ask_path("Open directions", FILES, self.open_file),
            ),
        )
        self.press.dress("primary")
        self.progress: Tag = dpg.add_progress_bar(width=-1, show=False)
        self.words = note("", look.ERROR)
        self._show_kind("pca")

    def _build_pca(self) -> None:
        with dpg.group() as self.groups["pca"]:
            self.count = IntField("how many", 6, "The first so many: those along which w varies most.", low=1, high=64)
            self.samples = Combo(
                "seeds", str(SAMPLES), COUNTS, "Mapped seeds behind the components; they are kept for each model."
            )  # fmt: skip

    def _build_sefa(self) -> None:
        with dpg.group(show=False) as self.groups["sefa"]:
            self.sefa_count = IntField("how many", 6, "The first so many: those that change the styles most.", low=1,
                                       high=64)  # fmt: skip
            self.sefa_rows = TextField(
                "rows", "Rows of ws whose affine weights count: 0-3; empty for all.", placeholder="all", on_enter=False
            )  # fmt: skip

    def _build_style(self) -> None:
        with dpg.group(show=False) as self.groups["style"]:
            self.layer = Combo("layer", "", {}, "Whose style: the layers that w enters.")
            self.channel = IntField("channel", 0, "Which channel of the style, from 0.")
            self.strongest = Button(
                f"{icon('crosshair')}  Strongest in this picture",
                "Add the channels of all layers that change this picture most: by one standard deviation each, to first"
                " order, from 8 passes forward and back.",
                self._rank, width=-1,
            )  # fmt: skip

    def _build_random(self) -> None:
        with dpg.group(show=False) as self.groups["random"]:
            self.seed = IntField("seed", 0, "The direction is drawn from this seed; each press takes the next one.")

    def _show_kind(self, kind: str) -> None:
        for name, group in self.groups.items():
            dpg.configure_item(group, show=name == kind)

    # -- asking ------------------------------------------------------------------------------------------------------

    @property
    def request(self) -> RenderRequest:
        """The picture that is shown, without directions."""
        return replace(self.actions.current(), pushes=(), measures=())

    @property
    def running(self) -> bool:
        """Whether something is being computed."""
        return self.handle is not None and not self.handle.done

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come or to be taken."""
        return self.handle is not None

    def _pressed(self) -> None:
        if self.running:
            self.stop()
        elif self.model is None:
            dpg.configure_item(self.words, default_value="Open a model first.", show=True)
        else:
            self._ask_for(self.kind.value)

    def _ask_for(self, kind: str) -> None:
        if kind == "random":
            seed = self.seed.value
            self.seed.set((seed + 1) % 2**31)
            self.find("random", lambda _: self.add((Slider(Push("random", seed)),)))
        elif kind == "style":
            push = Push(f"style:{self.layer.value}", self.channel.value)
            self.find(push.source, lambda found: self._add_channel(push, found))
        else:
            rows = self.sefa_rows.value.strip()
            text = f"pca:{self.samples.value}" if kind == "pca" else f"sefa:{rows}" if rows else "sefa"
            count = self.count.value if kind == "pca" else self.sefa_count.value
            self.find(text, lambda found: self._add_first(found, count))

    def find(self, source: str, then: Callable[[Found], None]) -> None:
        """Compute a source's directions in the background, then go on."""
        self._start(FindDirections(self.request, source), lambda answer: self._found(answer, then))

    def open_file(self, path: str, points: bool = False) -> None:
        """Look into a file and add what it holds; points: what has a latent's shape is one (a dropped file)."""
        self._start(OpenFile(self.request, path, points), self._opened)

    def ask(self, question: Study, take: Callable[[object], None]) -> None:
        """Another question about directions, with the same progress bar."""
        self._start(question, take)

    def _rank(self) -> None:
        if self.model is not None:
            self._start(RankChannels(self.request), self._ranked)

    def _start(self, question: Study, take: Callable[[object], None]) -> None:
        self.stop()
        self.handle, self.take = self.actions.study(question), take
        dpg.configure_item(self.words, show=False)

    def stop(self) -> None:
        """Call off what is being computed."""
        if self.handle is not None:
            self.handle.cancel()
        self.handle = None

    # -- answers -----------------------------------------------------------------------------------------------------

    def update(self) -> None:
        """Show progress; hand over what is done."""
        running = self.running
        dpg.configure_item(self.progress, show=running)
        self.press.rename("Stop" if running else "Add")
        self.press.dress("danger" if running else "primary")
        if self.handle is None:
            return
        state = self.handle.state
        dpg.configure_item(self.progress, overlay=state.update.text)
        dpg.set_value(self.progress, state.update.share or 0.0)
        if not self.handle.done:
            return
        self.handle = None
        if state.problem is not None:
            words = f"{state.problem.detail} {state.problem.hint}".strip()
            dpg.configure_item(self.words, default_value=words, show=True)
        elif state.update.answer is not None:
            self.take(state.update.answer)

    def adopt(self, model: ModelInfo) -> None:
        """Another model is open: what was found belongs to the one before."""
        self.stop()
        self.model, self.found, self.effects = model, {}, {}
        layers = {
            layer.name: f"{layer.name}  ({layer.style_dim})" for layer in model.layers if layer.w_index is not None
        }
        self.layer.offer(layers)
        if not self.layer.value and layers:
            self.layer.set(next(iter(layers)))

    def brief(self, push: Push) -> str:
        """A line under a style channel's slider."""
        effect = self.effects.get((push.source, push.index))
        return "a style channel" if effect is None else f"1 σ changes {effect:.2g} % here"

    def describe(self, push: Push) -> str:
        """What is known of a direction, for its tooltip."""
        found = self.found.get(push.source)
        if found is None or push.index >= max(len(found.sigma), len(found.share)):
            return ""
        words = f"One standard deviation is {found.sigma[push.index]:.3g} in units of w."
        if push.source.startswith("style:"):
            words = f"One standard deviation of this channel is {found.sigma[push.index]:.3g}."
        if found.share:
            words += f" It holds {found.share[push.index]:.1%} of the variance of w."
        return words

    def _found(self, answer: object, then: Callable[[Found], None]) -> None:
        if isinstance(answer, Found):
            self.found[answer.source] = answer
            then(answer)

    def _add_first(self, found: Found, count: int) -> None:
        labels = found.labels or ("",) * found.count
        self.add(tuple(Slider(Push(found.source, at), labels[at]) for at in range(min(count, found.count))))

    def _add_channel(self, push: Push, found: Found) -> None:
        if push.index < found.count:
            self.add((Slider(push),))
        else:
            words = f"{push.source[6:]} has channels 0 to {found.count - 1}; there is no {push.index}."
            dpg.configure_item(self.words, default_value=words, show=True)

    def _ranked(self, answer: object) -> None:
        if isinstance(answer, Ranking):
            self.effects = {(f"style:{one.layer}", one.index): one.effect for one in answer.channels}
            self.add(tuple(Slider(Push(f"style:{one.layer}", one.index)) for one in answer.channels[:STRONGEST]))

    def _opened(self, answer: object) -> None:
        if isinstance(answer, Sliders):
            self.add(answer.sliders)
            if answer.words:
                self.actions.say(f"The set was {answer.words}.")
        elif isinstance(answer, Found) and answer.latent:
            self.on_latent(answer.source)
        elif isinstance(answer, Found):
            self.found[answer.source] = answer
            self._add_first(answer, MOST)

    def on_latent(self, path: str) -> None:
        """A dropped torch file was a latent after all."""
        self.actions.go_to(Latent.of_file(path))
