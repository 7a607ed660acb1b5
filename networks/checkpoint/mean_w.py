"""The centre of W where a file does not hold it: estimated, and always from the same z."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from networks.base import Generator

SAMPLES = 8192
SEED = 0


def estimate_w_avg(generator: Generator, samples: int = SAMPLES, chunk: int = 1024) -> Tensor:
    """Mean of w over seeded z (`RandomState(0)`), [w_dim]; over random classes as well where there are classes.

    The standard error of one entry is its spread over W divided by sqrt(samples).
    """
    rnd = np.random.RandomState(SEED)
    device = generator.mapping.w_avg.device
    total = torch.zeros(generator.w_dim, dtype=torch.float64, device=device)
    with torch.no_grad():
        for start in range(0, samples, chunk):
            n = min(chunk, samples - start)
            z = torch.from_numpy(rnd.randn(n, generator.z_dim)).float().to(device)
            c = None
            if generator.c_dim > 0:
                classes = torch.from_numpy(rnd.randint(generator.c_dim, size=n))
                c = torch.nn.functional.one_hot(classes, generator.c_dim).float().to(device)
            total += generator.mapping(z, c).double().sum(dim=0)
    return (total / samples).float()
