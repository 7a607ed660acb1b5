"""What studies draw with: one request, any ws, any hooks, any transform; pictures as numbers in -1..1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from app import latents, view
from app.directions import push
from app.frame import Pixels
from app.request import Latent, Matrix, RenderRequest
from networks.plan import Noise
from networks.taps import Hook, Taps

if TYPE_CHECKING:
    from app.diagnostics import Point
    from app.renderer import Renderer


class Variations:
    """Draws variations of one request. Belongs to one study; opens the model once, and holds it to the end."""

    def __init__(self, renderer: Renderer, request: RenderRequest) -> None:
        self.request = replace(request, measures=())
        self.opened = renderer.open(request)
        self.generator = self.opened.generator
        self.pixel_range = self.generator.spec.pixel_range

    @torch.inference_mode()
    def ws(self, latent: Latent | None = None) -> Tensor:
        """ws [1, num_ws, w_dim] of the request, or of the request with another latent."""
        request = self.request if latent is None else replace(self.request, latent=latent)
        return latents.make_ws(self.generator, request, self.opened.workspace)

    def noise(self, number: int) -> Noise:
        """The noise of picture `number`: the mode 'random' draws anew for each."""
        noise = self.request.noise
        return replace(noise, seed=noise.seed + number) if noise.mode == "random" else noise

    def taps(self, hooks: Mapping[Point, Hook] | None = None) -> Taps:
        """Taps with the request's edits."""
        return Taps(edits=self.request.edits, hooks=hooks)

    @torch.inference_mode()
    def draw(self, ws: Tensor, noise: Noise, taps: Taps | None = None, transform: Matrix | None = None) -> Tensor:
        """ws [1, num_ws, w_dim] -> picture [C, H, W], float32, black -1 and white 1, not clipped; alpha is left out.

        transform: in place of the request's; ignored where the generator takes none.
        """
        matrix = self.request.transform.as_matrix() if transform is None else transform
        taps = taps or self.taps()
        push.shift_styles(taps, self.request.pushes, self.opened.library)
        image = self.generator.synthesize(
            ws,
            taps,
            noise,
            matrix if self.generator.has_transform else None,
            self.request.model.precision,
        )
        return self.centred(image)

    def centred(self, image: Tensor) -> Tensor:
        """A network's picture [1, C, H, W] -> [C, H, W], black -1 and white 1, without alpha.

        It comes to the CPU from devices that have no float64, which sums over many pixels need.
        """
        image = image.cpu() if image.device.type == "mps" else image
        return view.centred(image[0], self.pixel_range)[: colours(image.shape[1])]

    def pixels(self, picture: Tensor) -> Pixels:
        """picture [C, H, W] in -1..1 -> RGBA."""
        return view.picture(picture[None], bgr=self.request.bgr)


def colours(channels: int) -> int:
    """How many of a picture's channels are colours: 1 (and perhaps alpha) or 3."""
    return 1 if channels <= 2 else 3
