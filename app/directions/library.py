"""The directions of one model: computed when they are first wanted, kept in memory and, by the file's hash, on disk."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import numpy as np

from app.bounded import Bounded
from app.directions import algebra, cache, files, pca, sefa, stylespace
from app.directions.sets import DirectionSet
from app.errors import InputError
from app.studies.directions import Source, parse
from networks.base import Generator

BASE = "pca"  # what every standard deviation in W comes from
Style = tuple[np.ndarray, np.ndarray]  # mean [C] and standard deviation [C] of a layer's style
Progress = Iterator[tuple[float, str]]


class Library:
    """May be asked from several threads. sha256: of the model's file; with an empty one nothing is kept on disk."""

    def __init__(self, generator: Generator, sha256: str = "") -> None:
        self.generator, self.sha256 = generator, sha256
        self._sets: Bounded[str, DirectionSet] = Bounded(24, 64 << 20, lambda found: found.directions.nbytes)
        self._styles: Bounded[str, Style] = Bounded(64)
        self._running: dict[str, Progress] = {}  # what was begun and called off is gone on with
        self._sample: list[stylespace.Batch] = []  # of w, behind the styles
        self._lock = threading.RLock()

    def steps(self, text: str) -> Progress:
        """Compute what a source needs, in steps of about one picture: (share done, in words). Nothing, where it is
        known. Raises InputError where this model has no such directions."""
        source = parse(text)
        key = self._key(source)
        while not self._knows(source, key):
            with self._lock:
                running = self._running.setdefault(key, self._begin(source, key))
                try:
                    done = next(running, None)
                except BaseException:
                    self._running.pop(key, None)
                    raise
                if done is None:
                    self._running.pop(key, None)
            if done is not None:
                yield done

    def find(self, text: str) -> DirectionSet:
        """The set of a source; not for 'random' and 'style', which have no end and no vector in W."""
        source = parse(text)
        if source.kind in ("random", "style"):
            raise InputError(f"{text}: no set of directions in W")
        found = self._sets.get(self._key(source))
        while found is None:  # computed, and perhaps crowded out by another thread's at once
            for _ in self.steps(text):
                pass
            found = self._sets.get(self._key(source))
        return found

    def step(self, text: str, index: int) -> np.ndarray:
        """One standard deviation along a direction in W: float32 [w_dim], or [num_ws, w_dim] for one in W+."""
        if parse(text).kind == "random":
            return self.random(index).step(0)
        return self.find(text).step(index)

    def style(self, layer: str) -> Style:
        """Mean and standard deviation of each channel of a layer's style."""
        found = self._styles.get(layer)
        while found is None:
            for _ in self.steps(f"style:{layer}"):
                pass
            found = self._styles.get(layer)
        return found

    def random(self, seed: int) -> DirectionSet:
        """A set of one: the random direction of a seed."""
        known = self._sets.get(f"random:{seed}")
        if known is None:
            free = self.free
            direction = np.zeros((1, self.generator.w_dim))
            direction[0, :free] = algebra.random_direction(seed, free)
            known = self._scaled(f"random {seed}", parse("random"), direction)
            self._sets.put(f"random:{seed}", known)
        return known

    @property
    def free(self) -> int:
        """How many entries of w come from z; a text vector may follow them (StyleGAN-T)."""
        return self.generator.w_dim - (self.generator.c_dim if self.generator.condition == "vector" else 0)

    def one(self, text: str, index: int) -> DirectionSet:
        """A set of one: a direction of a source in W."""
        source = parse(text)
        if source.kind == "random":
            return self.random(index)
        found = self.find(text)
        found.step(index)
        return DirectionSet(
            f"{found.name} {index}", found.kind, found.directions[index : index + 1], found.sigma[index : index + 1],
            found.mean, found.samples, self.sha256,
        )  # fmt: skip

    # -- below: how each kind is made --------------------------------------------------------------------------------

    def _key(self, source: Source) -> str:
        if source.kind != "file":
            return source.text
        try:
            stat = os.stat(source.path)
        except OSError as error:
            raise InputError(f"{source.path}: no such file of directions ({error.strerror or error})") from error
        return f"{source.path}:{stat.st_mtime_ns}:{stat.st_size}"

    def _knows(self, source: Source, key: str) -> bool:
        if source.kind == "style":
            return source.layer in self._styles
        return (BASE if source.kind == "random" else key) in self._sets

    def _begin(self, source: Source, key: str) -> Progress:
        match source.kind:
            case "pca":
                return self._principal(source)
            case "style":
                return self._channels(source.layer)
        return self._others(source, key)

    def _principal(self, source: Source) -> Progress:
        name = f"{self.sha256}-pca-{source.samples}.npz" if self.sha256 else ""
        found = cache.read(name, self.generator.w_dim) if name else None
        if found is None:
            moments = pca.Moments(self.generator.w_dim, pca.groups_of(self.generator))
            for w, group in pca.samples(self.generator, source.samples):
                moments.add(w, group)
                done = moments.total
                yield done / source.samples, f"Principal components of W: {done:,} of {source.samples:,} seeds"
            found = pca.decompose(moments, source.text, self.sha256)
            if name:
                cache.keep(name, found)
        self._sets.put(source.text, found)

    def _channels(self, layer: str) -> Progress:
        for share, mean, spread in stylespace.statistics(self.generator, layer, self._batches()):
            known: Style = mean, spread
            yield share, f"Styles of {layer}: {share:.0%}"
        self._styles.put(layer, known)

    def _batches(self) -> Iterator[stylespace.Batch]:
        """The sample of w behind the styles, mapped for the first layer that is asked for."""
        if not self._sample:
            mapped = []
            for batch in stylespace.sample(self.generator):
                mapped.append(batch)
                yield batch
            self._sample = mapped
        else:
            yield from self._sample

    def _others(self, source: Source, key: str) -> Progress:
        """Directions whose standard deviations come from the principal components of W."""
        if source.kind == "file":
            given = files.read(source.path, self.generator.num_ws, self.generator.w_dim)
            if given.sigma is not None:
                self._sets.put(key, given.as_set(given.sigma))
                return
        yield from self.steps(BASE)
        if source.kind == "file":
            self._sets.put(key, given.as_set(algebra.spread(self._covariance(), given.directions)))
        elif source.kind == "sefa":
            self._sets.put(key, self._scaled(source.text, source, sefa.directions(self.generator, source.rows)))
        elif source.kind == "orthogonal":
            self._sets.put(key, self._orthogonal(source))

    def _orthogonal(self, source: Source) -> DirectionSet:
        vectors = [self.one(text, index).directions[0] for text, index in source.parts]
        if any(vector.ndim == 2 for vector in vectors):
            shape = (self.generator.num_ws, self.generator.w_dim)
            vectors = [np.broadcast_to(vector, shape) for vector in vectors]
        return self._scaled("orthogonal", source, algebra.orthogonalize(np.stack(vectors)))

    def _scaled(self, name: str, source: Source, directions: np.ndarray) -> DirectionSet:
        base = self.find(BASE)
        sigma = algebra.spread(pca.covariance_of(base), directions)
        return DirectionSet(
            name, source.kind, directions.astype(np.float32), sigma, base.mean, base.samples, self.sha256
        )  # fmt: skip

    def _covariance(self) -> np.ndarray:
        return pca.covariance_of(self.find(BASE))
