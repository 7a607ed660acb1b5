"""Dragging through W: how long after a movement of the hand its picture is there, and when the full one is.

Engine and loop run as in the app, without a window: a scripted hand takes the place of panels.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.benchmarks.alone import alone
from app.benchmarks.numbers import markdown, percentile_95, short
from app.engine import Engine
from app.frame import Frame, LoopState, RecordingState
from app.loop import Loop
from app.request import Latent, Model, RenderRequest, plane

QUICK, FULL = ("stylegan2-64-small",), ("stylegan2-256", "stylegan2-1024")
FACES, FACES_LAYOUT = "faces (MobileStyleGAN, 1024)", "MobileStyleGAN, 1024, random weights"
TURN_S = 1 / 60
STEP = (0.031, 0.017)  # units of the seed plane per turn: four seeds at a time, one after the other changes
PATIENCE_S = 300.0
HEAD = (
    "network", "event to picture, ms", "95 %", "pictures a second", "CPU time of a picture, ms", "heights, px",
    "release to full, ms", "load",
)  # fmt: skip


@dataclass
class Hand:
    """Moves over the seed plane, one step per turn, and notes when; the only panel of the loop."""

    x: float = 0.0
    y: float = 0.0
    down: bool = False
    moved: list[tuple[float, Latent]] = field(default_factory=list)

    def move(self) -> None:
        """One event of the mouse."""
        self.x, self.y = self.x + STEP[0], self.y + STEP[1]
        self.moved.append((time.perf_counter(), plane(self.x, self.y)))

    def contribute(self, request: RenderRequest) -> RenderRequest:
        return replace(request, latent=plane(self.x, self.y))

    def show(self, frame: Frame | None, state: LoopState) -> None:
        """Nothing to draw on."""

    def tick(self, seconds: float) -> None:
        """No animation."""

    def dragging(self) -> bool:
        return self.down


@dataclass(frozen=True)
class Dragged:
    """What one drag gave. Milliseconds from each event to the first picture that shows it or a later one; heights of
    the pictures in px; CPU milliseconds of all threads per picture; from the release to the full picture."""

    latency_ms: list[float]
    heights: Counter[int]
    cpu_ms: float
    seconds: float
    full_ms: float
    load: float | None


def measure(path: str, device: str, seconds: float) -> Dragged:
    """Open a file, drag for so many seconds, let go; runs alone in its process."""
    from app.benchmarks import machine
    from networks.ops import compiled

    hand, frames = Hand(), list[tuple[float, Frame]]()
    engine = Engine()
    base = RenderRequest(model=Model(path, device=device))
    loop = Loop(
        engine,
        [hand],
        lambda: base,
        lambda status, frame: LoopState(0.0, 0.0, 0.0, "none", status, RecordingState()),
        lambda frame: frames.append((time.perf_counter(), frame)),
    )
    try:
        for _ in range(2):  # compiled kernels load behind the first full picture; the second one is timed with them
            hand.x += 1.0
            turns(loop, until=lambda: full(frames, hand))
            compiled.settle()
        hand.down = True
        turns(loop, until=lambda: False, seconds=seconds / 4, each=hand.move)  # the pace learns
        hand.moved.clear()
        frames.clear()
        began, cpu = time.perf_counter(), time.process_time()
        turns(loop, until=lambda: False, seconds=seconds, each=hand.move)
        lasted, cpu, drawn = time.perf_counter() - began, time.process_time() - cpu, len(frames)
        heights = Counter(frame.picture.shape[0] for _, frame in frames if frame.picture is not None)
        hand.down, released = False, time.perf_counter()
        turns(loop, until=lambda: full(frames, hand))
        full_ms = (frames[-1][0] - released) * 1000
        return Dragged(
            latencies(hand.moved, frames), heights, cpu * 1000 / max(drawn, 1), lasted, full_ms, machine.load()
        )
    finally:
        engine.close()


def full(frames: list[tuple[float, Frame]], hand: Hand) -> bool:
    """Whether the newest frame is the full picture of where the hand is; raises where it is a problem."""
    if not frames:
        return False
    frame = frames[-1][1]
    if frame.problem is not None:
        raise RuntimeError(f"{frame.problem.title}: {frame.problem.detail}")
    return frame.complete and frame.picture is not None and frame.request.latent == plane(hand.x, hand.y)


def turns(
    loop: Loop, until: Callable[[], bool], seconds: float = PATIENCE_S, each: Callable[[], None] = lambda: None
) -> None:
    """Turns of the loop, 60 a second, until something is so or so many seconds have passed."""
    began = time.perf_counter()
    while not until() and (now := time.perf_counter()) - began < seconds:
        each()
        loop.step()
        time.sleep(max(0.0, TURN_S - (time.perf_counter() - now)))


def latencies(moved: list[tuple[float, Latent]], frames: list[tuple[float, Frame]]) -> list[float]:
    """Milliseconds from each event to the first frame that shows it or a later one; events never shown are left out."""
    number = {latent: i for i, (_, latent) in enumerate(moved)}
    found: list[float] = []
    for at, frame in frames:
        shown = number.get(frame.request.latent, -1)
        found += [(at - moved[i][0]) * 1000 for i in range(len(found), shown + 1)]
    return found


def table(quick: bool, device: str, say: Callable[[str], None]) -> list[str]:
    """Markdown lines: one row for each network."""
    seconds = 1.0 if quick else 6.0
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, path in files(Path(folder), QUICK if quick else FULL, faces=not quick).items():
            say(f"drag: {name}")
            rows.append(row(name, alone(measure, str(path), device, seconds)))
    return [
        f"A hand moves through W for {seconds:.0f} s, one event per turn of the app's loop (60 a second, no window);"
        " then it lets go. Milliseconds from an event to the first picture that shows it or a later one, median and"
        " 95 %; how high the pictures were, with their shares; CPU time of the process, all threads, per picture: what"
        " remains of a machine that others use as well. Weights are random (the faces have theirs).",
        "",
        *markdown(HEAD, rows),
    ]


def files(folder: Path, names: tuple[str, ...], faces: bool) -> dict[str, Path]:
    """Name -> checkpoint: presets with random weights, and the faces, or their layout where they are not installed."""
    from app.benchmarks.models import write_models
    from networks.checkpoint.faces import find_faces
    from networks.checkpoint.records import Checkpoint
    from networks.checkpoint.safetensors_format import save_checkpoint
    from networks.mobile_stylegan import MobileStyleGAN, MobileStyleGANSpec

    found = {name: write_models(folder, 1, name)[0] for name in names}
    if not faces:
        return found
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
    shown = sum(dragged.heights.values())
    shares = ", ".join(f"{height} ({count / shown:.0%})" for height, count in sorted(dragged.heights.items()))
    return [
        name,
        short(statistics.median(dragged.latency_ms)),
        short(percentile_95(dragged.latency_ms)),
        short(shown / dragged.seconds),
        short(dragged.cpu_ms),
        shares,
        short(dragged.full_ms),
        "-" if dragged.load is None else f"{dragged.load:.1f}",
    ]
