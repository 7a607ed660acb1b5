"""Changes of a request that take one suspect away: does the detail still stick?

Noise maps are glued to the pixel grid by construction. Two ways to see what they do: switch them off, or draw them
anew for each picture, so that nothing of them can stay in place along a walk or over a neighbourhood (a walk has no
motion that they could follow: nothing says where the content went). Where a motion is known, because we make it
(`LayerProbe`, `Equivariance`), noise can follow the content: `noise_follows` there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from app.frame import ModelInfo
from app.request import RenderRequest
from networks.plan import Noise


@dataclass(frozen=True)
class Ablation:
    """A change: its key, a title and its meaning for people, and how it changes a request."""

    name: str
    title: str
    meaning: str
    change: Callable[[RenderRequest], RenderRequest]
    refusal: Callable[[ModelInfo], str]  # why it changes nothing on a model; '' where it does

    def __call__(self, request: RenderRequest) -> RenderRequest:
        return self.change(request)


def _needs_noise(info: ModelInfo) -> str:
    return "" if any(layer.has_noise for layer in info.layers) else f"a {info.title} has no noise"


def _needs_input(info: ModelInfo) -> str:
    return "" if info.has_transform else f"the input of a {info.title} is a constant: it has no transform to freeze"


def _needs_half(info: ModelInfo) -> str:
    if not info.device.startswith("cuda"):
        return f"everything is computed in fp32 on {info.device} already"
    return "" if any(layer.half for layer in info.layers) else "no layer of this model runs in fp16"


ABLATIONS: tuple[Ablation, ...] = (
    Ablation("none", "as it is", "Nothing is changed.", lambda request: request, lambda info: ""),
    Ablation(
        "noise-off",
        "noise off",
        "No noise is added: what sticks now sticks through the network alone.",
        lambda request: replace(request, noise=replace(request.noise, mode="none")),
        _needs_noise,
    ),
    Ablation(
        "noise-fresh",
        "noise drawn anew",
        "Each picture draws its own noise: as strong as ever, but nothing of it can stay in place.",
        lambda request: replace(request, noise=Noise("random", request.noise.seed, request.noise.layers)),
        _needs_noise,
    ),
    Ablation(
        "input-frozen",
        "learned transform frozen",
        "The rotation and translation that w gives the Fourier input is that of the mean w in every picture.",
        lambda request: replace(request, transform=replace(request.transform, freeze_input=True)),
        _needs_input,
    ),
    Ablation(
        "fp32",
        "fp32 throughout",
        "Layers that run in fp16 on a GPU run in fp32.",
        lambda request: replace(request, model=replace(request.model, precision="fp32")),
        _needs_half,
    ),
)


def ablation(name: str) -> Ablation:
    """One ablation by its key; KeyError names those that there are."""
    for known in ABLATIONS:
        if known.name == name:
            return known
    raise KeyError(f"no ablation {name!r}; there are {', '.join(item.name for item in ABLATIONS)}")
