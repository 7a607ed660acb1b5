"""The optimization, one step at a time: w (or W+), noise maps, and where the input takes it, a rotation and a shift.

Method: Karras et al. 2020, section 5 and appendix D. Ours beyond it: W+ (each row of ws for itself, as Abdal et al.
2019), the transform of StyleGAN3's input, and other distances than LPIPS.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from app.projection import noise_maps
from app.projection.adam import Adam, Unknown
from app.projection.features import Distance
from app.projection.schedule import Schedule
from app.studies.projection import ProjectionSettings
from app.view import centred
from networks import ops
from networks.base import Generator
from networks.plan import Noise
from networks.taps import Taps

W_SAMPLES, W_CHUNK = 10_000, 500  # pictures for mean and spread of w (appendix D), and how many are mapped at once
SMALL = 64 * 64  # pixels
MOVE_RATE = 0.02  # learning rate of shift (picture widths) and turn (radians), as a share of that of w
WHOLE = 1e-6  # a letterbox leaves at least this share of the picture

Draw = Callable[[int], Tensor]  # how many -> w [N, w_dim] of so many further z


@dataclass(frozen=True, eq=False)
class Target:
    """What is looked for: picture [1, C, H, W] in -1..1 in the network's channels (bgr: blue, green, red).

    mask [1, 1, H, W]: 1 where it counts, 0 under the bars of a letterbox; None: everywhere.
    """

    picture: Tensor
    mask: Tensor | None = None
    bgr: bool = False

    def put_bars(self, x: Tensor) -> Tensor:
        """x [1, C, H, W] with the target's own bars, so that they make no difference."""
        return x if self.mask is None else torch.lerp(self.picture, x, self.mask)


@dataclass(frozen=True, eq=False)
class Found:
    """A picture on the way: image [1, C, H, W] in -1..1, not clipped.

    ws [1, num_ws, w_dim] as it entered the synthesis; maps: layer -> noise [1, 1, H, W] of variance 1; move: (x, y,
    turn), in picture widths and radians.
    """

    step: int
    distance: float
    ws: Tensor
    maps: Mapping[str, Tensor]
    move: tuple[float, float, float]
    image: Tensor

    def psnr(self, target: Target) -> float:
        """Peak signal-to-noise ratio of the clipped picture in dB: 10 log10(4 / mean square error), without bars."""
        error = (self.image.clamp(-1, 1) - target.picture).square()
        if target.mask is not None:
            error = (error * target.mask).sum() / (target.mask.sum() * error.shape[1]).clamp_min(WHOLE)
        return 10 * math.log10(4 / max(float(error.mean()), 1e-12))


def seen(x: Tensor, bgr: bool = False) -> Tensor:
    """x [1, C, H, W] in -1..1 -> RGB as a distance sees it, [1 or 2, 3, H, W].

    Grey becomes three equal channels. A picture with alpha is laid on black and on white: two pictures.
    """
    colours, alpha = (x[:, :-1], x[:, -1:]) if x.shape[1] in (2, 4) else (x[:, :3], None)
    colours = colours.expand(-1, 3, -1, -1) if colours.shape[1] == 1 else colours
    colours = colours.flip(1) if bgr else colours
    if alpha is None:
        return colours
    opaque = ((alpha + 1) / 2).clamp(0, 1)
    return torch.cat([torch.lerp(torch.full_like(colours, back), colours, opaque) for back in (-1.0, 1.0)])


