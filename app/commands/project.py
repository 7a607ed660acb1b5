"""`project`: the point of W or W+ whose picture comes closest to a photo, and whether the model made it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands._estimates import write_json
from app.commands._options import CHECKPOINT, FILE, MAX_SEED, check_applies, device_option
from app.errors import InputError
from app.request import Condition, Latent, Model, RenderRequest, Truncation
from app.studies import Update
from app.studies.projection import (
    Attributing,
    AttributionAnswer,
    KeepPoint,
    Photo,
    Projecting,
    ProjectionAnswer,
    ProjectionSettings,
    as_json,
    attribution_json,
)

if TYPE_CHECKING:
    from app.renderer import Renderer

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("photo", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("checkpoint", type=CHECKPOINT)
@click.option("--space", type=click.Choice(["w", "w+"]), default="w", show_default=True,
              help="w+: each row of ws for itself; closer, but off the model's own pictures.")  # fmt: skip
@click.option("--steps", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="Of the optimization.")
@click.option("--fit", type=click.Choice(["crop", "letterbox"]), default="crop", show_default=True,
              help="To the model's shape: cut off, or keep all between bars that do not count.")  # fmt: skip
@click.option("--place", type=click.FloatRange(0, 1), default=0.5, show_default=True,
              help="Where the crop lies along the longer way: 0 left or top.")  # fmt: skip
@click.option("--noise/--stored-noise", "noise_maps", default=True, show_default=True,
              help="Optimize the noise maps as well, or keep those of the file.")  # fmt: skip
@click.option("--move/--no-move", default=True, show_default=True, help="StyleGAN3, XL, T: rotate and shift as well.")
@click.option("--seed", type=click.IntRange(0, MAX_SEED), default=0, show_default=True, help="Of noise, exploration.")
@click.option("--class", "class_index", type=click.IntRange(min=0), help="Look around in this class. [all]")
@click.option("--prompt", default="", help="Look around in this text's w.")
@click.option("--vector", type=FILE, help="Conditioning vector as .npy, in place of a prompt.")
@click.option("--attribution", "own", type=click.IntRange(5, 10_000),
              help="Project so many own pictures too: did this model make the photo?")  # fmt: skip
@click.option("--psi", type=float, default=1.0, show_default=True, help="Of the own pictures.")
@click.option("--bgr", is_flag=True, help="The model draws blue, green, red.")
@device_option
@click.option("--out", required=True, type=FOLDER, help="Folder for the latent, the pictures and the numbers.")
def project(
    photo: Path, checkpoint: Path, space: Any, steps: int, fit: Any, place: float, noise_maps: bool, move: bool,
    seed: int, class_index: int | None, prompt: str, vector: str | None, own: int | None, psi: float, bgr: bool,
    device: str, out: Path,
) -> None:  # fmt: skip
    """Project a photo into W or W+ (Karras et al. 2020, section 5).

    Writes OUT/NAME.npz (the latent with its noise and transform), NAME.png (its picture), NAME-beside.png and
    NAME.json (distances). docs/projection.md says how.
    """
    from app.renderer import Renderer

    renderer = Renderer()
    condition = Condition(class_index=class_index, prompt=prompt, vector_file=vector or "")
    request = RenderRequest(Model(str(checkpoint), device), condition=condition, bgr=bgr)
    info = renderer.open(request).info
    check_applies({"transform": None, "class_index": class_index, "prompt": prompt, "vector": vector,
                   "mix_rows": (), "mix_seed": None}, info)  # fmt: skip
    settings = ProjectionSettings(space, steps, noise_maps, move, seed)
    question = Projecting(request, Photo(str(photo), fit, place), settings)
    make_folder(out)
    answer = follow_projection(question, renderer)
    checked = None
    if own is not None:
        check = Attributing(
            replace(request, truncation=Truncation(psi)), question.photo, settings, own, given=answer.best.distance
        )
        checked = follow_attribution(check, renderer)
    for path in write(renderer, question, answer, checked, out / photo.stem):
        click.echo(str(path))
    click.echo(summary(answer))
    if checked is not None:
        click.echo(checked.verdict)


def make_folder(folder: Path) -> None:
    """Create the folder for what is written; raises InputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: the folder cannot be made, {error.strerror or error}") from error


def follow_projection(question: Projecting, renderer: Renderer) -> ProjectionAnswer:
    """Take every step, with a bar."""
    from app.projection import study

    answer: ProjectionAnswer | None = last(study.run(question, renderer), "project")
    assert answer is not None
    return answer


def follow_attribution(question: Attributing, renderer: Renderer) -> AttributionAnswer:
    """Project the own pictures, with a bar."""
    from app.projection import attribution

    answer: AttributionAnswer | None = last(attribution.run(question, renderer), "own pictures")
    assert answer is not None
    return answer


def last(updates: Iterator[Update], label: str) -> Any:
    """The last answer; progress goes to the terminal."""
    answer = None
    with click.progressbar(length=1000, label=label, width=30, item_show_func=lambda words: words) as bar:
        for update in updates:
            bar.update(max(0, round((update.share or 0.0) * 1000) - bar.pos), update.text)
            answer = answer if update.answer is None else update.answer
    return answer


def write(
    renderer: Renderer, question: Projecting, answer: ProjectionAnswer, check: AttributionAnswer | None, stem: Path
) -> list[Path]:
    """The files; returns their paths."""
    from app.projection import keep, sheet
    from app.recording.embedded import png_info
    from app.recording.sinks.folder import save_png

    paths = [stem.with_name(stem.name + ending) for ending in (".npz", ".png", "-beside.png", ".json")]
    latent, picture, beside, numbers = paths
    info = renderer.open(question.request).info
    for _ in keep.run(KeepPoint(answer.best, str(latent)), renderer):
        pass
    shown = replace(question.request, latent=Latent.of_file(str(latent.absolute())))
    drawn = renderer.render(shown).picture
    assert drawn is not None
    save_png(picture, drawn, info=png_info(shown, info))
    save_png(beside, sheet.draw(answer, question, info.name, check))
    values = as_json(answer, question)
    if check is not None:
        values["attribution"] = attribution_json(check)
    write_json(numbers, values)
    return paths


def summary(answer: ProjectionAnswer) -> str:
    """The result in a sentence."""
    best = answer.best
    ratio = float(answer.distances[0]) / max(best.distance, 1e-12)
    words = (
        f"distance {best.distance:.4f} ({answer.distance_name}) at step {best.step + 1} of {answer.steps},"
        f" {ratio:.1f} x closer than the mean of w; PSNR {best.psnr_db:.1f} dB; {answer.step_s * 1000:.0f} ms a step"
    )
    if best.move is None:
        return words
    x, y, turn = best.move
    return f"{words}; moved by x {x:+.3f}, y {y:+.3f} picture widths, turned by {turn:+.1f} degrees"
