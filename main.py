"""StyleScope: a desktop microscope for StyleGAN generators. `python main.py --help` names the verbs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from app.commands import main


def open_window(
    paths: Sequence[str], device: str, script: Callable[[Any], Iterator[None]] | None = None, **options: Any
) -> None:
    """Put the panels of widgets/ into the app's window and stay until it is closed."""
    from app.start import run
    from widgets.help import build_help
    from widgets.registry import all_panels

    run(paths, device, all_panels(), build_help, script, **options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], open_window))
