"""Every part of a request between two keyframes, except its latent. What has no between stays until the next keyframe.

Numbers go straight, or along a cubic that keeps to the range of neighbouring keyframes (`curves.monotone`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace

from app.request import Diagnostic, Push, RenderRequest, Transform, Truncation, View
from app.timeline import condition, transforms
from app.timeline.curves import monotone, short_turn, wrapped
from networks.plan import Disc, Intervention, LayerNoise, Noise

NEUTRAL: dict[str, float] = {
    "scale": 1.0, "shift": 0.0, "mean": 0.0, "inpaint": 0.0, "inpaint_same_norm": 0.0, "clean_norm": 0.0,
    "untouched_norm": 0.0, "no_norm": 0.0, "only_disc": 0.0,
}  # fmt: skip  # the value at which an edit does nothing; a clamp has none

Read = Callable[[RenderRequest], float | None]


@dataclass(frozen=True)
class Stretch:
    """From keyframe a to b, with the two beside them where there are any. share: of the way, 0 to 1.

    turns: whole turns that the picture makes besides, on the way before, on this one, and on the one after.
    """

    a: RenderRequest
    b: RenderRequest
    share: float
    before: RenderRequest | None = None
    after: RenderRequest | None = None
    turns: tuple[int, int, int] = (0, 0, 0)
    smooth: bool = False

    def number(self, read: Read) -> float:
        """A number that both ends have; a keyframe beside them that lacks it counts as none."""
        values = [None if request is None else read(request) for request in self.four]
        return self.along(values)

    @property
    def four(self) -> tuple[RenderRequest | None, RenderRequest, RenderRequest, RenderRequest | None]:
        """The keyframes of `along`, in order."""
        return self.before, self.a, self.b, self.after

    def along(self, values: list[float | None]) -> float:
        """The number between the middle two of four."""
        before, a, b, after = values
        assert a is not None
        assert b is not None
        if a == b:
            return a
        if not self.smooth:
            return a + (b - a) * self.share
        beside = [None if value is None else (at, value) for at, value in ((-1.0, before), (2.0, after))]
        return monotone(self.share, beside[0], (0.0, a), (1.0, b), beside[1])

    def unrolled(self, read: Read, step: Callable[[int, float, float], float]) -> float:
        """A number that goes round. step(stretch, from, to): how far; stretch 0 is the one before, 1 this one."""
        values = [None if request is None else read(request) for request in self.four]
        before, a, b, after = values
        assert a is not None
        assert b is not None
        end = a + step(1, a, b)
        first = None if before is None else a - step(0, before, a)
        return self.along([first, a, end, None if after is None else end + step(2, b, after)])


def between(stretch: Stretch) -> RenderRequest:
    """The request on the way, with the first keyframe's latent."""
    a = stretch.a
    return replace(
        a,
        truncation=Truncation(stretch.number(lambda request: request.truncation.psi), a.truncation.cutoff),
        condition=condition.between(a.condition, stretch.b.condition, stretch.share),
        noise=_noise(stretch),
        transform=_transform(stretch),
        pushes=tuple(_pushes(stretch)),
        edits=tuple(_edits(stretch)),
        view=_view(stretch),
        diagnostic=_diagnostic(stretch),
        max_height=None,
        measures=(),
    )


# -- noise -----------------------------------------------------------------------------------------------------------


def _noise(stretch: Stretch) -> Noise:
    """Strengths of layers (off: 0), and the phase of random noise, which only goes forwards."""
    a, b = stretch.a.noise, stretch.b.noise
    names = dict.fromkeys(layer.name for noise in (a, b) for layer in noise.layers)
    layers = tuple(_layer(stretch, name) for name in names)
    return replace(a, layers=layers, phase=_phase(stretch) if _same_noise(a, b) else a.phase)


def _layer(stretch: Stretch, name: str) -> LayerNoise:
    a, b = stretch.a.noise.of(name), stretch.b.noise.of(name)
    if a == b or not (a.on or b.on):
        return a
    return LayerNoise(name, True, stretch.number(lambda request: _strength(request.noise.of(name))))


def _strength(layer: LayerNoise) -> float:
    return layer.strength if layer.on else 0.0


def _same_noise(a: Noise, b: Noise) -> bool:
    return a.mode == b.mode == "random" and a.seed == b.seed


def _phase(stretch: Stretch) -> float:
    seed = stretch.a.noise.seed
    return stretch.unrolled(
        lambda request: request.noise.phase if request.noise.mode == "random" and request.noise.seed == seed else None,
        lambda _, begin, end: (end - begin) % 1.0,
    ) % 1.0  # fmt: skip


# -- transform -------------------------------------------------------------------------------------------------------


def _transform(stretch: Stretch) -> Transform:
    a, b = stretch.a.transform, stretch.b.transform
    if a.matrix is None and b.matrix is None:
        return replace(
            a,
            x=stretch.number(lambda request: _plain(request.transform, "x")),
            y=stretch.number(lambda request: _plain(request.transform, "y")),
            angle_deg=_angle(stretch, lambda request: _plain(request.transform, "angle_deg")),
        )
    if a.matrix == b.matrix or not (transforms.upright(a) and transforms.upright(b)):
        return a
    numbers = [
        stretch.number(lambda request, which=which: transforms.part(request.transform, which))  # type: ignore[misc]
        for which in range(5)
    ]
    angle = _angle(stretch, lambda request: transforms.angle(request.transform))
    return replace(a, matrix=transforms.composed(angle, *numbers))


def _plain(transform: Transform, name: str) -> float | None:
    return float(getattr(transform, name)) if transform.matrix is None else None


