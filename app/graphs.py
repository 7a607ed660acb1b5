"""Whole pictures as CUDA graphs: the synthesis is recorded once and then started by one call.

A picture of a StyleGAN2 is hundreds of small kernels, and a quick GPU waits for the Python that launches them. A graph
launches all of them at once. It reads ws, noise and transform from buffers that stay where they are and writes to one
that does; what else decides its kernels is its key, and another key means another graph.

- Recorded is what was asked for twice in a row, so that a single picture never pays for it; only passes whose taps
  neither look nor change anything, without gradients, on CUDA, and quicker than LONG_MS: a longer one gains nothing.
- A graphed picture cannot be called off between two layers, nor hand over to another renderer. It is short.
- Random numbers never come from inside: noise is drawn from its seed as ever and copied into the buffers.
- While it is recorded the buffers hold other numbers than the request's. Then they are filled, and the first replay
  must show the picture that the ordinary pass drew, to TOLERANCE of its range: numbers that were baked in would show.
- What differs or cannot be recorded is drawn as ever, and `describe` says why. A GPU that is lost is told, not hidden.

There was no GPU where this was written: the tests put a recorder of torch's operations in place of `Cuda`.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor

from app.bounded import Bounded
from app.cuda_graph import Cuda, Machine, Recording
from app.paced import PacedTaps
from networks import ops
from networks.alias_free import invert_transform
from networks.base import Generator, Inverted, Precision, Transform
from networks.failures import in_words, is_lost_device, is_out_of_memory
from networks.layers import StyledLayer
from networks.ops import proven
from networks.ops.proven import differs
from networks.plan import LayerInfo, Noise
from networks.taps import Taps

KEPT = 3  # graphs: the full picture, an early one, and one to come back to; each holds the maps of a whole pass
ROOM = 2 << 30  # bytes of the GPU that must be free before another one is recorded
LONG_MS = 100.0  # an ordinary pass that takes longer does not wait for Python, and may have to be called off
TOLERANCE = 2e-3  # of the largest value: half a step of an 8-bit picture
WARM_UPS = 2  # passes before the recording, in which libraries choose algorithms and take their memory

Key = tuple[Hashable, ...]


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a graph reads: ws [N, num_ws, w_dim], added noise of each layer [N or 1, 1 or C, H, W], the inverted
    transform [3, 3] (None: the generator's own)."""

    ws: Tensor
    noise: Mapping[str, Tensor]
    matrix: Tensor | None

    def spoil(self) -> None:
        """Other numbers than anybody asks for, of usual size."""
        self.ws.mul_(0.5).add_(0.25)
        for buffer in self.noise.values():
            buffer.zero_()
        if self.matrix is not None:
            self.matrix.mul_(0.5)

    def fill(self, ws: Tensor, noise: Mapping[str, Tensor], matrix: Tensor | None) -> None:
        """The numbers of a request."""
        self.ws.copy_(ws)
        for name, buffer in self.noise.items():
            buffer.copy_(noise[name])
        if self.matrix is not None and matrix is not None:
            self.matrix.copy_(matrix)


@dataclass(frozen=True, eq=False)
class Graphed:
    """A recorded pass of one generator."""

    generator: weakref.ref[Generator]
    weights: Hashable
    inputs: Inputs
    recording: Recording


class Witness(Taps):
    """Taps of an ordinary pass that keep what each layer added."""

    def __init__(self, like: PacedTaps) -> None:
        super().__init__(stop_at=like.stop_at, cancelled=like._cancelled)
        self.added_noise = like.added_noise
        self.added: dict[str, Tensor] = {}

    def on_noise(self, info: LayerInfo, noise: Tensor | None) -> Tensor | None:
        added = super().on_noise(info, noise)
        if added is not None:
            self.added[info.name] = added
        return added


