"""Was a picture made by this model? Its distance of projection beside those of the model's own pictures.

Karras et al. 2020, section 5 (Fig. 10): generated pictures are found again, real ones stay farther away. Here the
question is put for one picture; app/studies/projection.py says what is answered, and how sure it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from scipy.special import betaincinv

from app import view
from app.diagnostics.drawing import of_seed
from app.diagnostics.path_length import differentiable
from app.errors import InputError
from app.models import Opened
from app.projection import features, photo
from app.projection.project import Projection, Target
from app.projection.study import checked, sampler
from app.renderer import Renderer
from app.request import Mix, RenderRequest, Transform
from app.studies import Update
from app.studies.projection import Attributing, AttributionAnswer
from networks.plan import Noise

RESAMPLES, LEVEL = 2000, 0.95
LEAST = 5  # own pictures that a verdict needs
FEW = 0.05  # a smaller share of own pictures that lie as far away speaks against the model


def run(question: Attributing, renderer: Renderer) -> Iterator[Update]:
    """The photo first (where its distance is not known), then each own picture: a step of a projection at a time."""
    if question.count < LEAST:
        raise InputError(f"{question.count} own pictures say too little; take at least {LEAST}")
    settings = checked(question.settings)
    yield Update(0.0, "opening")
    opened = differentiable(renderer.open(question.request))
    distance = features.load_distance(opened.device)
    parts = question.count + (question.given is None)
    start: tuple[torch.Tensor, float] | None = None
    own: list[float] = []
    given = question.given
    for part in range(parts):
        is_photo = given is None
        target = of_photo(question, opened) if is_photo else own_target(question, renderer, opened, len(own))
        projection = Projection(opened.generator, target, distance, settings)
        if start is None:
            for _ in projection.look_around(sampler(opened, question.request)):
                yield Update(0.0, "mean of w")
            start = projection.mean, projection.sigma
        else:
            projection.start(*start)
        name = "the photo" if is_photo else f"own picture {len(own) + 1} of {question.count}"
        answer = None if not own and is_photo else summed(own, given, distance.name, question)
        while not projection.done:
            projection.step()
            yield Update((part + projection.taken / settings.steps) / parts, name, answer)
        if projection.best is None:
            raise InputError(f"{name}: no step gave a picture with a finite distance")
        if is_photo:
            given = projection.best.distance
        else:
            own.append(projection.best.distance)
    yield Update(1.0, "done", summed(own, given, distance.name, question))


def of_photo(question: Attributing, opened: Opened) -> Target:
    """The photo as the network would draw it."""
    prepared = photo.prepare(question.photo, opened.generator.resolution)
    return prepared.target(opened.generator, opened.device, question.request.bgr)


def own_target(question: Attributing, renderer: Renderer, opened: Opened, number: int) -> Target:
    """A picture of the model as somebody would have saved it: noise of its own, clipped and rounded to 8 bits."""
    seed = (question.first + number) % 2**32
    plain = RenderRequest(question.request.model, condition=question.request.condition)
    request = replace(of_seed(plain, seed), truncation=question.request.truncation, noise=Noise("random", seed))
    image = torch.from_numpy(renderer.image(replace(request, transform=Transform(), mix=Mix()))).to(opened.device)
    picture = view.to_bytes(view.centred(image, opened.generator.spec.pixel_range)) / 127.5 - 1
    bars = photo.prepare(question.photo, opened.generator.resolution).target(opened.generator, opened.device).mask
    return Target(picture, bars, question.request.bgr)


def summed(own: list[float], given: float | None, name: str, question: Attributing) -> AttributionAnswer:
    """Distances -> what they say."""
    psi = question.request.truncation.psi
    known = np.array(own, np.float32)
    if given is None or not own:
        return AttributionAnswer(known, given, name, question.count, psi)
    values = np.array(own)
    share, interval = share_at_least(values, given)
    ratio, ratio_interval = ratio_to_median(values, given)
    return AttributionAnswer(
        known, given, name, question.count, psi, share, interval, ratio, ratio_interval,
        verdict(len(own), share, interval, ratio),
    )  # fmt: skip


def share_at_least(own: np.ndarray, given: float) -> tuple[float, tuple[float, float]]:
    """Share of own distances [n] that are at least `given`, with its exact 95 % interval (Clopper and Pearson 1934)."""
    n, k = len(own), int((own >= given).sum())
    tail = (1 - LEVEL) / 2
    low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - tail))
    return k / n, (low, high)


def ratio_to_median(own: np.ndarray, given: float) -> tuple[float, tuple[float, float]]:
    """given / median of own distances [n], with its 95 % bootstrap interval (percentiles, own pictures resampled)."""
    stream = np.random.RandomState(0)
    medians = np.median(own[stream.randint(len(own), size=(RESAMPLES, len(own)))], axis=1)
    low, high = np.quantile(given / medians, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(given / np.median(own)), (float(low), float(high))


def verdict(n: int, share: float, interval: tuple[float, float], ratio: float) -> str:
    """The finding in words, no stronger than its interval."""
    if n < LEAST:
        return f"{n} own pictures so far: too few to say."
    facts = f"{share:.0%} of {n} own pictures end as far away (95 %: {interval[0]:.0%} to {interval[1]:.0%})"
    if interval[1] < FEW:
        return f"Not a picture of this model: {facts}; {ratio:.1f} x their median."
    if share == 0:
        return f"Farther away than every own picture, {ratio:.1f} x their median: {facts}."
    if interval[0] > FEW:
        return f"As near as this model's own pictures: {facts}. It may be one of them."
    return f"Not decided: {facts}."