@contextmanager
def threads_for(picture: Tensor) -> Iterator[None]:
    """One thread for small pictures on a CPU: their operations are so short that waiting for a second thread, which on
    a busy machine has to get its turn first, takes many times as long as what it computes."""
    before = torch.get_num_threads()
    alone = picture.device.type == "cpu" and picture[0, 0].numel() <= SMALL
    torch.set_num_threads(1 if alone else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Projection:
    """One photo, one generator (whose weights gradients can pass).

    Call `look_around` to its end, then `step` until `done`; `best` is the closest picture so far.
    """

    def __init__(self, generator: Generator, target: Target, distance: Distance, settings: ProjectionSettings) -> None:
        self.generator = generator
        self.target, self.distance, self.settings = target, distance, settings
        self.schedule = Schedule(settings.steps)
        self.device = target.picture.device
        self.stream = torch.Generator().manual_seed(settings.seed)
        self.layers = noise_maps.noisy_layers(self.generator) if settings.noise_maps else {}
        self.maps = noise_maps.draw_maps(self.layers, settings.seed, self.device)
        self.move = torch.zeros(3, device=self.device) if settings.move and generator.has_transform else None
        self.mean = torch.zeros(generator.w_dim, device=self.device)
        self.sigma = 0.0
        self.taken = 0
        self.best: Found | None = None
        with torch.no_grad():
            self.wanted = distance.features(seen(target.picture, target.bgr))

    @torch.no_grad()
    def look_around(self, draw: Draw, samples: int = W_SAMPLES) -> Iterator[float]:
        """Mean of w, and sigma_w = sqrt(E |w - mean|^2), over so many draws; yields the share that is done."""
        total = torch.zeros(self.generator.w_dim, dtype=torch.float64)
        squares = 0.0
        for first in range(0, samples, W_CHUNK):
            w = draw(min(W_CHUNK, samples - first)).cpu().double()
            total += w.sum(dim=0)
            squares += float(w.square().sum())
            yield min(first + W_CHUNK, samples) / samples
        mean = total / samples
        self.start(mean.float(), math.sqrt(max(squares / samples - float(mean.square().sum()), 0.0)))

    def start(self, mean: Tensor, sigma: float) -> None:
        """Begin at a mean w [w_dim] with a spread sigma_w."""
        self.mean, self.sigma = mean.to(self.device), sigma
        rows = self.generator.num_ws if self.settings.space == "w+" else 1
        self.w = self.mean.repeat(1, rows, 1).requires_grad_()  # [1, rows, w_dim]
        for drawn in self.maps.values():
            drawn.requires_grad_()
        unknowns = [Unknown(self.w), *(Unknown(drawn) for drawn in self.maps.values())]
        if self.move is not None:
            unknowns.append(Unknown(self.move.requires_grad_(), MOVE_RATE))
        self.adam = Adam(unknowns)

    @property
    def done(self) -> bool:
        """Whether every step was taken."""
        return self.taken >= self.settings.steps

    def step(self) -> Found:
        """Take one step; returns the picture it was taken from, measured before the step."""
        with threads_for(self.target.picture):
            return self._step()

    def _step(self) -> Found:
        spread = self.sigma * self.schedule.noise_share(self.taken)
        drawn = torch.randn(self.w.shape, generator=self.stream).to(self.device)
        ws = (self.w + drawn * spread).expand(-1, self.generator.num_ws, -1)
        with torch.enable_grad():
            image = self.draw(ws)
            distance = self.measure(image)
            loss = distance + noise_maps.WEIGHT * noise_maps.autocorrelation_loss(self.maps.values())
        gradients = torch.autograd.grad(loss, [unknown.value for unknown in self.adam.unknowns])
        found = self._note(ws, image, float(distance.detach()))
        self.adam.step(gradients, self.schedule.rate(self.taken))
        noise_maps.normalize_(self.maps.values())
        self.taken += 1
        return found

    def draw(self, ws: Tensor) -> Tensor:
        """ws [1, num_ws, w_dim] -> picture [1, C, H, W] in -1..1 with the present noise and transform."""
        taps = Taps()
        taps.added_noise = noise_maps.scaled(self.layers, self.maps)
        matrix = None if self.move is None else matrix_of(self.move)
        with ops.using("plain"):  # the first layer sees an input without gradient, yet its style has one
            image = self.generator.synthesize(ws, taps, Noise("const"), matrix, "fp32")
        return centred(image, self.generator.spec.pixel_range)

    def measure(self, image: Tensor) -> Tensor:
        """The distance of a picture [1, C, H, W] in -1..1 from the target, scalar."""
        features = self.distance.features(seen(self.target.put_bars(image), self.target.bgr))
        return self.distance.between(features, self.wanted).mean()

    def _note(self, ws: Tensor, image: Tensor, distance: float) -> Found:
        """What this step saw; kept as the best where it is."""
        closest = self.best is None or distance < self.best.distance
        maps = {name: drawn.detach().clone() for name, drawn in self.maps.items()} if closest else {}
        x, y, turn = (0.0, 0.0, 0.0) if self.move is None else self.move.detach().tolist()
        found = Found(self.taken, distance, ws.detach().clone(), maps, (x, y, turn), image.detach())
        if closest and math.isfinite(distance):
            self.best = found
        return found


def matrix_of(move: Tensor) -> Tensor:
    """move [3] = (x, y, turn) -> [3, 3], as `app.request.Transform.as_matrix` composes it; differentiable."""
    x, y, turn = move.unbind()
    cos, sin, zero, one = turn.cos(), turn.sin(), torch.zeros_like(x), torch.ones_like(x)
    return torch.stack([cos, sin, x, -sin, cos, y, zero, zero, one]).view(3, 3)
