"""Vectors in W: length, sign, standard deviation along them, orthogonal ones, random ones. NumPy, float64."""

from __future__ import annotations

import numpy as np

from app.errors import InputError

DEPENDENT = 1e-6  # of its length is left of a vector: it lies in the span of those before it


def signed(directions: np.ndarray) -> np.ndarray:
    """directions [K, ...] -> the same with the entry of largest magnitude of each positive: a direction and its
    opposite are the same component, and this rule picks one of them."""
    flat = directions.reshape(len(directions), -1)
    largest = np.take_along_axis(flat, np.abs(flat).argmax(axis=1)[:, None], axis=1)[:, 0]
    signs = np.where(largest < 0, -1.0, 1.0).reshape(-1, *(1 for _ in directions.shape[1:]))
    turned: np.ndarray = directions * signs
    return turned


def lengths(directions: np.ndarray) -> np.ndarray:
    """directions [K, w_dim] or [K, num_ws, w_dim] -> [K]: the length; in W+ the root of the rows' mean square."""
    squares = np.square(directions.astype(np.float64)).sum(axis=-1)
    found: np.ndarray = np.sqrt(squares if squares.ndim == 1 else squares.mean(axis=1))
    return found


def unit(directions: np.ndarray, name: str) -> np.ndarray:
    """directions scaled to length 1, float64; raises InputError where one is zero."""
    size = lengths(directions)
    if not (size > 0).all():
        raise InputError(f"{name}: direction {int(np.argmin(size))} is zero everywhere")
    return directions.astype(np.float64) / size.reshape(-1, *(1 for _ in directions.shape[1:]))


def spread(covariance: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """covariance [w_dim, w_dim], directions [K, w_dim] or [K, num_ws, w_dim] -> the standard deviation of w along
    each [K]: sqrt(d^T C d), in W+ the root of the mean over rows."""
    directions = directions.astype(np.float64)
    variance = np.einsum("...i,ij,...j->...", directions, covariance, directions, optimize=True)
    variance = variance if variance.ndim == 1 else variance.mean(axis=1)
    found: np.ndarray = np.sqrt(np.maximum(variance, 0.0))
    return found


def orthogonalize(directions: np.ndarray, name: str = "orthogonal") -> np.ndarray:
    """directions [K, ...] -> orthogonal ones of length 1, each without its share of those before it (Gram-Schmidt,
    done twice as rounding asks for: Giraud et al. 2005). Raises InputError where one depends on those before it."""
    found: list[np.ndarray] = []
    start = unit(directions, name)
    for number, vector in enumerate(start):
        left = vector
        for _ in range(2):
            for before in found:
                left = left - before * (np.vdot(before, left) / np.vdot(before, before))
        if lengths(left[None])[0] < DEPENDENT:
            raise InputError(f"{name}: direction {number + 1} of {len(start)} lies in the span of those before it")
        found.append(unit(left[None], name)[0])
    return np.stack(found)


def random_direction(seed: int, w_dim: int) -> np.ndarray:
    """A direction drawn uniformly from the unit sphere of W by `RandomState(seed)`: float64 [w_dim]."""
    if not 0 <= seed < 2**32:
        raise InputError(f"random direction {seed}: the seed is outside 0 to {2**32 - 1}")
    drawn = np.random.RandomState(seed).randn(w_dim)
    found: np.ndarray = drawn / np.linalg.norm(drawn)
    return found
