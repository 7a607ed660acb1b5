"""Perceptual distances. LPIPS (Zhang et al. 2018) where its weights are on this machine, else a light network of ours.

Nothing is ever downloaded. Whoever shows a distance shows its name as well: the two have different scales.
"""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from app.errors import InputError
from networks.training.lite0 import STAGES, Block, Conv

ASSET = Path(__file__).parents[2] / "assets" / "features" / "lite0-stages.safetensors"
LARGEST = 256  # pixels: larger pictures are averaged down before, as in appendix D of Karras et al. 2020
EPS = 1e-10  # under the root of a feature's length: pixels without any feature have no direction


class Distance(nn.Module, ABC):
    """A perceptual distance between pictures in -1..1. `name` is shown beside every number."""

    name: str

    @abstractmethod
    def stages(self, x: Tensor) -> list[Tensor]:
        """x [N, 3, H, W] in -1..1 -> features [N, C, H', W'] of each stage."""

    @abstractmethod
    def weigh(self, squares: Tensor, stage: int) -> Tensor:
        """squares [N, C, H, W], differences of unit features -> [N, H, W]."""

    @abstractmethod
    def join(self, parts: list[Tensor]) -> Tensor:
        """The distances [N] of the stages -> the whole distance [N]."""

    def features(self, x: Tensor) -> list[Tensor]:
        """x [N, 3, H, W] in -1..1 -> features of unit length at every place, averaged down first where x is large."""
        return [unit(stage) for stage in self.stages(shrink(x))]

    def between(self, a: list[Tensor], b: list[Tensor]) -> Tensor:
        """Features of two pictures -> their distance [N], 0 where they agree."""
        parts = [self.weigh((p - q).square(), i).mean(dim=(1, 2)) for i, (p, q) in enumerate(zip(a, b, strict=True))]
        return self.join(parts)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Pictures [N, 3, H, W] in -1..1 -> distance [N]."""
        return self.between(self.features(a), self.features(b))


def shrink(x: Tensor, largest: int = LARGEST) -> Tensor:
    """x [N, C, H, W] -> averaged over whole pixels until the shorter side is at most `largest`."""
    factor = max(1, min(x.shape[2:]) // largest)
    return F.avg_pool2d(x, factor) if factor > 1 else x


def unit(x: Tensor) -> Tensor:
    """x [N, C, H, W] -> of length 1 over C at every place."""
    return x * (x.square().sum(dim=1, keepdim=True) + EPS).rsqrt()


class LightDistance(Distance):
    """The first stages of EfficientNet-lite0 (Tan and Le 2019; ImageNet weights, Apache-2.0), and colours.

    The mean of five parts: for each of four stages the mean over pixels of |f - g|^2, f and g unit features; and the
    mean over pixels of |c - d|^2, c and d the colours in -1..1, averaged over 4x4 pixels. Unit features hardly see how
    bright and how vivid a picture is; the last part does.
    """

    name = "light features (EfficientNet-lite0) and colours"
    ENDS = (0, 1, 2, 4)  # stages that are compared: at 1/2, 1/4, 1/8 and 1/16 of the picture
    COLOURS = 4  # pixels of the picture, in each direction, that a colour is the mean of

    def __init__(self) -> None:
        super().__init__()
        self.stem = Conv(3, 32, 3, 2)
        self.blocks = nn.ModuleList()
        self.ends: list[int] = []
        width = 32
        for kernel, stride, expansion, channels, count in STAGES[: self.ENDS[-1] + 1]:
            for i in range(count):
                self.blocks.append(Block(width, channels, kernel, stride if i == 0 else 1, expansion))
                width = channels
            self.ends.append(len(self.blocks) - 1)

    def stages(self, x: Tensor) -> list[Tensor]:
        x = self.stem(x)
        wanted = {self.ends[i] for i in self.ENDS}
        found = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in wanted:
                found.append(x)
        return found

    def features(self, x: Tensor) -> list[Tensor]:
        x = shrink(x)
        return [*super().features(x), F.avg_pool2d(x, min(self.COLOURS, *x.shape[2:]))]

    def weigh(self, squares: Tensor, stage: int) -> Tensor:
        return squares.sum(dim=1)

    def join(self, parts: list[Tensor]) -> Tensor:
        return torch.stack(parts).mean(dim=0)


class LpipsDistance(Distance):
    """LPIPS with the VGG16 trunk, version 0.1 (Zhang et al. 2018): learned weights per channel, a sum over 5 layers."""

    name = "LPIPS (VGG16)"
    CONVS = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))  # numbers of torchvision's vgg16.features

    def __init__(self, trunk: dict[str, Tensor], heads: dict[str, Tensor]) -> None:
        """trunk: torchvision's state of VGG16; heads: the package's vgg.pth. Raises KeyError for other files."""
        super().__init__()
        for number in (number for block in self.CONVS for number in block):
            for part in ("weight", "bias"):
                self.register_buffer(f"{part}{number}", trunk[f"features.{number}.{part}"].float())
        for stage in range(len(self.CONVS)):
            self.register_buffer(f"head{stage}", heads[f"lin{stage}.model.1.weight"].float())
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188])[:, None, None])
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450])[:, None, None])

    shift: Tensor
    scale: Tensor

    def stages(self, x: Tensor) -> list[Tensor]:
        x = (x - self.shift) / self.scale
        found = []
        for stage, block in enumerate(self.CONVS):
            x = F.max_pool2d(x, 2) if stage > 0 else x
            for number in block:
                weight, bias = self.get_buffer(f"weight{number}"), self.get_buffer(f"bias{number}")
                x = F.relu(F.conv2d(x, weight, bias, padding=1))
            found.append(x)
        return found

    def weigh(self, squares: Tensor, stage: int) -> Tensor:
        return F.conv2d(squares, self.get_buffer(f"head{stage}"))[:, 0]

    def join(self, parts: list[Tensor]) -> Tensor:
        return torch.stack(parts).sum(dim=0)


def lpips_files() -> tuple[Path, Path] | None:
    """(VGG16 trunk, heads) where both lie on this machine: torch hub's folder and the package `lpips`; else None."""
    found = importlib.util.find_spec("lpips")
    trunk = Path(torch.hub.get_dir()) / "checkpoints" / "vgg16-397923af.pth"
    for folder in () if found is None else found.submodule_search_locations or ():
        heads = Path(folder) / "weights" / "v0.1" / "vgg.pth"
        if heads.is_file() and trunk.is_file():
            return trunk, heads
    return None


