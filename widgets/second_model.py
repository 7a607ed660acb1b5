"""Choice of a second model to measure beside the one on the screen: bundled, recent, or a path that is typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.frame import LoopState
from app.request import RenderRequest
from widgets.choices import Combo
from widgets.controls import TextField
from widgets.droplet_beside import comparable
from widgets.model_panel import short_names

NONE = "no other model"
LONGEST = 26  # characters of a name


class SecondModel:
    """`request` makes the same request of the other model; `on_change` is told when the user takes another one."""

    def __init__(self, hint: str, on_change: Callable[[], None]) -> None:
        self.on_change = on_change
        self.choice = Combo("beside", "", {"": NONE}, hint, on_change=lambda path: on_change())
        self.typed = TextField(
            "", "Path of any other checkpoint to measure beside this one. Enter takes it.",
            placeholder="or the path of a checkpoint", on_change=self._take,
        )  # fmt: skip
        self.added: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Of the other model; '' for none."""
        return self.choice.value

    @property
    def name(self) -> str:
        """Of its file, short enough for a column."""
        return short(self.path)

    def offer(self, state: LoopState, own: str) -> None:
        """List bundled models by what they are, then recent files, then what was typed; not the one on the screen."""
        known = {model.path: f"{model.title}, {model.about}" for model in state.bundled}
        others = [path for path in dict.fromkeys((*state.recent, *self.added)) if path not in known]
        known |= short_names(others)
        self.choice.offer({"": NONE} | {path: words for path, words in known.items() if path != own})

    def enable(self, on: bool) -> None:
        """Let it be changed, or not."""
        self.choice.enabled = self.typed.enabled = on

    def request(self, asked: RenderRequest) -> RenderRequest:
        """The same latent, psi and noise for the other model, on the same device; edits of this one are left out."""
        model = replace(asked.model, path=self.path, attempt=asked.model.attempt + 1)
        return replace(comparable(asked), model=model)

    def _take(self, words: str) -> None:
        if words:
            path = str(Path(words.strip('"')).expanduser().absolute())
            self.added = (*(known for known in self.added if known != path), path)
            self.choice.offer({**self.choice.choices, path: path})
            self.choice.set(path)
            self.typed.set("")
            self.on_change()


def short(path: str) -> str:
    """A file's name without its suffix; the middle of a long one is left out."""
    name = Path(path).stem
    return name if len(name) <= LONGEST else f"{name[: LONGEST // 2]}…{name[-(LONGEST // 2) :]}"
