"""What every generator is: a specification, a mapping network with a centre, and a loop over a layer table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from networks.plan import LayerInfo, Noise
from networks.taps import Taps
from networks.trail import State, Trail, identity

Condition = Literal["none", "class", "vector"]
Precision = Literal["auto", "fp32"]
TorgbUse = Literal["single", "summed", "apart"]


@dataclass(frozen=True)
class Spec:
    """Sizes that every family has; each family adds its own. Values only, so that it fits in a JSON header.

    `pixel_range` is the range (black, white) of the generator's own output.
    """

    z_dim: int
    c_dim: int
    w_dim: int
    resolution: tuple[int, int]  # (H, W)
    img_channels: int
    pixel_range: tuple[float, float] = (-1.0, 1.0)


class Mapping(nn.Module, ABC):
    """z, c -> w, and the centre that truncation pulls towards. Families write `forward`.

    `w_avg` is [w_dim], or [c_dim, w_dim] where each class has its own centre (StyleGAN-XL).
    """

    w_avg: Tensor

    @abstractmethod
    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, z_dim], c [N, c_dim] or None -> w [N, w_dim]."""

    def centre(self, c: Tensor | None = None) -> Tensor:
        """c [N, c_dim] or None -> the mean w: [N, w_dim] with per-class means, else [1, w_dim]."""
        if self.w_avg.ndim == 1:
            return self.w_avg[None]
        if c is None:
            return self.w_avg.mean(dim=0, keepdim=True)
        return c @ self.w_avg


@dataclass(frozen=True, eq=False)
class Inverted:
    """A transform as it enters the input: [3, 3] float32, inverted already, on the generator's device."""

    matrix: Tensor


Transform = Sequence[Sequence[float]] | Tensor | Inverted


@dataclass(frozen=True)
class Pass:
    """What one synthesis is asked to do besides ws; see `Generator.synthesize`."""

    taps: Taps
    noise: Noise
    transform: Transform | None
    precision: Precision
    trail: Trail | None = None

    def resume(self, *start: Tensor | None) -> tuple[int, State]:
        """Where the trunk begins: rows of the layer table that are done, and its tensors behind them (`start` at 0)."""
        return (0, start) if self.trail is None else self.trail.resume(self.taps, start)

    def keep(self, done: int, *state: Tensor | None) -> None:
        """The first `done` rows are done, and all that the rest of the trunk needs of them is `state`."""
        if self.trail is not None:
            self.trail.keep(self.taps, done, state)