@dataclass(frozen=True, eq=False)
class Asked:
    """One picture, as `Generator.synthesize` takes it."""

    generator: Generator
    ws: Tensor
    taps: PacedTaps
    noise: Noise
    transform: Transform | None
    precision: Precision

    @property
    def bakes_noise(self) -> bool:
        """Whether the graph may compute the noise itself: stored maps with the strengths that were learnt, or none."""
        plain = self.noise.mode == "none" or (self.noise.mode == "const" and not self.noise.layers)
        return plain and not self.taps.added_noise

    def draw(self, taps: Taps) -> Tensor:
        """The ordinary pass."""
        trail = self.taps.trail
        return self.generator.synthesize(self.ws, taps, self.noise, self.transform, self.precision, trail)

    def key(self) -> Key:
        """Everything that decides the recorded kernels, and whose memory they read."""
        cudnn = torch.backends.cudnn
        return (
            id(self.generator), weights(self.generator), tuple(self.ws.shape), self.ws.dtype, self.ws.device,
            self.noise.mode if self.bakes_noise else self._noisy(), self.transform is not None, self.taps.stop_at,
            self.precision, ops.forced(), proven.state(), cudnn.benchmark, cudnn.allow_tf32, cudnn.deterministic,
            torch.backends.cuda.matmul.allow_tf32, torch.is_inference_mode_enabled(),
        )  # fmt: skip

    def _noisy(self) -> Hashable:
        """Which layers add noise, and in what shape."""
        wanted = ((info.name, self.noise.of(info.name)) for info in self.generator.layers if info.has_noise)
        on = tuple(name for name, own in wanted if own.on and own.strength != 0.0) if self.noise.mode != "none" else ()
        return self.noise.mode, on, tuple(sorted((n, tuple(x.shape)) for n, x in self.taps.added_noise.items()))

    def added(self, names: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What these layers add for this request."""
        if not names:
            return {}
        layers = {module.info.name: module for module in self.generator.modules() if isinstance(module, StyledLayer)}
        found: dict[str, Tensor] = {}
        for name in names:
            own = self.taps.added_noise.get(name)
            drawn = layers[name].scaled_noise(self.ws, self.noise) if own is None else own
            assert drawn is not None
            found[name] = drawn
        return found

    def matrix(self) -> Tensor | None:
        """The transform as it enters the input."""
        return None if self.transform is None else invert_transform(self.transform, self.ws.device)


class Graphs:
    """The graphs of one renderer; belongs to its thread."""

    def __init__(self, machine: Machine | None = None, long_ms: float = LONG_MS) -> None:
        self.words = ""  # what the last picture was drawn by, where that was a graph or might have been one
        self._machine = machine or Cuda()
        self._long_ms = long_ms
        self._graphs: Bounded[Key, Graphed] = Bounded(KEPT)
        self._refused: Bounded[Key, str] = Bounded(32)  # why there is none; '' where it would gain nothing
        self._last: Key | None = None

    def draw(self, asked: Asked) -> Tensor:
        """The picture [N, C, H, W], float32, by a graph where there is one; raises what `synthesize` raises."""
        self.words = ""
        if not self._fits(asked):
            self._last = None
            return self._ordinary(asked, asked.taps)
        key = asked.key()
        again, self._last = key == self._last, key
        graphed = self._graphs.get(key)
        if graphed is not None and graphed.generator() is asked.generator:
            return self._replay(graphed, asked)
        self._forget_the_outdated(asked.generator)
        if (why := self._refused.get(key)) is not None:
            self.words = f"no CUDA graph: {why}" if why else ""
        elif again:
            return self._ordinary_and_record(asked, key)
        return self._ordinary(asked, asked.taps)

    def clear(self) -> None:
        """Let go of every graph and its memory."""
        self._graphs.clear()
        self._last = None

    def describe(self, device: torch.device) -> str:
        """What computed the last picture, and why it was no graph where one was tried."""
        return "; ".join(filter(None, (ops.describe(device), self.words)))

    def __len__(self) -> int:
        return len(self._graphs)

    def _fits(self, asked: Asked) -> bool:
        """Whether a graph may draw it. An early picture that begins anew is approximated with filters from a bounded
        cache, whose memory a graph could outlive."""
        taps = asked.taps
        whole = taps.stop_at is None or asked.generator.early_on_the_way
        bare = taps.is_bare and taps.trail is None and not taps.only_maps and not torch.is_grad_enabled()
        return whole and bare and self._machine.takes(asked.ws.device)

    def _ordinary(self, asked: Asked, taps: Taps) -> Tensor:
        """The ordinary pass; where memory is short, graphs go first."""
        try:
            return asked.draw(taps)
        except Exception as error:
            if not (is_out_of_memory(error) and len(self._graphs)):
                raise
        self.clear()
        return asked.draw(taps)

    def _replay(self, graphed: Graphed, asked: Asked) -> Tensor:
        inputs = graphed.inputs
        inputs.fill(asked.ws, asked.added(inputs.noise), asked.matrix())
        graphed.recording.replay()
        self.words = "one CUDA graph"
        return graphed.recording.picture.clone()

    def _ordinary_and_record(self, asked: Asked, key: Key) -> Tensor:
        """The ordinary picture; behind it, a graph is recorded and compared with it."""
        device, witness = asked.ws.device, Witness(asked.taps)
        self._machine.settle(device)
        began = time.perf_counter()
        picture = self._ordinary(asked, witness)
        self._machine.settle(device)
        drawn = time.perf_counter()
        if (drawn - began) * 1000 > self._long_ms:
            self._refused.put(key, "")
            return picture
        if self._machine.free_bytes(device) < ROOM:
            self.clear()
            self.words = "no CUDA graph: the GPU's memory is short"
            return picture
        why = self._record(asked, key, witness.added, picture)
        if why:
            self._refused.put(key, why)
            self.words = f"no CUDA graph: {why}"
        asked.taps.leave_out(time.perf_counter() - drawn)
        return picture

    def _record(self, asked: Asked, key: Key, added: Mapping[str, Tensor], picture: Tensor) -> str:
        """Record and compare; why there is no graph, '' where there is one now."""
        noise = {} if asked.bakes_noise else {name: x.clone() for name, x in added.items()}
        matrix = asked.matrix()
        inputs = Inputs(asked.ws.clone(), noise, None if matrix is None else matrix.clone())
        inputs.spoil()
        graphed = None
        try:
            graphed = Graphed(
                weakref.ref(asked.generator), weights(asked.generator), inputs,
                self._machine.record(asked.ws.device, recordable(asked, inputs), WARM_UPS),
            )  # fmt: skip
            replayed = self._replay(graphed, asked)
            why = differs(replayed, picture, TOLERANCE)
        except Exception as error:
            if is_lost_device(error):
                raise
            if is_out_of_memory(error):
                self.clear()
            why = in_words(error)
        self.words = ""
        if not why and graphed is not None:
            self._graphs.put(key, graphed)
        return f"its picture {why}" if why.startswith(("differs", "gives")) else why

    def _forget_the_outdated(self, generator: Generator) -> None:
        """Graphs of models that were closed, and of weights that were changed, hold memory for nothing."""
        for graphed in self._graphs.values():
            held = graphed.generator()
            if held is None or (held is generator and graphed.weights != weights(generator)):
                return self._graphs.clear()


def recordable(asked: Asked, inputs: Inputs) -> Callable[[], Tensor]:
    """The pass that reads its inputs from buffers, and holds nothing else of what was asked."""
    generator, stop, precision = asked.generator, asked.taps.stop_at, asked.precision
    noise = asked.noise if asked.bakes_noise else Noise("none")
    transform = None if inputs.matrix is None else Inverted(inputs.matrix)

    def draw() -> Tensor:
        taps = Taps(stop_at=stop)
        taps.added_noise = inputs.noise
        return generator.synthesize(inputs.ws, taps, noise, transform, precision)

    return draw


def weights(generator: Generator) -> Hashable:
    """Where a generator's weights and buffers lie, and how often they were written to, where torch counts that.

    It does not for those made in inference mode; but a graph reads the memory itself, so it follows them as well.
    """
    tensors = chain(generator.parameters(), generator.buffers())
    return tuple((x.data_ptr(), 0 if x.is_inference() else x._version) for x in tensors)
