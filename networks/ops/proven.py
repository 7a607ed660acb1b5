"""Kernels prove themselves before they are trusted, on the very machine that they run on.

What a kernel was compiled for is a configuration: its family, its constants, its type, and the shape of its arguments
as far as a compiler looks at it. Before the first use each configuration runs once on a small random case and is
compared with torch alone, computed in fp32 on the CPU. One that does not compile, asks for more than the chip has, or
differs, is left to torch from then on; so is a shape that fails later, where its configuration had been well. Memory
that ran out and a GPU that is lost are nobody's fault here: these errors pass.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from networks.failures import in_words, is_fatal

Compute = Callable[..., Tensor]  # (*tensors, clamp) -> Tensor
Arguments = Sequence[Tensor | None]
CASE_CLAMP = 1.5  # cuts many of the small case's values, where the real clamp would cut none
TOLERANCE = {torch.float32: 1e-4, torch.float16: 1e-2}  # of the largest value, where the textbook's taps cancel

_lock = threading.RLock()  # one configuration is compiled at a time
_proofs: dict[tuple[str, Configuration], str] = {}  # device, configuration -> what is wrong with it, '' nothing
_failed: dict[tuple[str, Configuration, Hashable], str] = {}  # the same with a shape: why it failed at that one


@dataclass(frozen=True)
class Configuration:
    """What a kernel was compiled for. family: in words, for the user. shapes: of the small case's tensors, which stand
    for all larger ones that the compiler does not tell from them."""

    family: str
    constants: Hashable
    dtype: torch.dtype
    shapes: tuple[tuple[int, ...] | None, ...]


def compute(
    what: Configuration, kernel: Compute, plainly: Compute, arguments: Arguments, clamp: float | None
) -> Tensor:
    """kernel(*arguments, clamp) where it has proven itself on this device, else plainly(*arguments, clamp): the same.

    Both take tensors of any size; the first one decides device, type and memory format.
    """
    first = arguments[0]
    assert first is not None
    place = str(first.device)
    shape = tuple(first.shape)
    if _proof(place, what, kernel, plainly, first, clamp) or (place, what, shape) in _failed:
        return plainly(*arguments, clamp)
    try:
        return kernel(*arguments, clamp)
    except Exception as error:  # whatever a compiler or a driver may raise
        if is_fatal(error):
            raise
        _failed[place, what, shape] = in_words(error)
        return plainly(*arguments, clamp)


def _proof(
    place: str, what: Configuration, kernel: Compute, plainly: Compute, like: Tensor, clamp: float | None
) -> str:
    """What is wrong with a configuration on a device; '' where it computes what it should."""
    found = _proofs.get((place, what))
    if found is None:
        with _lock:
            found = _proofs.get((place, what))
            if found is None:
                found = _proofs[place, what] = _examine(what, kernel, plainly, like, clamp)
    return found


def _examine(what: Configuration, kernel: Compute, plainly: Compute, like: Tensor, clamp: float | None) -> str:
    case, cut = _random_case(what), None if clamp is None else CASE_CLAMP
    there = [_as(like, tensor, first=i == 0) for i, tensor in enumerate(case)]
    try:
        ours = kernel(*there, cut).float().cpu()
    except Exception as error:
        if is_fatal(error):
            raise
        return in_words(error)
    return differs(ours, plainly(*case, cut), TOLERANCE[what.dtype])


def differs(ours: Tensor, theirs: Tensor, tolerance: float) -> str:
    """How two tensors differ by more than `tolerance` of the largest value of the second, in words; '' where not."""
    if ours.shape != theirs.shape:
        return f"gives {list(ours.shape)} instead of {list(theirs.shape)}"
    share = ((ours - theirs).abs().max() / theirs.abs().max().clamp_min(1e-30)).item()
    return "" if share <= tolerance else f"differs by {share:.1g} of the range"  # NaN is not <= either


def _random_case(what: Configuration) -> list[Tensor | None]:
    """Normal numbers of the small shapes, on the CPU in fp32; the first tensor rounded as the type will hold it."""
    rng = torch.Generator().manual_seed(0)
    case = [None if shape is None else torch.randn(shape, generator=rng) for shape in what.shapes]
    assert case[0] is not None
    return [case[0].to(what.dtype).float(), *case[1:]]


def _as(like: Tensor, tensor: Tensor | None, *, first: bool) -> Tensor | None:
    """A tensor of the case on the device; the first one with the type and the memory format of the real one."""
    if tensor is None or not first:
        return None if tensor is None else tensor.to(like.device)
    last = like.is_contiguous(memory_format=torch.channels_last) and not like.is_contiguous()
    return tensor.to(like.device, like.dtype, memory_format=torch.channels_last if last else torch.contiguous_format)


def setbacks(device: torch.device) -> str:
    """Which families torch computes instead of their kernels on a device, and why; '' where all is well."""
    found: dict[str, str] = {}
    for (place, what), why in [*_proofs.items(), *(((p, what), why) for (p, what, _), why in _failed.items())]:
        if why and torch.device(place).type == device.type and device.index in (None, torch.device(place).index):
            found.setdefault(what.family, why)
    return "; ".join(f"torch for {family} ({why})" for family, why in found.items())


def state() -> Hashable:
    """Changes whenever another formulation begins to compute something: what was recorded before is out of date."""
    return sum(map(bool, list(_proofs.values()))), len(_failed)


def forget() -> None:
    """Examine everything anew."""
    with _lock:
        _proofs.clear()
        _failed.clear()


def alike(n: int) -> int:
    """The smallest size that a compiler treats like n: it looks for 1 and for multiples of 16."""
    return n if n < 32 else 16 + n % 16
