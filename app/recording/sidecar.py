"""The JSON beside a recording: everything that is needed to make the same frames again, bit for bit."""

from __future__ import annotations

import contextlib
import json
import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.errors import InputError, WriteError
from app.frame import ModelInfo
from app.recording.film import Film, film_from_dict, film_to_dict
from app.recording.writer import Written
from app.request import Diagnostic, RenderRequest, View, from_json, to_json

FORMAT, VERSION = "stylescope-recording", 1
Shots = tuple[tuple[float, RenderRequest | None], ...]


@dataclass(frozen=True)
class Sidecar:
    """What was recorded. `shots` lists (second, request) of a live capture; a walk or a timeline says it all by itself.

    `models`: path, name and SHA-256 of each file that was shown. `environment`: versions, device and threads, which
    decide the last bits.
    `frames_sha256`: over the RGBA bytes of all frames in order, '' where the recording did not come to its end.
    """

    output: str
    size: tuple[int, int]
    frames: int
    frames_sha256: str
    models: tuple[dict[str, str], ...]
    walk: Film | None = None
    shots: Shots = ()
    environment: dict[str, Any] = field(default_factory=dict)
    complete: bool = True
    encoder: str = ""

    def requests(self) -> Iterator[tuple[float, RenderRequest]]:
        """(second, request) of every frame. Raises InputError where a frame is not a picture of a generator."""
        if self.walk is not None:
            for frame in range(self.frames):
                yield self.walk.seconds_at(frame), self.walk.at(frame)
            return
        for seconds, request in self.shots:
            if request is None:
                raise InputError(f"{self.output}: this capture of the window cannot be made again from a checkpoint")
            yield seconds, request


def beside(path: Path) -> Path:
    """Where the sidecar of a recording lies: walk.mp4 -> walk.mp4.json."""
    return path.with_name(path.name + ".json")


def environment(device: str, threads: int) -> dict[str, Any]:
    """What else decides the last bits of a picture."""
    import numpy
    import torch

    return {
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": platform.machine(),
        "device": device,
        "threads": threads,
    }


def pinned(request: RenderRequest, info: ModelInfo) -> RenderRequest:
    """What decides the picture, on the device that 'auto' came to, the file by its absolute path; nothing that only
    looks at it."""
    model = replace(request.model, path=str(Path(request.model.path).absolute()), device=info.device, attempt=0)
    return replace(request, model=model, view=View(), diagnostic=Diagnostic(), max_height=None, measures=())


def describe(written: Written, size: tuple[int, int], infos: Iterable[ModelInfo], walk: Film | None = None) -> Sidecar:
    """Put together what was written, with which models."""
    infos = list(infos)
    models = tuple({"path": info.path, "name": info.name, "sha256": info.sha256} for info in infos)
    made = environment(infos[0].device, infos[0].threads) if infos else {}
    shots = () if walk is not None else written.shots
    complete = walk is None or written.frames == walk.count
    return Sidecar(
        written.path.name, size, written.frames, written.sha256, models, walk, shots, made, complete, written.encoder
    )


def write(sidecar: Sidecar, path: Path) -> None:
    """Save beside the recording; replaced in one step. Raises WriteError."""
    write_text(json.dumps(to_dict(sidecar), indent=1), path)


def write_text(text: str, path: Path) -> None:
    """Save a sidecar's JSON in one step. Raises WriteError."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise WriteError(f"{path}: the sidecar was not written, {error.strerror or error}") from error


def read(path: Path) -> Sidecar:
    """Open a sidecar; raises InputError with one sentence."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name}: not a sidecar, it holds no JSON") from error
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise InputError(f"{path.name}: not a sidecar of a recording")
    if values.get("version") != VERSION:
        raise InputError(f"{path.name}: sidecar version {values.get('version')}, this program reads {VERSION}")
    try:
        return from_dict(values)
    except InputError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        raise InputError(f"{path.name}: the sidecar is damaged ({type(error).__name__}: {error})") from error


def to_dict(sidecar: Sidecar) -> dict[str, Any]:
    """Sidecar -> plain JSON values."""
    walk = sidecar.walk
    values: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "output": sidecar.output,
        "size": list(sidecar.size),
        "frames": sidecar.frames,
        "frames_sha256": sidecar.frames_sha256,
        "complete": sidecar.complete,
        "models": list(sidecar.models),
        "environment": sidecar.environment,
        "encoder": sidecar.encoder,
    }
    if walk is not None:
        values |= film_to_dict(walk)
    else:
        values["shots"] = list(differences(sidecar.shots))
    return values


def from_dict(values: dict[str, Any]) -> Sidecar:
    """The inverse of `to_dict`."""
    walk = film_from_dict(values)
    return Sidecar(
        output=str(values["output"]),
        size=(int(values["size"][0]), int(values["size"][1])),
        frames=int(values["frames"]),
        frames_sha256=str(values["frames_sha256"]),
        models=tuple({key: str(model[key]) for key in ("path", "name", "sha256")} for model in values["models"]),
        walk=walk,
        shots=tuple(_shots(values.get("shots", ()))),
        environment=dict(values["environment"]),
        complete=bool(values["complete"]),
        encoder=str(values.get("encoder", "")),
    )


def differences(shots: Shots) -> Iterator[dict[str, Any]]:
    """The shots as JSON: each says only which parts of the request changed since the one before."""
    before: dict[str, Any] = {}
    for seconds, request in shots:
        if request is None:
            yield {"seconds": seconds, "change": None}
            continue
        now = to_json(request)
        yield {"seconds": seconds, "change": {name: part for name, part in now.items() if before.get(name) != part}}
        before = now


def _shots(kept: Any) -> Iterator[tuple[float, RenderRequest | None]]:
    now = to_json(RenderRequest())
    for shot in kept:
        if shot["change"] is None:
            yield float(shot["seconds"]), None
            continue
        now = now | shot["change"]
        yield float(shot["seconds"]), from_json(now)