def load_distance(device: torch.device | str = "cpu") -> Distance:
    """LPIPS where its files are there, else the bundled features. Raises InputError for a file that is broken."""
    files = lpips_files()
    distance = load_light() if files is None else load_lpips(*files)
    return distance.eval().requires_grad_(False).to(device)


def load_lpips(trunk: Path, heads: Path) -> LpipsDistance:
    """LPIPS from its two files, read as data."""
    parts: list[dict[str, Tensor]] = []
    for path in (trunk, heads):
        try:
            parts.append(torch.load(path, map_location="cpu", weights_only=True))
        except Exception as error:  # torch raises half a dozen kinds for a broken file
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise InputError(
                f"{path} cannot be read ({first[:120]}); delete it, and the bundled features are used"
            ) from error
    try:
        return LpipsDistance(*parts)
    except KeyError as error:
        raise InputError(f"{trunk} and {heads} are not LPIPS with VGG16: {error} is missing") from error


def load_light(path: Path = ASSET) -> LightDistance:
    """The bundled network; its half-precision weights are computed with as float32."""
    distance = LightDistance()
    if not path.is_file():
        raise InputError(f"{path} is missing; it comes with the app (assets/features/)")
    distance.load_state_dict({key: value.float() for key, value in load_file(path).items()})
    return distance
