"""Writes a training set: one array of pictures, one table of attributes, one description. Resumable.

DIR/pictures.npy [N, size, size, 3] uint8, DIR/attributes.csv (one row per picture), DIR/dataset.json. Until everything
is there they are called *.part; DIR/progress.json says how many parts of the work are done and for which settings.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.errors import InputError
from app.training import fluent
from app.training.compose import Variation, compose, draw

Progress = Callable[[int, int], None]
Row = dict[str, str | int | float]
ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}


@dataclass(frozen=True)
class Part:
    """A piece of the work: `count` pictures with their rows of the table, made from `key` alone."""

    key: str
    count: int
    make: Callable[[], Iterator[tuple[NDArray[np.uint8], Row]]]


def write_set(out: Path, size: int, about: dict[str, Any], parts: Sequence[Part], progress: Progress) -> int:
    """Write the set of these parts to `out`, going on where an earlier call stopped; returns the pictures' number."""
    out.mkdir(parents=True, exist_ok=True)
    total = sum(part.count for part in parts)
    about = {**about, "size": size, "count": total}
    if (out / "dataset.json").exists():
        _same(json.loads((out / "dataset.json").read_text(encoding="utf-8")), about, out)
        progress(total, total)
        return total
    array_path, table_path, state_path = out / "pictures.npy.part", out / "attributes.csv.part", out / "progress.json"
    done = 0
    if state_path.exists():
        state = json.loads(state_path.read_text(encoding="utf-8"))
        _same(state["about"], about, out)
        done = int(state["done"])
    shape = (total, size, size, 3)
    if done == 0:
        array = np.lib.format.open_memmap(array_path, mode="w+", dtype=np.uint8, shape=shape)
        table_path.write_text("", encoding="utf-8")
    else:
        array = np.lib.format.open_memmap(array_path, mode="r+")
    _write_parts(array, table_path, state_path, about, parts, done, progress)
    del array
    array_path.replace(out / "pictures.npy")
    table_path.replace(out / "attributes.csv")
    _replace(out / "dataset.json", json.dumps(about, indent=1))
    state_path.unlink()
    return total


def _write_parts(
    array: np.memmap[Any, np.dtype[np.uint8]],
    table_path: Path,
    state_path: Path,
    about: dict[str, Any],
    parts: Sequence[Part],
    done: int,
    progress: Progress,
) -> None:
    index = sum(part.count for part in parts[:done])
    lines = table_path.read_text(encoding="utf-8").splitlines(keepends=True)
    table_path.write_text("".join(lines[: index + 1]), encoding="utf-8")  # rows of a part that was cut short go
    for number, part in enumerate(parts[done:], start=done):
        text = io.StringIO()
        rows = 0
        for rows, (picture, row) in enumerate(part.make(), start=1):
            array[index + rows - 1] = picture
            writer = csv.DictWriter(text, ["index", *row], lineterminator="\n")
            if index == 0 and rows == 1:
                writer.writeheader()
            writer.writerow({"index": index + rows - 1, **row})
        if rows != part.count:
            raise InputError(f"{part.key} gave {rows} pictures, expected {part.count}; was the file changed meanwhile?")
        index += rows
        array.flush()
        with table_path.open("a", encoding="utf-8") as file:
            file.write(text.getvalue())
        _replace(state_path, json.dumps({"about": about, "done": number + 1}))
        progress(index, len(array))


def _replace(path: Path, text: str) -> None:
    """Write a small file whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _same(found: dict[str, Any], asked: dict[str, Any], out: Path) -> None:
    asked = json.loads(json.dumps(asked))
    for key in asked:
        if found.get(key) != asked[key]:
            raise InputError(
                f"{out} was begun with {key} = {found.get(key)}, asked for now is {asked[key]}; choose another folder"
            )


def fluent_parts(
    files: dict[str, bytes], size: int, seed: int, variation: Variation, draws: dict[str, int], smileys: Sequence[str]
) -> list[Part]:
    """One part per animation; draws: pictures per frame for 'heads' and 'smileys'."""
    return [
        _fluent_part(code, data, size, seed, variation, draws["smileys" if code in smileys else "heads"], smileys)
        for code, data in files.items()
    ]


def _fluent_part(
    code: str, data: bytes, size: int, seed: int, variation: Variation, draws: int, smileys: Sequence[str]
) -> Part:
    with Image.open(io.BytesIO(data)) as image:
        frames = getattr(image, "n_frames", 1)

    def make() -> Iterator[tuple[NDArray[np.uint8], Row]]:
        # Each animation has its own random stream, so that the choice of the others does not matter.
        rng = np.random.default_rng([seed, *code.encode("ascii")])
        said = fluent.labels(code, smileys)._asdict()
        with Image.open(io.BytesIO(data)) as image:
            for frame in range(frames):
                image.seek(frame)
                picture = image.convert("RGBA")
                for _ in range(draws):
                    how = draw(rng, variation)
                    yield (
                        compose(picture, how, size),
                        {
                            "code": code,
                            "frame": frame,
                            **said,
                            "background": "#{:02x}{:02x}{:02x}".format(*how.top),
                            "shift_x": round(how.shift[0], 4),
                            "shift_y": round(how.shift[1], 4),
                            "angle_deg": round(how.angle_deg, 3),
                            "scale": round(how.scale, 4),
                            "mirrored": int(how.mirrored),
                        },
                    )

    return Part(code, frames * draws, make)


def folder_parts(source: Path, size: int) -> list[Part]:
    """One part per picture file below a folder: the centre square, resized (Lanczos); transparency becomes white."""
    paths = sorted(path for path in source.rglob("*") if path.suffix.lower() in ENDINGS)
    if not paths:
        raise InputError(f"{source} holds no picture ({', '.join(sorted(ENDINGS))})")
    return [_folder_part(path, path.relative_to(source).as_posix(), size) for path in paths]


def _folder_part(path: Path, name: str, size: int) -> Part:
    def make() -> Iterator[tuple[NDArray[np.uint8], Row]]:
        with Image.open(path) as opened:
            image = opened.convert("RGBA")
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        flat = Image.alpha_composite(white, image).convert("RGB")
        square = flat.resize((size, size), Image.Resampling.LANCZOS, (left, top, left + side, top + side))
        yield np.asarray(square), {"file": name}

    return Part(name, 1, make)


def fluent_about(which: Sequence[str], seed: int, draws: dict[str, int], variation: Variation) -> dict[str, Any]:
    """What dataset.json says about a set of Fluent Emoji."""
    return {
        "source": fluent.SOURCE,
        "licence": fluent.LICENCE,
        "sets": list(which),
        "draws": draws,
        "seed": seed,
        "variation": asdict(variation),
        "sha512": list(fluent.SHA512),
    }
