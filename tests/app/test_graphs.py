"""Recorded pictures: the bits of the ordinary pass, a new one for whatever changes it, and none where it cannot be.

In CUDA's place stands a tape of torch's operations: like a graph it freezes every number that came from Python, and
reads tensors where they lie when it is played again.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from app import graphs
from app.cuda_graph import Cuda, Recording
from app.graphs import Asked, Graphs
from app.paced import PacedTaps
from app.renderer import Renderer
from app.request import Latent, RenderRequest, View
from networks import ops
from networks.ops import proven
from networks.plan import Intervention, LayerNoise, Noise
from tests.app.conftest import build as build_plain
from tests.networks.small import build


class Tape(TorchDispatchMode):
    """Notes every operation; results of noted ones are found by number, all other tensors are read where they lie."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[tuple[Any, Any, Any, list[int | None]]] = []
        self.numbers: dict[int, int] = {}
        self.alive: list[Tensor] = []  # so that no id is used twice

    def __torch_dispatch__(self, call, types, args=(), kwargs=None):
        if any(word in str(call) for word in ("_local_scalar_dense", "lift_fresh")):  # a value asked for, or brought
            raise RuntimeError("CUDA error: operation not permitted when stream is capturing")
        noted = tree_map_only(Tensor, self.reference, (args, kwargs or {}))
        result = call(*args, **(kwargs or {}))
        out = [self.keep(x) if isinstance(x, Tensor) else None for x in as_list(result)]
        self.steps.append((call, *noted, out))
        return result

    def reference(self, x: Tensor) -> Any:
        return ("made", self.numbers[id(x)]) if id(x) in self.numbers else ("there", x)

    def keep(self, x: Tensor) -> int:
        self.alive.append(x)
        return self.numbers.setdefault(id(x), len(self.numbers))

    def play(self, wanted: Tensor) -> Tensor:
        made: dict[int, Tensor] = {}

        def is_reference(part: Any) -> bool:
            return isinstance(part, tuple) and len(part) == 2 and part[0] in ("made", "there")

        def found(part: Any) -> Any:
            if is_reference(part):
                return made[part[1]] if part[0] == "made" else part[1]
            if isinstance(part, list | tuple):
                return type(part)(found(one) for one in part)
            return {key: found(one) for key, one in part.items()} if isinstance(part, dict) else part

        for call, args, kwargs, out in self.steps:
            for number, x in zip(out, as_list(call(*found(args), **found(kwargs))), strict=True):
                if number is not None:
                    made[number] = x
        return made[self.numbers[id(wanted)]]


def as_list(result: Any) -> list[Any]:
    return list(result) if isinstance(result, list | tuple) else [result]


class Fake:
    """Records on a CPU. `spoil` changes what a replay gives, `error` is raised instead of recording."""

    def __init__(self) -> None:
        self.records = self.replays = 0
        self.free = 8 << 30
        self.error: Exception | None = None
        self.spoil: Callable[[Tensor], Tensor] = lambda picture: picture
        self.clock: list[float] = []

    def takes(self, device: torch.device) -> bool:
        return device.type == "cpu"

    def free_bytes(self, device: torch.device) -> int:
        return self.free

    def settle(self, device: torch.device) -> None:
        pass

    def record(self, device: torch.device, draw: Callable[[], Tensor], warm_ups: int) -> Recording:
        self.records += 1
        for _ in range(warm_ups):
            draw()
        if self.error is not None:
            raise self.error
        tape = Tape()
        with tape:
            picture = draw()
        target = picture.clone()

        def replay() -> None:
            self.replays += 1
            target.copy_(self.spoil(tape.play(picture)))

        return Recording(replay, target)


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture(autouse=True)
def plainly() -> Iterator[None]:
    with torch.no_grad(), ops.using("plain"):
        yield


@pytest.fixture
def drawn(fake: Fake) -> Graphs:
    return Graphs(fake)


NAMES = (
    "stylegan1", "stylegan2-skip", "stylegan2-resnet", "stylegan2-tall-rgba", "lucidrains", "mobile_stylegan",
    "stylegan3-t", "stylegan3-r", "stylegan-xl-superres", "stylegan-t-conditional",
)  # fmt: skip
TURN = ((0.8, -0.6, 0.1), (0.6, 0.8, 0.0), (0.0, 0.0, 1.0))


