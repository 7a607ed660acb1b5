"""How rate and exploration change over a projection: the ramps of Karras et al. 2020, appendix D. No torch.

t runs from 0 at the first step to 1 after the last.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """max_rate: the largest learning rate of Adam (no unit: w has none). rise, fall: shares of the steps in which the
    rate rises linearly from 0, and falls to 0 along a cosine. explore: of the noise on w, as a share of sigma_w, at the
    first step; until: share of the steps after which there is none."""

    steps: int = 1000
    max_rate: float = 0.1
    rise: float = 0.05
    fall: float = 0.25
    explore: float = 0.05
    until: float = 0.75

    def rate(self, step: int) -> float:
        """Learning rate of a step: 0 at the first, max_rate between the ramps."""
        t = step / self.steps
        falling = 0.5 - 0.5 * math.cos(math.pi * min(1.0, (1.0 - t) / self.fall))
        return self.max_rate * falling * min(1.0, t / self.rise)

    def noise_share(self, step: int) -> float:
        """Standard deviation of the noise on w as a share of sigma_w: explore (1 - t / until)^2, 0 from `until` on."""
        return self.explore * max(0.0, 1.0 - step / self.steps / self.until) ** 2