class Generator(nn.Module, ABC):
    """A generator: `map` makes ws from z, `synthesize` makes pictures from ws, `layers` says what happens between.

    Sub-classes set `spec`, `layers`, `num_ws` and `mapping`, and write `draw`.
    """

    family: ClassVar[str] = ""
    condition: ClassVar[Condition] = "class"  # what c means when c_dim > 0
    has_transform: ClassVar[bool] = False  # whether the input takes a user transform
    early_on_the_way: ClassVar[bool] = True  # whether a larger picture comes by the smaller early ones, or begins anew

    spec: Spec
    layers: tuple[LayerInfo, ...]
    num_ws: int
    mapping: Mapping

    @property
    def z_dim(self) -> int:
        return self.spec.z_dim

    @property
    def c_dim(self) -> int:
        return self.spec.c_dim

    @property
    def w_dim(self) -> int:
        return self.spec.w_dim

    @property
    def resolution(self) -> tuple[int, int]:
        """(H, W) of the picture."""
        return self.spec.resolution

    @property
    def preview_sizes(self) -> tuple[int, ...]:
        """Heights at which a pass can stop with a picture, ascending; the last one is the full height."""
        return (self.resolution[0],)

    @property
    def torgb_use(self) -> TorgbUse:
        """What the to-RGBs are for: there is but one; the picture is their up-sampled sum ('summed'); each made the
        whole picture while training grew, and now the last does ('apart')."""
        return "summed" if sum(info.kind == "torgb" for info in self.layers) > 1 else "single"

    def double_picture(self, img: Tensor) -> Tensor:
        """img [N, C, H, W] -> [N, C, 2H, 2W], as the trunk enlarges a picture between two to-RGBs ('summed'), or by
        repeating pixels, as progressive growing does ('apart')."""
        return F.interpolate(img, scale_factor=2.0, mode="nearest")

    def centre(self, c: Tensor | None = None) -> Tensor:
        """Return the mean w that truncation pulls towards, [N or 1, w_dim]."""
        return self.mapping.centre(c)

    def map(self, z: Tensor, c: Tensor | None = None, psi: float = 1.0, cutoff: int | None = None) -> Tensor:
        """z [N, z_dim], c [N, c_dim] or None -> ws [N, num_ws, w_dim], truncated by psi on rows below cutoff."""
        w = self.mapping(z, c)
        return self.truncate(w[:, None].repeat(1, self.num_ws, 1), c, psi, cutoff)

    def truncate(self, ws: Tensor, c: Tensor | None, psi: float, cutoff: int | None = None) -> Tensor:
        """ws [N, num_ws, w_dim] -> centre + psi (w - centre) on rows below cutoff (None: all).

        The truncation trick of StyleGAN (Karras et al. 2019, appendix B). psi 1 returns ws itself.
        """
        if psi == 1.0:
            return ws
        centre = self.centre(c)[:, None]
        rows = ws.shape[1] if cutoff is None else cutoff
        return torch.cat([centre + psi * (ws[:, :rows] - centre), ws[:, rows:]], dim=1)

    def synthesize(
        self,
        ws: Tensor,
        taps: Taps | None = None,
        noise: Noise | None = None,
        transform: Transform | None = None,
        precision: Precision = "auto",
        trail: Trail | None = None,
    ) -> Tensor:
        """ws [N, num_ws, w_dim] -> pictures [N, img_channels, H, W], float32, in `spec.pixel_range`, not clipped.

        transform: the 3x3 matrix that moves the picture (only where `has_transform`; its inverse enters the input).
        precision: 'auto' runs layers marked `half` in fp16 on CUDA, 'fp32' never does.
        trail: of this generator's last pass; what did not change since is taken from there, with the same bits.
        Raises EditError where an edit of the taps does not fit the layer table.
        """
        taps = taps or Taps()
        taps.prepare(self.layers)
        noise = noise or Noise()
        asked = Pass(taps, noise, transform, precision, trail if taps.only_look else None)
        if (first := taps.first_pass()) is not None:
            self.draw(ws, Pass(first, noise, transform, precision))
            taps.untouched = first.norms
        if asked.trail is not None:
            asked.trail.begin(identity(self.layers, ws, asked), self.skippable(taps.stop_at), taps)
        return self.draw(ws, asked).float()

    def reaches(self, info: LayerInfo, height: int) -> bool:
        """Whether a pass that stops at an early picture of this height computes the layer, as the full picture does."""
        return info.size[0] <= height

    def skippable(self, height: int | None) -> int:
        """Rows of the layer table that a pass with a trail may leave out at most: all before the last that it runs."""
        runs = [height is None or self.reaches(info, height) for info in self.layers]
        return max((runs.index(False) if False in runs else len(runs)) - 1, 0)

    @abstractmethod
    def draw(self, ws: Tensor, asked: Pass) -> Tensor:
        """ws [N, num_ws, w_dim] -> pictures [N, img_channels, H, W]: the family's own synthesis network."""

    def init_weights(self, seed: int = 0) -> None:
        """Draw fresh weights for training: every module that has `reset_weights` is asked, in order."""
        generator = torch.Generator().manual_seed(seed)
        for module in self.modules():
            reset = getattr(module, "reset_weights", None)
            if reset is not None:
                reset(generator)


def layer_dtype(info: LayerInfo, device: torch.device, precision: Precision) -> torch.dtype:
    """Return fp16 for layers that the original runs in half precision, on CUDA only; else fp32."""
    half = info.half and device.type == "cuda" and precision == "auto"
    return torch.float16 if half else torch.float32