def asked(generator, seed: int = 0, **changes: Any) -> Asked:
    taps = PacedTaps(stop_at=changes.pop("stop", None), **changes.pop("taps", {}))
    taps.begin()
    ws = torch.randn(changes.pop("count", 1), generator.num_ws, generator.w_dim, generator=stream(seed))
    return replace(Asked(generator, ws, taps, Noise(), None, "auto"), **changes)


def stream(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ordinary(one: Asked) -> Tensor:
    taps = PacedTaps(stop_at=one.taps.stop_at)
    taps.added_noise = one.taps.added_noise
    taps.begin()
    return one.generator.synthesize(one.ws, taps, one.noise, one.transform, one.precision)


@pytest.mark.parametrize("name", NAMES)
def test_the_third_picture_is_replayed_with_the_bits_of_the_ordinary_pass(fake: Fake, drawn: Graphs, name: str) -> None:
    generator = build(name)
    moved = TURN if generator.has_transform else None
    for seed in range(5):
        one = asked(generator, seed, noise=Noise("random", seed), transform=moved and (moved[0], moved[1], (0, 0, 1)))
        assert torch.equal(drawn.draw(one), ordinary(one))
        assert (fake.records, fake.replays) == [(0, 0), (1, 1), (1, 2), (1, 3), (1, 4)][seed]


@pytest.mark.parametrize("name", ["stylegan3-t", "stylegan-t-conditional"])
def test_a_replay_follows_the_transform(fake: Fake, drawn: Graphs, name: str) -> None:
    generator = build(name)
    pictures = []
    for step in range(4):
        one = asked(generator, transform=((1.0, 0.0, 0.1 * step), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
        pictures.append(drawn.draw(one))
        assert torch.equal(pictures[-1], ordinary(one))
    assert fake.replays == 3
    assert not torch.equal(pictures[2], pictures[3])


@pytest.mark.parametrize(
    "noise",
    [
        lambda i: Noise("none"),
        lambda i: Noise("const"),
        lambda i: Noise("random", i, phase=0.1 * i),
        lambda i: Noise("const", layers=(LayerNoise("b8.conv1", strength=1.0 + i),)),
        lambda i: Noise("random", i, (LayerNoise("b8.conv1", on=False), LayerNoise("b16.conv0", strength=0.5 * i + 1))),
    ],
)
def test_a_replay_follows_seeds_and_strengths_of_noise(fake: Fake, drawn: Graphs, noise) -> None:
    generator = build("stylegan2-skip")
    for i in range(4):
        one = asked(generator, i, noise=noise(i))
        assert torch.equal(drawn.draw(one), ordinary(one))
    assert (fake.records, fake.replays) == (1, 3)


def test_a_replay_follows_noise_from_a_file(fake: Fake, drawn: Graphs) -> None:
    generator = build("stylegan2-skip")
    for i in range(4):
        one = asked(generator)
        one.taps.added_noise = {"b8.conv1": torch.randn(1, 1, 8, 8, generator=stream(i))}
        assert torch.equal(drawn.draw(one), ordinary(one))
    assert (fake.records, fake.replays) == (1, 3)


def test_a_picture_does_not_change_when_the_next_one_is_drawn(drawn: Graphs) -> None:
    generator = build("stylegan2-skip")
    for seed in range(2):
        drawn.draw(asked(generator, seed))
    kept = drawn.draw(asked(generator, 2))
    before = kept.clone()
    drawn.draw(asked(generator, 3))
    assert torch.equal(kept, before)


CHANGES: dict[str, dict[str, Any]] = {
    "batch": {"count": 2},
    "stop": {"stop": 8},
    "precision": {"precision": "fp32"},
    "no noise": {"noise": Noise("none")},
    "random noise": {"noise": Noise("random", 1)},
    "a layer's noise": {"noise": Noise("const", layers=(LayerNoise("b8.conv1", on=False),))},
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_the_kernels_is_another_graph(fake: Fake, drawn: Graphs, change: str) -> None:
    generator = build("stylegan2-skip")
    for seed in range(3):
        drawn.draw(asked(generator, seed))
    for seed in range(3):
        one = asked(generator, seed, **CHANGES[change])
        assert torch.equal(drawn.draw(one), ordinary(one))
        assert fake.records == (1, 2, 2)[seed]
    assert len(drawn) == 2
    replays = fake.replays
    drawn.draw(asked(generator, 9))
    assert (fake.records, fake.replays) == (2, replays + 1)  # the first one is still there


def test_another_backend_a_failed_kernel_and_other_settings_are_other_graphs(fake: Fake, drawn: Graphs) -> None:
    one = asked(build("stylegan2-skip"))
    keys = [one.key()]
    with ops.using("reference"):
        keys.append(one.key())
    proven._failed["cpu", proven.Configuration("a kernel", (), torch.float32, ()), ()] = "too large"
    keys.append(one.key())
    proven.forget()
    torch.backends.cudnn.allow_tf32 = not torch.backends.cudnn.allow_tf32
    keys.append(one.key())
    torch.backends.cudnn.allow_tf32 = not torch.backends.cudnn.allow_tf32
    assert len(set(keys)) == 4
    assert one.key() == keys[0]


def test_a_picture_between_two_of_a_kind_keeps_them_from_being_recorded(fake: Fake, drawn: Graphs) -> None:
    generator = build("stylegan2-skip")
    for seed in range(4):
        drawn.draw(asked(generator, seed))
        drawn.draw(asked(generator, seed, noise=Noise("none")))
    assert fake.records == 0
    drawn.draw(asked(generator))
    drawn.draw(asked(generator, taps={"capture": [("b8.conv1", "output")]}))
    drawn.draw(asked(generator))
    assert fake.records == 0


LOOKING: dict[str, Callable[[PacedTaps], object]] = {
    "capture": lambda taps: setattr(taps, "_capture", frozenset({("b8.conv1", "output")})),
    "edits": lambda taps: setattr(taps, "_edits", (Intervention("b8.conv1", "scale", 0.5),)),
    "hooks": lambda taps: setattr(taps, "_hooks", {("b8.conv1", "output"): torch.neg}),
    "norms": lambda taps: setattr(taps, "record_norms", True),
    "styles": lambda taps: setattr(taps, "style_shifts", {"b8.conv1": torch.ones(8)}),
    "maps": lambda taps: setattr(taps, "only_maps", True),
    "trail": lambda taps: setattr(taps, "trail", object()),
}


@pytest.mark.parametrize("looking", LOOKING)
def test_taps_that_look_or_change_have_an_ordinary_pass(fake: Fake, drawn: Graphs, looking: str, monkeypatch) -> None:
    generator = build("stylegan2-skip")
    for seed in range(3):
        drawn.draw(asked(generator, seed))
    one = asked(generator)
    LOOKING[looking](one.taps)
    ran: list[Any] = []
    monkeypatch.setattr(Asked, "draw", lambda self, taps: ran.append(taps) or torch.zeros(1))
    replays = fake.replays
    drawn.draw(one)
    assert ran == [one.taps]
    assert fake.replays == replays


def test_gradients_other_devices_and_early_pictures_that_begin_anew_have_an_ordinary_pass(fake: Fake) -> None:
    drawn, chain = Graphs(fake), build("stylegan3-t")
    stop = chain.preview_sizes[0]
    assert stop < chain.resolution[0]
    for seed in range(3):
        drawn.draw(asked(chain, seed, stop=stop))
        with torch.enable_grad():
            drawn.draw(asked(chain, seed))
    assert fake.records == 0
    on_cpu = Graphs()  # the real one
    for seed in range(3):
        on_cpu.draw(asked(chain, seed))
    assert len(on_cpu) == 0
    assert Cuda().takes(torch.device("cuda:1"))
    assert on_cpu.describe(torch.device("cpu")) == ops.describe(torch.device("cpu"))


def test_a_replay_that_differs_is_dropped_with_a_reason(fake: Fake, drawn: Graphs) -> None:
    generator = build("stylegan2-skip")
    fake.spoil = lambda picture: picture + 0.1 * picture.abs().max()
    for seed in range(4):
        one = asked(generator, seed)
        assert torch.equal(drawn.draw(one), ordinary(one))
        said = drawn.describe(one.ws.device)
        assert ("no CUDA graph: its picture differs by 0.1 of the range" in said) == (seed > 0)
    assert (fake.records, fake.replays, len(drawn)) == (1, 1, 0)


def test_a_number_that_is_baked_in_is_found(fake: Fake, drawn: Graphs, monkeypatch) -> None:
    """The buffers hold other numbers while a graph is recorded, so what a pass keeps of them cannot hide."""
    generator = build("stylegan2-skip")
    original, kept = generator.synthesize, {}
    monkeypatch.setattr(
        type(generator),
        "synthesize",
        lambda self, ws, *rest: original(kept.setdefault(ws.data_ptr(), ws.clone()), *rest),
    )
    one = asked(generator)
    for _ in range(2):
        drawn.draw(one)
    assert fake.records == fake.replays == 1
    assert len(drawn) == 0
    assert "no CUDA graph: its picture differs" in drawn.describe(torch.device("cpu"))


@pytest.mark.parametrize("error", [RuntimeError("cudnn refuses"), RuntimeError("CUDA error: ... stream is capturing")])
def test_what_cannot_be_recorded_is_drawn_as_ever(fake: Fake, drawn: Graphs, error: Exception) -> None:
    generator = build("stylegan2-skip")
    fake.error = error
    for seed in range(4):
        one = asked(generator, seed)
        assert torch.equal(drawn.draw(one), ordinary(one))
    assert fake.records == 1
    assert f"no CUDA graph: RuntimeError: {error}" in drawn.describe(torch.device("cpu"))
    drawn.draw(asked(generator, noise=Noise("none")))
    assert "graph" not in drawn.describe(torch.device("cpu"))


def test_a_lost_gpu_is_told(fake: Fake, drawn: Graphs) -> None:
    generator = build("stylegan2-skip")
    drawn.draw(asked(generator))
    fake.error = RuntimeError("CUDA error: unspecified launch failure")
    with pytest.raises(RuntimeError, match="unspecified"):
        drawn.draw(asked(generator))


def test_graphs_go_first_where_memory_is_short(fake: Fake, drawn: Graphs, monkeypatch) -> None:
    generator = build("stylegan2-skip")
    for seed in range(3):
        drawn.draw(asked(generator, seed))
    assert len(drawn) == 1
    original, failures = Asked.draw, [torch.OutOfMemoryError("CUDA out of memory")]

    def draw(self: Asked, taps: Any) -> Tensor:
        if failures:
            raise failures.pop()
        return original(self, taps)

    monkeypatch.setattr(Asked, "draw", draw)
    one = asked(generator, noise=Noise("none"))
    assert torch.equal(drawn.draw(one), ordinary(one))
    assert len(drawn) == 0
    failures.append(torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(torch.OutOfMemoryError):  # nothing is left to let go of
        drawn.draw(asked(generator))


def test_memory_that_is_short_while_recording_lets_all_graphs_go(fake: Fake, drawn: Graphs) -> None:
    generator = build("stylegan2-skip")
    for seed in range(3):
        drawn.draw(asked(generator, seed))
    fake.free = 1 << 30
    for _ in range(2):
        drawn.draw(asked(generator, noise=Noise("none")))
    assert (fake.records, len(drawn)) == (1, 0)
    assert drawn.describe(torch.device("cpu")).endswith("no CUDA graph: the GPU's memory is short")
    fake.free = 8 << 30
    for _ in range(2):
        drawn.draw(asked(generator, noise=Noise("none")))
    assert len(drawn) == 1  # it was not held against it
    fake.error = torch.OutOfMemoryError("CUDA out of memory")
    for _ in range(2):
        drawn.draw(asked(generator))
    assert len(drawn) == 0


def test_at_most_a_few_graphs_are_kept(fake: Fake, drawn: Graphs) -> None:
    generator = build("stylegan2-skip")
    for count in range(1, 6):
        for seed in range(2):
            drawn.draw(asked(generator, seed, count=count))
    assert fake.records == 5
    assert len(drawn) == graphs.KEPT == 3


def test_weights_that_were_edited_are_recorded_anew(fake: Fake, drawn: Graphs) -> None:
    generator = build("stylegan2-skip")
    for seed in range(3):
        drawn.draw(asked(generator, seed))
    generator.synthesis.b8.conv1.weight.mul_(-2)
    one = asked(generator)
    assert torch.equal(drawn.draw(one), ordinary(one))
    assert len(drawn) == 0
    assert fake.replays == 2
    drawn.draw(one)
    assert (fake.records, len(drawn)) == (2, 1)


def test_weights_without_a_count_of_their_changes_are_followed(fake: Fake, drawn: Graphs) -> None:
    """A model that was opened in inference mode: torch does not count what is written, a graph reads it anyway."""
    with torch.inference_mode():
        generator = build("stylegan2-skip")
        for seed in range(3):
            drawn.draw(asked(generator, seed))
        generator.synthesis.b8.conv1.weight.mul_(-2)
        generator.synthesis.b8.conv1.noise_strength.data.mul_(3)
        one = asked(generator)
        assert torch.equal(drawn.draw(one), ordinary(one))
        assert fake.replays == 3


def test_a_generator_that_is_closed_takes_its_graphs_with_it(fake: Fake, drawn: Graphs) -> None:
    generator = build("stylegan2-skip")
    for seed in range(3):
        drawn.draw(asked(generator, seed))
    (held,) = drawn._graphs.values()
    object.__setattr__(held.recording, "replay", None)  # the tape holds the weights, a graph does not
    del generator
    gc.collect()
    assert held.generator() is None
    drawn.draw(asked(build("stylegan2-orig")))
    assert len(drawn) == 0


def test_a_slow_pass_is_left_as_it_is(fake: Fake, drawn: Graphs, monkeypatch) -> None:
    ticks = iter([0.0, 0.2, 0.0, 0.05, 0.06])
    monkeypatch.setattr(graphs.time, "perf_counter", lambda: next(ticks))
    slow, quick = build("stylegan2-skip"), build("stylegan2-orig")
    counted = [replace(asked_quietly(generator), noise=Noise("none")) for generator in (slow, slow, slow, quick, quick)]
    for one in counted:
        drawn.draw(one)
    assert fake.records == 1
    assert counted[-1].taps.left_out == pytest.approx(0.01)  # recording is not the picture's time
    assert "graph" not in drawn.describe(torch.device("cpu"))


class Quiet(PacedTaps):
    """Taps without a clock."""

    marks: ClassVar[dict[int, float]] = {}

    left_out = 0.0

    def elapsed_ms(self) -> float:
        return 0.0

    def leave_out(self, seconds: float) -> None:
        self.left_out += seconds


def asked_quietly(generator) -> Asked:
    ws = torch.randn(1, generator.num_ws, generator.w_dim, generator=stream(0))
    return Asked(generator, ws, Quiet(), Noise(), None, "auto")


@pytest.fixture
def renderer(fake: Fake, monkeypatch) -> Renderer:
    """A renderer that believes it had a GPU: no trails, graphs by the tape."""
    made = Renderer()
    made._graphs = Graphs(fake)
    monkeypatch.setattr(made._trails, "of", lambda opened: None)
    return made


def test_the_renderer_replays_walks_and_says_so(renderer: Renderer, request_: RenderRequest, fake: Fake) -> None:
    said = []
    for seed in range(4):
        request = replace(request_, latent=Latent(((seed, 1.0),)))
        frame = renderer.render(request)
        said.append(frame.timing.backend)
        assert (frame.picture == Renderer().render(request).picture).all()
    assert fake.replays == 3
    assert said == ["plain, as asked", "plain, as asked", *["plain, as asked; one CUDA graph"] * 2]
    viewed = renderer.render(replace(request_, latent=Latent(((9, 1.0),)), view=View("b16.conv1")))
    assert viewed.layer_view is not None
    assert viewed.timing.backend == "plain, as asked"
    renderer.forget()
    assert len(renderer._graphs) == 0


def test_the_tape_is_as_strict_as_a_graph() -> None:
    """Numbers from Python stay as they were, tensors are read anew; to ask for a value or to bring one is an error."""
    x, factor = torch.ones(3), 2.0
    tape = Tape()
    with tape:
        y = (x * factor + torch.arange(3)).clamp(max=4.0)
    x.copy_(torch.tensor([5.0, 0.0, 1.0]))
    assert tape.play(y).tolist() == [4.0, 1.0, 4.0]
    with pytest.raises(RuntimeError, match="capturing"), Tape():
        x.sum().item()
    with pytest.raises(RuntimeError, match="capturing"), Tape():
        torch.tensor([1.0, 2.0])


def test_the_test_generator_has_noise_that_shows() -> None:
    generator = build_plain()
    ws = torch.randn(1, generator.num_ws, generator.w_dim, generator=stream(0))
    assert not torch.equal(generator.synthesize(ws), generator.synthesize(ws, noise=Noise("none")))
