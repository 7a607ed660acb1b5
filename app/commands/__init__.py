"""The command line: one file per verb, found by its name.

Exit codes: 0 done, 2 the user's input was wrong, 1 anything else.
"""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import click

from app import problems, process
from app.errors import DeviceError, InputError

DEFAULT_VERB = "open"
WRONG_INPUT, FAILED = 2, 1


class OpenWindow(Protocol):
    """Opens the app's window and stays until it is closed (main.py knows the panels)."""

    def __call__(
        self, paths: Sequence[str], device: str, script: Callable[[Any], Iterator[None]] | None = None, **options: Any
    ) -> None: ...


class Verbs(click.Group):
    """Verbs are the modules of this folder; without a verb the arguments are checkpoints for `open`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"app.commands.{cmd_name}")
        command = getattr(module, f"{cmd_name}_", None) or getattr(module, cmd_name)  # open_ is not Python's open
        assert isinstance(command, click.Command)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {name for parameter in self.get_params(ctx) for name in parameter.opts}
        if not args or (args[0] not in own and args[0] not in self.list_commands(ctx)):
            args = [DEFAULT_VERB, *args]
        return super().parse_args(ctx, args)


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name=None, version="0.1.0", prog_name="StyleScope")
def cli() -> None:
    """A desktop microscope for StyleGAN generators.

    Without a verb: open a window on the given checkpoints.
    """


def main(args: Sequence[str], open_window: OpenWindow) -> int:
    """Run the command line; returns the exit code. What the user did wrong is one sentence, never a traceback."""
    process.prepare()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        cli.main(list(args), prog_name="main.py", standalone_mode=False, obj=open_window)
    except click.exceptions.Abort:
        return _say("stopped", FAILED)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Exception as error:
        if not problems.is_expected(error):
            raise
        problem = problems.describe(error)
        return _say(f"{problem.detail}", WRONG_INPUT if is_wrong_input(error) else FAILED)
    return 0


def is_wrong_input(error: Exception) -> bool:
    """Whether other arguments would have helped; a full disk or memory that ran out are not the user's."""
    known = InputError | DeviceError | FileNotFoundError | PermissionError | IsADirectoryError | NotADirectoryError
    return isinstance(error, known) or type(error).__name__ in ("CheckpointError", "NoScreenError")


def _say(sentence: str, code: int) -> int:
    click.echo(f"Error: {sentence}", err=True)
    return code
