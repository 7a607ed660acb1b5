"""Intervals by leaving out one part at a time (Quenouille, Tukey; Efron 1982, chapter 3)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from app.studies.estimate import Estimate

LEVEL = 0.95


def jackknife(value: float, without: Sequence[float]) -> Estimate:
    """The value of a statistic over all parts and its values without each one -> the value with its 95 % interval.

    value +- t sqrt((K - 1) / K sum (v_k - mean v)^2), t of Student's distribution with K - 1 degrees of freedom. With
    one part, or where some value is not finite, nothing is known of the interval: it is -inf to inf.
    """
    K = len(without)
    if K < 2 or not all(math.isfinite(number) for number in (value, *without)):
        return Estimate(value)
    from scipy.special import stdtrit

    values = np.asarray(without, dtype=np.float64)
    error = math.sqrt((K - 1) / K * float(((values - values.mean()) ** 2).sum()))
    half = float(stdtrit(K - 1, (1 + LEVEL) / 2)) * error
    return Estimate(value, value - half, value + half)


def mean(values: Sequence[float]) -> Estimate:
    """The mean of independent numbers with its 95 % interval by Student's t."""
    numbers = np.asarray(values, dtype=np.float64)
    if len(numbers) < 2:
        return Estimate(float(numbers.mean()))
    return jackknife(float(numbers.mean()), [float(np.delete(numbers, i).mean()) for i in range(len(numbers))])
