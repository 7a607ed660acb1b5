"""docs/benchmarks.md: sections that the command writes, and a log below a marker that people write."""

from __future__ import annotations

MARKER = "<!-- Written by hand from here on: the command keeps it. -->"
INTRO = """# Benchmarks

Written by `python main.py bench` (`--section NAME` measures one section again and leaves the others alone)."""
LOG = """## Log

| idea | predicted | measured | kept or dropped |
|:--|:--|:--|:--|"""


def update(old: str, measured: dict[str, list[str]], order: tuple[str, ...]) -> str:
    """The text of the document with newly measured sections; others and the log stay as they are."""
    tables, _, log = old.partition(MARKER)
    sections = split(tables)
    sections.update({name: "\n".join(lines) for name, lines in measured.items()})
    parts = [INTRO, *(f"## {heading(name)}\n\n{sections[name]}" for name in order if name in sections)]
    return "\n\n".join([*parts, MARKER, log.strip() or LOG]) + "\n"


def heading(name: str) -> str:
    """The heading of a section: GPU, Pictures."""
    return "GPU" if name == "gpu" else name.capitalize()


def split(text: str) -> dict[str, str]:
    """Markdown -> {lower-case title of each second-level heading: what stands below it}."""
    sections = {}
    for part in ("\n" + text).split("\n## ")[1:]:
        title, _, body = part.partition("\n")
        sections[title.strip().lower()] = body.strip()
    return sections
