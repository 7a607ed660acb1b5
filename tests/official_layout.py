"""NVIDIA's StyleGAN2 container with random weights, written without NVIDIA's code: for tests and for timing.

    python -m tests.official_layout OUT.pkl --resolution 1024

writes about 360 MB: G, D and G_ema of config F, as in the FFHQ file of the stylegan2-ada-pytorch layout.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path
from typing import Any

import numpy as np

from tests.pickle_writer import Random, parameter, persistent, tensor, write

FILTER = np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype(np.float32) / 64


class Layout:
    """Builds the persistent objects of one container; every tensor has a seed of its own."""

    def __init__(self, resolution: int, channel_base: int = 32768, channel_max: int = 512, w_dim: int = 512) -> None:
        self.resolution, self.w_dim = resolution, w_dim
        self.resolutions = [2**i for i in range(2, resolution.bit_length())]
        self.channels = {r: min(channel_base // r, channel_max) for r in self.resolutions}
        self._base, self._max = channel_base, channel_max
        self._seeds = itertools.count()

    def container(self) -> dict[str, Any]:
        """dict(G, D, G_ema, training_set_kwargs, augment_pipe)."""
        return {
            "G": self.generator(),
            "D": self.discriminator(),
            "G_ema": self.generator(),
            "training_set_kwargs": {"class_name": "training.dataset.ImageFolderDataset", "resolution": self.resolution},
            "augment_pipe": None,
        }

    def generator(self) -> Any:
        sizes = {"z_dim": self.w_dim, "c_dim": 0, "w_dim": self.w_dim}
        picture = {"img_resolution": self.resolution, "img_channels": 3}
        modules = {"synthesis": self._synthesis(), "mapping": self._mapping()}
        kwargs = {"channel_base": self._base, "channel_max": self._max}
        return module(
            "Generator",
            modules,
            attributes={**sizes, **picture, "num_ws": self._num_ws},
            kwargs={**sizes, **picture, "mapping_kwargs": {"num_layers": 8}, "synthesis_kwargs": kwargs},
        )

    def discriminator(self) -> Any:
        """The 'resnet' discriminator: its tensors have the official sizes."""
        blocks = {f"b{r}": self._discriminator_block(r) for r in self.resolutions[:0:-1]}
        last = self.channels[4]
        epilogue = {
            "conv": self._conv(last, last + 1, 3),
            "fc": self._linear(last, last * 16),
            "out": self._linear(1, last),
        }
        blocks["b4"] = module("DiscriminatorEpilogue", epilogue, attributes={"resolution": 4})
        return module("Discriminator", blocks, attributes={"c_dim": 0, "img_resolution": self.resolution})

    @property
    def _num_ws(self) -> int:
        return 2 * len(self.resolutions)

    def _random(self, *shape: int, scale: float = 1.0) -> Any:
        return parameter(Random(shape, next(self._seeds), scale))

    def _mapping(self) -> Any:
        layers = {f"fc{i}": self._linear(self.w_dim, self.w_dim, 0.01, "lrelu") for i in range(8)}
        return module(
            "MappingNetwork",
            layers,
            buffers={"w_avg": tensor(np.zeros(self.w_dim, np.float32))},
            attributes={"z_dim": self.w_dim, "c_dim": 0, "w_dim": self.w_dim, "num_ws": self._num_ws, "num_layers": 8},
        )

    def _synthesis(self) -> Any:
        blocks = {f"b{r}": self._block(r) for r in self.resolutions}
        attributes = {"w_dim": self.w_dim, "img_resolution": self.resolution, "img_channels": 3}
        return module("SynthesisNetwork", blocks, attributes={**attributes, "num_ws": self._num_ws})

    def _block(self, r: int) -> Any:
        half = r >= self.resolution // 8 and r > 4
        before = 0 if r == 4 else self.channels[r // 2]
        layers = {"conv0": self._layer(before, r, 2, half)} if before else {}
        layers |= {"conv1": self._layer(self.channels[r], r, 1, half), "torgb": self._torgb(r, half)}
        return module(
            "SynthesisBlock",
            layers,
            parameters={} if before else {"const": self._random(self.channels[r], r, r)},
            buffers={"resample_filter": tensor(FILTER)},
            attributes={"in_channels": before, "resolution": r, "architecture": "skip", "use_fp16": half},
        )

    def _layer(self, inputs: int, r: int, up: int, half: bool) -> Any:
        outputs = self.channels[r]
        return module(
            "SynthesisLayer",
            {"affine": self._linear(inputs, self.w_dim)},
            parameters={
                "weight": self._random(outputs, inputs, 3, 3),
                "noise_strength": self._random(scale=0.1),
                "bias": self._random(outputs, scale=0.1),
            },
            buffers={"resample_filter": tensor(FILTER), "noise_const": Random((r, r), next(self._seeds))},
            attributes={
                "resolution": r, "up": up, "use_noise": True, "activation": "lrelu",
                "conv_clamp": 256 if half else None, "padding": 1, "act_gain": 2**0.5,
            },
        )  # fmt: skip

    def _torgb(self, r: int, half: bool) -> Any:
        return module(
            "ToRGBLayer",
            {"affine": self._linear(self.channels[r], self.w_dim)},
            parameters={"weight": self._random(3, self.channels[r], 1, 1), "bias": self._random(3, scale=0.1)},
            attributes={"conv_clamp": 256 if half else None, "weight_gain": self.channels[r] ** -0.5},
        )

    def _linear(self, outputs: int, inputs: int, multiplier: float = 1.0, activation: str = "linear") -> Any:
        return module(
            "FullyConnectedLayer",
            {},
            parameters={
                "weight": self._random(outputs, inputs, scale=1 / multiplier),
                "bias": self._random(outputs, scale=0.1),
            },
            attributes={
                "activation": activation,
                "weight_gain": multiplier * inputs**-0.5,
                "bias_gain": multiplier,
            },
        )

    def _conv(self, outputs: int, inputs: int, kernel: int) -> Any:
        parameters = {"weight": self._random(outputs, inputs, kernel, kernel), "bias": self._random(outputs)}
        return module("Conv2dLayer", {}, parameters=parameters, buffers={"resample_filter": tensor(FILTER)})

    def _discriminator_block(self, r: int) -> Any:
        inputs, outputs = self.channels[r], self.channels[r // 2]
        layers = {"fromrgb": self._conv(inputs, 3, 1)} if r == self.resolution else {}
        layers |= {"conv0": self._conv(inputs, inputs, 3), "conv1": self._conv(outputs, inputs, 3)}
        return module("DiscriminatorBlock", {**layers, "skip": self._conv(outputs, inputs, 1)})


def module(
    class_name: str,
    modules: dict[str, Any],
    *,
    parameters: dict[str, Any] | None = None,
    buffers: dict[str, Any] | None = None,
    attributes: dict[str, Any] | None = None,
    kwargs: dict[str, Any] | None = None,
) -> Any:
    """A persistent module with the state that torch gives every module."""
    return persistent(
        class_name,
        {
            "training": False,
            "_parameters": parameters or {},
            "_buffers": buffers or {},
            "_non_persistent_buffers_set": set(),
            "_backward_hooks": {},
            "_modules": modules,
            "_init_args": (),
            "_init_kwargs": kwargs or {},
            **(attributes or {}),
        },
    )


def write_stylegan2(path: Path, resolution: int = 1024, **sizes: int) -> Path:
    """Write a container in the official layout and return its path."""
    return write(path, Layout(resolution, **sizes).container())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--resolution", type=int, default=1024)
    arguments = parser.parse_args()
    write_stylegan2(arguments.out, arguments.resolution)


if __name__ == "__main__":
    main()
