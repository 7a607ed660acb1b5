"""Options that several verbs share, and how their values are read."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from app.errors import InputError
from app.frame import ModelInfo
from app.request import Condition, Latent, Matrix, Mix, Model, Push, RenderRequest, Transform, Truncation, from_json
from app.studies.directions import parse
from networks.plan import Noise

F = TypeVar("F", bound=Callable[..., Any])
CHECKPOINT = click.Path(exists=True, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False)
MAX_SEED = 2**32 - 1
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
PUSH = re.compile(rf"(.+):(-?\d{{1,10}}):({NUMBER})(?::(\d{{1,4}})-(\d{{1,4}}))?")


class Numbers(click.ParamType[tuple[int, ...]]):
    """'0-3,7' -> (0, 1, 2, 3, 7)."""

    name = "0-3,7"

    def __init__(self, limit: int = 100_000) -> None:
        self.limit = limit

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        numbers: list[int] = []
        for part in str(value).split(","):
            first, dash, last = part.strip().partition("-")
            if not first.isdecimal() or (dash and not last.isdecimal()):
                self.fail(f"{part.strip()!r} is neither a number nor a range; write 0-3,7", param, ctx)
            low, high = int(first), int(last) if dash else int(first)
            if high < low or len(numbers) + high - low >= self.limit:
                self.fail(f"{part.strip()!r} runs backwards or names more than {self.limit} numbers", param, ctx)
            numbers += range(low, high + 1)
        if max(numbers) > MAX_SEED:
            self.fail(f"{max(numbers)} is above {MAX_SEED}", param, ctx)
        return tuple(numbers)


class Affine(click.ParamType[Matrix]):
    """'a,b,c,d,e,f' -> the 3x3 matrix [[a, b, c], [d, e, f], [0, 0, 1]]."""

    name = "a,b,c,d,e,f"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Matrix:
        try:
            a, b, c, d, e, f = (float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not six numbers a,b,c,d,e,f", param, ctx)
        if not all(math.isfinite(number) for number in (a, b, c, d, e, f)) or a * e - b * d == 0:
            self.fail(f"{value!r} has no inverse; a picture cannot be moved by it", param, ctx)
        return ((a, b, c), (d, e, f), (0.0, 0.0, 1.0))


class PushTo(click.ParamType[Push]):
    """'pca:0:2.5' or 'pca:0:2.5:4-7' -> direction 0 of 'pca', 2.5 standard deviations, rows 4 to 7 of ws."""

    name = "SOURCE:INDEX:STRENGTH[:ROWS]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Push:
        if isinstance(value, Push):
            return value
        found = PUSH.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is no {self.name}; write pca:0:2.5 or style:b64.conv1:17:8", param, ctx)
        source, index, strength, first, last = found.groups()
        try:
            push = Push(source, int(index), float(strength), None if first is None else (int(first), int(last) + 1))
            parse(source)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return push


class Parts(click.ParamType[dict[str, Any]]):
    """JSON of some parts of a request -> the parts; everything is checked against its type."""

    name = "JSON"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        try:
            given = json.loads(value)
            request = from_json(given)
        except (ValueError, RecursionError) as error:
            self.fail(f"{error}", param, ctx)
        return {name: getattr(request, name) for name in given if name != "model"}


def device_option(command: F) -> F:
    """--device cpu|cuda|mps|auto"""
    return click.option(
        "--device", default="auto", show_default=True, type=click.Choice(["auto", "cpu", "cuda", "mps"]),
        help="Where to compute; auto takes a GPU when there is one.",
    )(command)  # fmt: skip


def request_options(command: F) -> F:
    """Everything that shapes a picture apart from its seed."""
    for option in reversed(_REQUEST_OPTIONS):
        command = option(command)
    return device_option(command)


_REQUEST_OPTIONS = (
    click.option("--psi", type=float, help="Truncation: 1 leaves w alone, 0 is the average. [1, or as the file says]"),
    click.option("--cutoff", type=click.IntRange(min=0), help="Truncate only the rows of ws below this. [all]"),
    click.option("--class", "class_index", type=click.IntRange(min=0), help="Class. [drawn from the seed]"),
    click.option("--prompt", default="", help="Text for a text-conditioned model."),
    click.option("--vector", type=FILE, help="Conditioning vector as .npy, in place of a prompt."),
    click.option("--noise", type=click.Choice(["const", "none", "random"]), default="const", show_default=True),
    click.option("--noise-seed", type=click.IntRange(min=0), default=0, show_default=True, help="For --noise random."),
    click.option("--transform", type=Affine(), help="Move the picture by [[a,b,c],[d,e,f],[0,0,1]]: StyleGAN3, XL, T."),
    click.option("--mix-seed", type=click.IntRange(0, MAX_SEED), help="Second seed for style mixing."),
    click.option("--mix-rows", type=Numbers(), default=(), help="Rows of ws that come from the second seed."),
    click.option("--push", "pushes", type=PushTo(), multiple=True,
                 help="Move ws along a direction, STRENGTH standard deviations: pca, sefa, random, style:LAYER, a file."
                      " INDEX counts from 0. May be given again."),
    click.option("--precision", type=click.Choice(["auto", "fp32"]), default="auto", show_default=True,
                 help="auto: fp16 where the original uses it, on CUDA."),
    click.option("--bgr", is_flag=True, help="Swap red and blue."),
    click.option("--request", "parts", type=Parts(), default={},
                 help="Parts of a request as JSON, in place of the other options; the app copies such lines."),
)  # fmt: skip


def to_request(checkpoint: Path, options: dict[str, Any]) -> RenderRequest:
    """The values of `request_options` -> a request (psi and cutoff still as given: see `fill_defaults`)."""
    matrix = options["transform"]
    request = RenderRequest(
        model=Model(str(checkpoint), options["device"], options["precision"]),
        latent=Latent(),
        condition=Condition(
            class_index=options["class_index"], prompt=options["prompt"], vector_file=options["vector"] or ""
        ),
        mix=Mix(options["mix_seed"], options["mix_rows"]),
        pushes=options["pushes"],
        noise=Noise(options["noise"], options["noise_seed"]),
        transform=Transform() if matrix is None else Transform(matrix=matrix),
        bgr=options["bgr"],
    )
    return replace(request, **options["parts"])


def truncation(options: dict[str, Any], info: ModelInfo) -> Truncation:
    """--psi and --cutoff, or what --request says of both; what is not given is what the file says."""
    psi, cutoff = options["psi"], options["cutoff"]
    if (whole := options["parts"].get("truncation")) is not None:
        return cast(Truncation, whole)
    if psi is None:
        return Truncation(info.default_psi, info.default_cutoff if cutoff is None else cutoff)
    return Truncation(psi, cutoff)


def check_applies(options: dict[str, Any], info: ModelInfo) -> None:
    """Raise InputError for an option that this model has no use for: silence would look like success."""
    if options["transform"] is not None and not info.has_transform:
        raise InputError(f"{info.name}: a {info.title} takes no --transform; StyleGAN3, XL and T do")
    if options["class_index"] is not None and info.condition != "class":
        raise InputError(f"{info.name}: this model has no classes, leave out --class")
    if (options["prompt"] or options["vector"]) and info.condition != "vector":
        raise InputError(f"{info.name}: this model takes no text or vector, leave out --prompt and --vector")
    if bad := [row for row in options["mix_rows"] if row >= info.num_ws]:
        raise InputError(f"{info.name}: --mix-rows {bad[0]} is outside 0 to {info.num_ws - 1}")
    if bool(options["mix_rows"]) != (options["mix_seed"] is not None):
        raise InputError("style mixing needs both --mix-seed and --mix-rows")
