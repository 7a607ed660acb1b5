"""Records whose values are odd: importers and networks meet them, and the user gets a sentence, never a traceback."""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from networks.checkpoint import load as loading
from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.plausible import Allocations, check_spec, understood
from networks.checkpoint.reader import read_source
from networks.checkpoint.records import ModuleRecord, Source, TFNetwork
from networks.stylegan2 import StyleGAN2Spec

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
FILES = sorted(path.stem for path in REFERENCE.glob("*.pkl"))
PLAIN_VALUES = (None, 0, -1, 3, 2.5, math.nan, math.inf, "x", (), [], {}, True, 10**6)
TENSORS = (torch.zeros(3), torch.zeros(2, 2), np.zeros(5, np.float32), torch.zeros(()), torch.full((2,), math.nan))
SPEC = StyleGAN2Spec(8, 0, 8, (8, 8), 3, channels=(8, 8), mapping_features=(8,))


@cache
def original(name: str) -> Source:
    return read_source(REFERENCE / f"{name}.pkl")


def copy(value: Any) -> Any:
    """A copy of the records that shares the tensors."""
    if isinstance(value, ModuleRecord):
        return ModuleRecord(**{name: copy(part) for name, part in vars(value).items()})
    if isinstance(value, TFNetwork):
        return TFNetwork(**{name: copy(part) for name, part in vars(value).items()})
    if isinstance(value, dict):
        return {key: copy(part) for key, part in value.items()}
    return type(value)(copy(part) for part in value) if isinstance(value, list | tuple) else value


def places(value: Any) -> Iterator[tuple[dict[Any, Any], Any]]:
    """Every (dict, key) of a tree of records."""
    if isinstance(value, ModuleRecord | TFNetwork):
        for part in vars(value).values():
            yield from places(part)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield value, key
            yield from places(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from places(part)


def averaged(root: Any) -> Any:
    """The part of a root that a generator is made from."""
    return {"G_ema": copy(root["G_ema"])} if isinstance(root, dict) else (copy(root[2]),)


@pytest.mark.parametrize("name", FILES)
@settings(derandomize=True, database=None, deadline=None, max_examples=40)
@given(edits=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 30)), min_size=1, max_size=3))
def test_odd_values_end_in_a_sentence(name: str, edits: list[tuple[float, int]]) -> None:
    root = averaged(original(name).root)
    everywhere = list(places(root))
    for place, choice in edits:
        owner, key = everywhere[int(place * len(everywhere))]
        values = TENSORS if isinstance(owner.get(key), torch.Tensor | np.ndarray) else PLAIN_VALUES
        if choice < len(values):
            owner[key] = values[choice]
        else:
            owner.pop(key, None)
    said = opened(replace(original(name), root=root))
    assert re.match(rf"{name}\.pkl[: ]", said), said
    assert "\n" not in said


def opened(source: Source) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "read_source", lambda *_, **__: source)
        patch.setattr(loading, "read_openvino", lambda *_: None)
        try:
            loading.load(source.path)
        except CheckpointError as error:
            return str(error)
    return f"{source.path.name} opens"


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ({"resolution": (1 << 17, 8)}, "resolution = 131,072, more than 65,536"),
        ({"channels": (8,) * 257}, "has 257 entries of channels, more than 256"),
        ({"conv_clamp": math.nan}, "conv_clamp = nan"),
    ],
)
def test_absurd_specifications(odd: dict[str, Any], said: str) -> None:
    check_spec("net.pkl", SPEC)
    with pytest.raises(CheckpointError, match=rf"net\.pkl: .*{said}"):
        check_spec("net.pkl", replace(SPEC, **odd))


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.empty(10, 11),
        lambda: torch.zeros((10, 11)),
        lambda: torch.ones(size=(110,)),
        lambda: torch.randn([110]),
        lambda: torch.full((110,), 1.0),
        lambda: torch.nn.Linear(10, 11),
        lambda: [torch.empty(60), torch.empty(60)],
    ],
)
def test_allocations_are_counted_before_they_happen(make: Callable[[], object]) -> None:
    with Allocations("net.pkl", 200):
        make()
    with (
        pytest.raises(CheckpointError, match=r"net\.pkl: its configuration asks for more than 100 numbers"),
        Allocations("net.pkl", 100),
    ):
        make()


def test_a_terabyte_is_refused_before_it_is_taken() -> None:
    with pytest.raises(CheckpointError, match="asks for more than 100 numbers"), Allocations("net.pkl", 100):
        torch.ones(1 << 40)


def test_what_code_stumbles_over_becomes_a_sentence_with_its_cause() -> None:
    expected = r"net\.pkl: cannot be understood as X \(ValueError: two lines\)"
    with pytest.raises(CheckpointError, match=expected) as caught, understood("net.pkl", "X"):
        raise ValueError("two\nlines")
    assert isinstance(caught.value.__cause__, ValueError)


def test_cancellation_and_sentences_pass_unchanged() -> None:
    with pytest.raises(CheckpointError, match=r"^already said$"), understood("net.pkl", "X"):
        raise CheckpointError("already said")
    with pytest.raises(KeyboardInterrupt), understood("net.pkl", "X"):
        raise KeyboardInterrupt
