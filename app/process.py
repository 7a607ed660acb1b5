"""Settings of the whole process that must be made before torch is loaded."""

from __future__ import annotations

import os

from app import memory


def prepare() -> None:
    """Keep big buffers, and let idle threads sleep instead of spin. Safe to call again; loads nothing.

    Spinning at the end of each operation saves microseconds on an idle machine, but where the window or another
    program takes turns on the same cores a thread spins for one that does not run: on two busy cores a picture of a
    small StyleGAN2 then took 2400 ms instead of 170. A policy that the user has set stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    memory.keep_big_buffers()
