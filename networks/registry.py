"""Families by name: one decorator per generator class, one import line per family in `_register`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from networks.base import Generator, Spec

G = TypeVar("G", bound=type[Generator])
MODULES = ("stylegan1", "stylegan2", "stylegan3", "stylegan_xl", "stylegan_t", "mobile_stylegan", "lucidrains")


@dataclass(frozen=True)
class Family:
    """One architecture: its key in files, its title for people, its specification and its generator."""

    name: str
    title: str
    spec_type: type[Spec]
    generator_type: Callable[[Any], Generator]

    def spec(self, values: dict[str, Any]) -> Spec:
        """Rebuild a specification from JSON values (lists become tuples); unknown keys raise TypeError."""
        known = {field.name for field in fields(self.spec_type)}
        if unknown := sorted(set(values) - known):
            raise TypeError(f"{self.name} has no setting {', '.join(unknown)}")
        return self.spec_type(**{key: _tuples(value) for key, value in values.items()})

    def build(self, spec: Spec) -> Generator:
        """Return the network of a specification with uninitialized weights, in evaluation mode."""
        return self.generator_type(spec).eval().requires_grad_(False)


_FAMILIES: dict[str, Family] = {}


def family(name: str, title: str, spec_type: type[Spec]) -> Callable[[G], G]:
    """Class decorator: register a generator under its family's name."""

    def register(generator_type: G) -> G:
        generator_type.family = name
        _FAMILIES[name] = Family(name, title, spec_type, generator_type)
        return generator_type

    return register


def families() -> dict[str, Family]:
    """Return every family, keyed by name."""
    for module in MODULES:
        importlib.import_module(f"networks.{module}")
    return dict(_FAMILIES)


def get(name: str) -> Family:
    """Return one family; raises KeyError with the known names."""
    known = families()
    if name not in known:
        raise KeyError(f"no family {name!r}; known: {', '.join(sorted(known))}")
    return known[name]


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
