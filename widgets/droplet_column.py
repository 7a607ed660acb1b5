"""One model's side of the inspector: what it is, the verdict, the ladder."""

from __future__ import annotations

from collections.abc import Callable

import dearpygui.dearpygui as dpg

from app.studies.droplets import DropletReport
from widgets import look
from widgets.droplet_ladder import Ladder
from widgets.icons import icon
from widgets.panel import Texture
from widgets.rows import Tag, note

CONTROL = "{title} has no instance normalization: no droplet is what is expected here. It is the negative control."
UNEXPECTED = "{title} has no instance normalization, and still the rule is met: look at the maps before believing it."
HEALTHY = "A trained StyleGAN draws a droplet into nearly every picture; the few without one often come out broken."


class DropletColumn:
    """Verdict and ladder of one model; `say` shows a sentence in their place. `Sides` builds its parts."""

    name: Tag
    verdict: Tag
    words: Tag
    ladder: Ladder
    meaning: Tag

    def __init__(self, texture: Callable[[], Texture], on_pick: Callable[[str], None]) -> None:
        self.report: DropletReport | None = None
        self.texture, self.on_pick = texture, on_pick

    def build_name(self) -> None:
        self.name = note()
        look.bind_font(self.name, "small")

    def build_verdict(self) -> None:
        self.verdict = dpg.add_text("", wrap=0, show=False)
        look.bind_font(self.verdict, "semibold")

    def build_words(self) -> None:
        self.words = note()

    def build_ladder(self) -> None:
        self.ladder = Ladder(self.texture, self.on_pick)

    def build_meaning(self) -> None:
        self.meaning = note()
        look.bind_font(self.meaning, "small")

    def show(self, name: str, report: DropletReport | None, title: str = "", instance_norm: bool = False) -> None:
        """Show the report of a model called `name`, of a family called `title`."""
        dpg.set_value(self.name, name)
        if report is None or report is self.report:
            return
        self.report = report
        flag, early = report.verdict.flag, "" if report.complete else " (early picture)"
        dpg.set_value(self.verdict, f"{icon('droplet')}  {'Droplet' if flag else 'No droplet'}{early}")
        look.bind(self.verdict, "warning" if flag else "good")
        set_note(self.words, report.verdict.text)
        set_note(self.meaning, meaning(flag, title, instance_norm))
        self.ladder.show(report)

    def say(self, name: str, words: str, colour: look.Colour = look.MUTED) -> None:
        """No report, but a sentence."""
        self.report = None
        dpg.set_value(self.name, name)
        dpg.set_value(self.verdict, "")
        set_note(self.words, words)
        dpg.configure_item(self.words, color=colour)
        set_note(self.meaning, "")
        self.ladder.show(None)

    def update(self) -> None:
        """Once per frame."""
        dpg.configure_item(self.verdict, show=self.report is not None)
        if self.report is not None:
            dpg.configure_item(self.words, color=look.MUTED)
        self.ladder.update()


class Sides:
    """One column, or two side by side whose parts stand at the same height."""

    def __init__(self, here: DropletColumn, there: DropletColumn) -> None:
        self.here, self.there = here, there
        self.tag: Tag
        with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchSame, no_pad_outerX=True) as self.tag:
            look.bind_style(self.tag, "sides")
            dpg.add_table_column()
            self.second: Tag = dpg.add_table_column(enabled=False)
            for part in ("name", "verdict", "words", "ladder", "meaning"):
                with dpg.table_row():
                    for column in (here, there):
                        with dpg.group():
                            getattr(column, f"build_{part}")()

    def show(self, both: bool) -> None:
        """Once per frame: one column, or both."""
        dpg.configure_item(self.second, enabled=both)
        self.here.update()
        if both:
            self.there.update()


def meaning(flag: bool, title: str, instance_norm: bool) -> str:
    """What the verdict means for a model of this family; '' where it speaks for itself."""
    if not instance_norm:
        return (UNEXPECTED if flag else CONTROL).format(title=title)
    return "" if flag else HEALTHY


def set_note(tag: Tag, words: str) -> None:
    """Change a sentence; an empty one takes no room."""
    dpg.configure_item(tag, default_value=words, show=bool(words))