def _angle(stretch: Stretch, read: Read) -> float:
    """Degrees, the short way and by the whole turns that are asked for."""
    if stretch.turns[1] == 0 and read(stretch.a) == read(stretch.b):
        return float(read(stretch.a) or 0.0)
    return wrapped(stretch.unrolled(read, lambda at, a, b: short_turn(a, b) + 360.0 * stretch.turns[at]))


# -- pushes and edits ------------------------------------------------------------------------------------------------


def numbered(keys: Iterable[Hashable]) -> list[tuple[Hashable, int]]:
    """Each key with how often it was there before."""
    seen: dict[Hashable, int] = {}
    found = []
    for key in keys:
        found.append((key, seen.get(key, 0)))
        seen[key] = seen.get(key, 0) + 1
    return found


def _pushes_of(request: RenderRequest) -> dict[Hashable, Push]:
    keys = numbered((push.source, push.index, push.rows) for push in request.pushes)
    return dict(zip(keys, request.pushes, strict=True))


def _pushes(stretch: Stretch) -> Iterable[Push]:
    a, b = _pushes_of(stretch.a), _pushes_of(stretch.b)
    for key, push in (a | b).items():

        def strength(request: RenderRequest, key: Hashable = key) -> float:
            found = _pushes_of(request).get(key)
            return 0.0 if found is None else found.strength

        yield replace(push, strength=stretch.number(strength))


def _edits_of(request: RenderRequest) -> dict[Hashable, Intervention]:
    keys = numbered(
        (edit.layer, edit.op, edit.channels, edit.stage, edit.onward, edit.disc is None) for edit in request.edits
    )
    return dict(zip(keys, request.edits, strict=True))


def _edits(stretch: Stretch) -> Iterable[Intervention]:
    """Values, and where discs are. An edit that one end lacks fades from or to the value at which it does nothing."""
    a, b = _edits_of(stretch.a), _edits_of(stretch.b)
    for key, edit in (a | b).items():
        if (key not in a or key not in b) and edit.op not in NEUTRAL:
            if key in a:
                yield edit
            continue
        yield replace(edit, value=stretch.number(_reader(key, edit)), disc=_disc(stretch, key, a.get(key), b.get(key)))


def _reader(key: Hashable, edit: Intervention) -> Read:
    def value(request: RenderRequest) -> float | None:
        found = _edits_of(request).get(key)
        return NEUTRAL.get(edit.op) if found is None else found.value

    return value


def _disc(stretch: Stretch, key: Hashable, a: Intervention | None, b: Intervention | None) -> Disc | None:
    """Where the spot is; where one end lacks it, it stays."""
    present = a if a is not None else b
    assert present is not None
    if a is None or b is None or a.disc == b.disc:
        return present.disc

    def part(name: str) -> Read:
        def read(request: RenderRequest) -> float | None:
            found = _edits_of(request).get(key)
            return None if found is None or found.disc is None else float(getattr(found.disc, name))

        return read

    return Disc(*(stretch.number(part(name)) for name in ("x", "y", "radius")))


# -- what is looked at -----------------------------------------------------------------------------------------------


def _view(stretch: Stretch) -> View:
    a, b = stretch.a.view, stretch.b.view
    if _looked(a) != _looked(b):
        return a

    def same(name: str) -> Read:
        return lambda request: float(getattr(request.view, name)) if _looked(request.view) == _looked(a) else None

    return replace(a, gain_db=stretch.number(same("gain_db")), overlay=stretch.number(same("overlay")))


def _looked(view: View) -> View:
    return replace(view, gain_db=0.0, overlay=0.0)


def _diagnostic(stretch: Stretch) -> Diagnostic:
    a, b = stretch.a.diagnostic, stretch.b.diagnostic
    if a.kind != b.kind:
        return a
    kind = a.kind
    gain = stretch.number(lambda request: request.diagnostic.gain if request.diagnostic.kind == kind else None)
    return replace(a, gain=gain)


# -- what has no between ---------------------------------------------------------------------------------------------


def steps(a: RenderRequest, b: RenderRequest) -> tuple[str, ...]:
    """What differs between two keyframes and cannot be shown halfway, in words: it steps at the second one."""
    told = {
        "the model": a.model.path != b.model.path,
        "the cutoff": a.truncation.cutoff != b.truncation.cutoff,
        "style mixing": a.mix != b.mix,
        f"noise from {a.noise.mode} to {b.noise.mode}": a.noise.mode != b.noise.mode,
        "the seed of the noise": a.noise.mode == b.noise.mode == "random" and a.noise.seed != b.noise.seed,
        condition.step(a.condition, b.condition): bool(condition.step(a.condition, b.condition)),
        "the input's freezing": a.transform.freeze_input != b.transform.freeze_input,
        "the transform, which is mirrored or flat at one end": _unjoined(a.transform, b.transform),
        "red and blue": a.bgr != b.bgr,
        "the order of the interventions": _order_differs(a, b),
        "what the Layers panel shows": _looked(a.view) != _looked(b.view),
    }
    return (*(words for words, differs in told.items() if differs), *_clamps(a, b))


def _unjoined(a: Transform, b: Transform) -> bool:
    matrices = (a.matrix is not None or b.matrix is not None) and a.matrix != b.matrix
    return matrices and not (transforms.upright(a) and transforms.upright(b))


def _order_differs(a: RenderRequest, b: RenderRequest) -> bool:
    first, second = list(_edits_of(a)), list(_edits_of(b))
    return [key for key in first if key in second] != [key for key in second if key in first]


def _clamps(a: RenderRequest, b: RenderRequest) -> list[str]:
    first, second = _edits_of(a), _edits_of(b)
    alone = [edit for key, edit in (first | second).items() if (key in first) != (key in second)]
    return list(dict.fromkeys(f"the clamp of {edit.layer}" for edit in alone if edit.op not in NEUTRAL))
