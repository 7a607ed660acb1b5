"""Dragging through W: how long after a movement of the hand its picture is there, and when the full one is.

Engine and loop run as in the app, without a window: a scripted hand takes the place of panels.
"""

from __future__ import annotations

import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from app.benchmarks.alone import alone
from app.benchmarks.numbers import markdown, percentile_95, short
from app.benchmarks.take import Event, Shown, Take
from app.engine import Engine
from app.frame import Frame, LoopState, ModelInfo, Pixels, RecordingState
from app.loop import EngineLike, Loop
from app.request import Latent, Model, RenderRequest, Truncation, plane

QUICK, FULL = "stylegan2-64-small", (256, 1024)
FACES, FACES_LAYOUT = "faces (MobileStyleGAN, 1024)", "mobilestylegan-1024"
TURN_S = 1 / 60
STEP = 0.0354  # units of the seed plane per turn: four seeds at a time, one after the other changes
START = (4.0, 1.0)  # the seeds around are small numbers
SWING, LOOP_TURNS = 2.2, 240  # the heading swings by so many radians to both sides: a drifting figure of eight
PATIENCE_S = 300.0
TAIL_S, LOOK_S = 1.5, 1.0  # the least that is noted after the release, and after the full picture
LARGEST = 512  # px: a film keeps pictures up to this height
PSI_RANDOM, PSI_FACES = 0.35, 0.7  # random weights are nothing but saturated colours at psi 1
HEAD = (
    "network", "event to picture, ms", "95 %", "pictures a second", "CPU time of a picture, ms", "heights, px",
    "release to full, ms", "load",
)  # fmt: skip


@dataclass
class Hand:
    """Moves over the seed plane, one step of equal length per turn, and notes when; the only panel of the loop."""

    clock: Callable[[], float] = time.perf_counter
    x: float = 0.0
    y: float = 0.0
    steps: int = 0
    down: bool = False
    moved: list[tuple[Event, Latent]] = field(default_factory=list)

    def move(self) -> None:
        """One event of the mouse."""
        heading = math.pi / 2 + SWING * math.sin(2 * math.pi * self.steps / LOOP_TURNS)
        self.x, self.y = self.x + STEP * math.cos(heading), self.y + STEP * math.sin(heading)
        self.steps += 1
        self.moved.append((Event(self.clock(), self.x, self.y), plane(self.x, self.y)))

    def contribute(self, request: RenderRequest) -> RenderRequest:
        return replace(request, latent=plane(self.x, self.y))

    def show(self, frame: Frame | None, state: LoopState) -> None:
        """Nothing to draw on."""

    def tick(self, seconds: float) -> None:
        """No animation."""

    def dragging(self) -> bool:
        return self.down


class Drag:
    """Engine and loop without a window, the hand, and every frame with the second at which the loop took it."""

    def __init__(
        self,
        engine: EngineLike,
        request: RenderRequest,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.clock, self.sleep = clock, sleep
        self.hand = Hand(clock, *START)
        self.frames: list[tuple[float, Frame]] = []
        self.loop = Loop(
            engine,
            [self.hand],
            lambda: request,
            lambda status, frame: LoopState(0.0, 0.0, 0.0, "none", status, RecordingState()),
            lambda frame: self.frames.append((clock(), frame)),
            clock,
        )

    def turns(
        self, until: Callable[[], bool] = lambda: False, seconds: float = PATIENCE_S, moving: bool = False
    ) -> None:
        """Turns of the loop, 60 a second, until something is so or so many seconds have passed."""
        began = self.clock()
        while not until() and (now := self.clock()) - began < seconds:
            if moving:
                self.hand.move()
            self.loop.step()
            self.sleep(max(0.0, TURN_S - (self.clock() - now)))

    def full(self) -> bool:
        """Whether the newest frame is the full picture of where the hand is; raises where it is a problem."""
        if not self.frames:
            return False
        frame = self.frames[-1][1]
        if frame.problem is not None:
            raise RuntimeError(f"{frame.problem.title}: {frame.problem.detail}")
        return frame.complete and frame.picture is not None and frame.request.latent == plane(self.hand.x, self.hand.y)

    def leap(self) -> None:
        """The full picture of another point."""
        self.hand.x += 1.0
        self.turns(self.full)

    def drag(self, seconds: float) -> None:
        """The hand moves on with its button down."""
        self.hand.down = True
        self.turns(seconds=seconds, moving=True)

    def begin(self) -> float:
        """Forget what was noted, but for the newest picture; returns the second."""
        self.hand.moved.clear()
        del self.frames[:-1]
        return self.clock()

    def release(self) -> float:
        """The hand lets go and looks at the full picture for a while; returns the second of letting go."""
        self.hand.down, released = False, self.clock()
        self.turns(self.full)
        self.turns(seconds=max(LOOK_S, released + TAIL_S - self.clock()))
        return released

    def take(self, began: float, released: float, keep: bool) -> Take:
        """What was noted since `began`, until now. keep: the pixels, reduced to what a film shows."""
        number = {latent: i for i, (_, latent) in enumerate(self.hand.moved)}
        return Take(
            tuple(replace(event, seconds=event.seconds - began) for event, _ in self.hand.moved),
            tuple(shown(at - began, frame, number.get(frame.request.latent), keep)
                  for at, frame in self.frames if frame.picture is not None),
            released - began,
            self.clock() - began,
        )  # fmt: skip


def shown(seconds: float, frame: Frame, event: int | None, keep: bool) -> Shown:
    """A frame with a picture as a take notes it."""
    assert frame.picture is not None
    return Shown(seconds, frame.picture.shape[0], event, frame.complete, reduced(frame.picture) if keep else None)


def reduced(picture: Pixels) -> Pixels:
    """The picture itself, or, above `LARGEST` px, a smaller one: averaged, as a window of that size would need it."""
    height, width = picture.shape[:2]
    if height <= LARGEST:
        return picture
    size = (round(width * LARGEST / height), LARGEST)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))


