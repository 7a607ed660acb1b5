"""A run's configuration from a family's preset and NAME=VALUE pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, cast

from app.errors import InputError
from networks.training.config import PRESETS, Critic, TrainConfig, projected

FIXED = {
    "resolution", "img_channels", "z_dim", "w_dim", "mapping_layers", "num_layers", "channel_base", "channel_max",
    "d_channel_base", "d_channel_max", "critic", "view", "seed",
}  # fmt: skip


def chosen(family: str, critic: str | None, settings: Sequence[str] = ()) -> TrainConfig:
    """The family's preset, with another discriminator where asked for, then with the single settings."""
    config = PRESETS[family]
    if critic == "projected":
        config = projected(config)
    elif critic is not None:
        config = replace(config, critic=cast(Critic, critic))
    return replace(config, **dict(parse(text, config) for text in settings))


def changed(config: TrainConfig, settings: Sequence[str]) -> TrainConfig:
    """A run's configuration with settings changed for what is left of it; what decides the networks stays."""
    pairs = dict(parse(text, config) for text in settings)
    if fixed := sorted(set(pairs) & FIXED):
        raise InputError(
            f"{', '.join(fixed)} cannot change in a run, for the networks follow from it; begin another run"
        )
    return replace(config, **pairs)


def parse(text: str, config: TrainConfig) -> tuple[str, Any]:
    """'batch=32' -> ('batch', 32), with the type that the setting has now."""
    name, _, value = text.partition("=")
    known = {field.name: getattr(config, field.name) for field in fields(config)}
    if name not in known or name == "family":
        raise InputError(f"a run has no setting {name!r}; known: {', '.join(sorted(set(known) - {'family'}))}")
    kind = type(known[name])
    if kind is tuple:
        return name, tuple(part for part in value.split(",") if part)
    if kind is bool:
        return name, value.lower() in ("1", "true", "yes", "on")
    try:
        return name, kind(value)
    except ValueError as error:
        raise InputError(f"{name}={value!r} is no {kind.__name__}; now it is {known[name]}") from error
