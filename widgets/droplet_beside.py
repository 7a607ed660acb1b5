"""The negative control: which other model is measured beside the one on the screen, and what it answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.frame import Frame, LoopState, ModelInfo
from app.request import Model, RenderRequest
from app.studies.droplet_control import DropletControl, DropletControlAnswer
from app.studies.droplets import DropletReport
from networks.plan import PRE_NORM, Noise
from widgets import look
from widgets.choices import Combo
from widgets.controls import TextField
from widgets.droplet_column import DropletColumn
from widgets.model_panel import short_names
from widgets.panel import Actions, StudyHandle

NONE = "no other model"
HINT = (
    "A second model, at the same seed and psi, judged by the same rule. StyleGAN2 demodulates its weights instead of "
    "normalizing its maps and should show no droplet: the negative control."
)


class Beside:
    """Choice of the other model and the study that measures it; asks again when the picture changed and rests."""

    def __init__(self, actions: Actions) -> None:
        self.actions = actions
        self.choice = Combo("beside", "", {"": NONE}, HINT, on_change=self._chosen)
        self.path = TextField(
            "", "Path of any other checkpoint to measure beside this one. Enter takes it.",
            placeholder="or the path of a checkpoint", on_change=self._typed,
        )  # fmt: skip
        self.model = Model()
        self.known: dict[str, None] = {}  # paths that were taken, in order: they stay in the list
        self.question: DropletControl | None = None
        self.study: StudyHandle | None = None
        self.answer: DropletControlAnswer | None = None

    @property
    def report(self) -> DropletReport | None:
        """What the other model showed last."""
        return self.answer.report if self.answer is not None and self.model.path else None

    @property
    def title(self) -> str:
        """What the other model is: 'StyleGAN2 beside it'."""
        return f"{self.answer.model.title} beside it" if self.answer is not None else "the model beside it"

    @property
    def name(self) -> str:
        """Of the file."""
        return Path(self.model.path).name

    def offer(self, state: LoopState) -> None:
        """Bundled models by what they are, then recent files, then what was typed."""
        words = {model.path: f"{model.title}, {model.about}" for model in state.bundled}
        others = [path for path in state.recent if path not in words]
        others += [path for path in self.known if path not in words and path not in others]
        self.choice.offer({"": NONE} | words | short_names(others))

    def ask(self, frame: Frame | None, build: Callable[[RenderRequest, Model], DropletControl]) -> None:
        """Measure the other model at the point of the newest full picture, unless that is asked already."""
        if not self.model.path:
            self.stop()
        elif frame is not None and frame.complete and frame.problem is None and frame.picture is not None:
            device = replace(self.model, device=frame.request.model.device, precision=frame.request.model.precision)
            question = build(comparable(frame.request), device)
            if question != self.question:
                self.stop()
                self.question, self.study = question, self.actions.study(question)

    def stop(self) -> None:
        """Ask no more."""
        if self.study is not None:
            self.study.cancel()
        self.question = self.study = None

    def show(self, column: DropletColumn) -> None:
        """Show how far it is in a column."""
        state = self.study.state if self.study is not None else None
        if state is not None and isinstance(state.update.answer, DropletControlAnswer):
            self.answer = state.update.answer
        if state is not None and state.problem is not None:
            problem = state.problem
            column.say(self.name, " ".join(filter(None, (problem.detail, problem.hint))), look.ERROR)
        elif self.answer is not None:
            info = self.answer.model
            busy = "" if state is not None and state.done else ", drawing ..."
            column.show(f"{info.title}: {info.name}{busy}", self.answer.report, info.title, has_instance_norm(info))
        else:
            words = state.update.text if state is not None else "waits for the picture"
            column.say(self.name, f"{words[:1].upper()}{words[1:]} ...")

    def reset(self) -> None:
        """No other model."""
        self.choice.set("")
        self._take("")

    def _chosen(self, path: str) -> None:
        self._take(path)

    def _typed(self, words: str) -> None:
        path = str(Path(words.strip().strip('"')).expanduser()) if words.strip() else ""
        self._take(path)
        self.path.set("")
        self.choice.offer({path: path} | self.choice.choices if path else self.choice.choices)
        self.choice.set(path)

    def _take(self, path: str) -> None:
        """Another model, or the same one again: a file that did not open is tried anew."""
        attempt = self.model.attempt + 1
        self.stop()
        self.model, self.answer = Model(path, attempt=attempt), None
        if path:
            self.known[path] = None


def comparable(request: RenderRequest) -> RenderRequest:
    """What of a request matters to another model: edits and views of this one ask nothing new of it."""
    noise = Noise(request.noise.mode, request.noise.seed)
    return RenderRequest(latent=request.latent, truncation=request.truncation, noise=noise, bgr=request.bgr)


def has_instance_norm(model: ModelInfo) -> bool:
    """Whether the family normalizes its maps, so that droplets are to be expected."""
    return any(PRE_NORM in layer.stages for layer in model.layers)