@dataclass(frozen=True)
class Dragged:
    """One drag. cpu_ms: of the process, all threads, per picture while the hand was down. conditions: what it was
    drawn with, as plain values. load: of the machine before and after."""

    take: Take
    cpu_ms: float
    info: ModelInfo
    conditions: dict[str, Any]
    load: tuple[float | None, float | None]


def measure(path: str, device: str, seconds: float, psi: float = 1.0, keep: bool = False) -> Dragged:
    """Open a file, drag for so many seconds, let go; runs alone in its process. keep: the pictures, for a film."""
    from app.benchmarks import machine
    from networks.ops import compiled

    engine = Engine()
    request = RenderRequest(model=Model(path, device=device), truncation=Truncation(psi))
    drag = Drag(engine, request)
    try:
        for _ in range(2):  # compiled kernels load behind the first full picture; the second one is timed with them
            drag.leap()
            compiled.settle()
        drag.drag(seconds / 4)  # the pace learns
        load = machine.load()
        began, cpu = drag.begin(), time.process_time()
        drag.drag(seconds)
        cpu = time.process_time() - cpu
        take = drag.take(began, drag.release(), keep)
        info = drag.frames[-1][1].model
        assert info is not None
        made = {"file": Path(path).name, "psi": psi, "backend": drag.frames[-1][1].timing.backend, **threads(info)}
        return Dragged(take, cpu * 1000 / max(len(take.dragged), 1), info, made, (load, machine.load()))
    finally:
        engine.close()


def threads(info: ModelInfo) -> dict[str, Any]:
    """How many threads drew, what the user set them to, and on which device."""
    import torch

    name = torch.cuda.get_device_name(info.device) if info.device.startswith("cuda") else info.device
    return {"threads": info.threads, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"), "device": name}


def table(quick: bool, device: str, say: Callable[[str], None], film: Path | None = None) -> list[str]:
    """Markdown lines: one row for each network. film: a folder for a film and the raw numbers of each drag."""
    from app.benchmarks import drag_film

    seconds = 1.0 if quick else 6.0
    taken: dict[str, Dragged] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, path in files(Path(folder), quick).items():
            say(f"drag: {name}")
            psi = PSI_FACES if name == FACES else PSI_RANDOM
            taken[name] = alone(measure, str(path), device, seconds, psi, film is not None)
    if film is not None:  # not in between: the next drag would be taken on a machine that was busy until then
        for name, dragged in taken.items():
            drag_film.write(film, name, dragged, say)
    return [
        f"A hand moves through W for {seconds:.0f} s, one event per turn of the app's loop (60 a second, no window);"
        " then it lets go. Milliseconds from an event to the first picture that shows it or a later one, median and"
        " 95 %; how high the pictures were, with their shares; CPU time of the process, all threads, per picture: what"
        " remains of a machine that others use as well. Weights are random (the faces have theirs).",
        "",
        *markdown(HEAD, [row(name, dragged) for name, dragged in taken.items()]),
    ]


def files(folder: Path, quick: bool) -> dict[str, Path]:
    """Name -> file: random weights in NVIDIA's layout, and the faces, or theirs where they are not installed."""
    from app.benchmarks.models import write_models, write_official
    from networks.checkpoint.faces import find_faces
    from networks.checkpoint.records import Checkpoint
    from networks.checkpoint.safetensors_format import save_checkpoint
    from networks.mobile_stylegan import MobileStyleGAN, MobileStyleGANSpec

    if quick:
        return {QUICK: write_models(folder, 1, QUICK)[0]}
    found = {path.stem: path for path in (write_official(folder, size) for size in FULL)}
    if (installed := find_faces()) is not None:
        return {**found, FACES: installed}
    spec = MobileStyleGANSpec(512, 0, 512, (1024, 1024), 3, channels=(512, 512, 512, 512, 512, 256, 128, 64))
    generator = MobileStyleGAN(spec)
    generator.init_weights()
    path = folder / "mobile.safetensors"
    save_checkpoint(Checkpoint(path, "random", generator.family, spec, generator.state_dict()), path)
    return {**found, FACES_LAYOUT: path}


def row(name: str, dragged: Dragged) -> list[str]:
    """Cells of one network."""
    take = dragged.take
    latency, count = take.latency_ms(), len(take.dragged)
    shares = ", ".join(f"{height} ({number / count:.0%})" for height, number in sorted(take.heights.items()))
    return [
        name,
        short(statistics.median(latency)),
        short(percentile_95(latency)),
        short(count / take.released),
        short(dragged.cpu_ms),
        shares,
        short(take.full_ms),
        "-" if dragged.load[1] is None else f"{dragged.load[1]:.1f}",
    ]
