"""The models that come with the app: one folder each under assets/models, weights and a card (app/training/publish.py).

Cheap enough for the start of the window: a card is a small JSON file; without one, the header of the weights will do.
No torch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.frame import BundledModel
from app.request import Model, RenderRequest, Truncation, plane
from app.safetensors_header import read_header

MODELS = Path(__file__).parents[1] / "assets" / "models"
TITLES = {"stylegan1": "StyleGAN", "stylegan2": "StyleGAN2", "stylegan3": "StyleGAN3"}
FIRST = "stylegan2"  # what the app opens when nothing is named
OPENING_PLACE, OPENING_PSI = (33.0, 0.0), 0.7  # on the plane of seeds


def bundled_models(folder: Path = MODELS) -> tuple[BundledModel, ...]:
    """Every model folder that holds readable weights, by family and name; () where the folder is missing."""
    found = [(card["family"], path, card) for path in sorted(folder.glob("*/*.safetensors")) if (card := _card(path))]
    return tuple(_model(path, card) for _, path, card in sorted(found, key=lambda entry: entry[:2]))


def first_model(folder: Path = MODELS) -> str:
    """Path of the model that opens when nothing is named: the first StyleGAN2, else the first of all; '' for none."""
    models = bundled_models(folder)
    preferred = [model for model in models if model.title == TITLES[FIRST]]
    return next((model.path for model in (*preferred, *models)), "")


def opening(path: str) -> RenderRequest:
    """What the app shows when nothing is named: a good picture of the first model, a little truncated, as most are."""
    return RenderRequest(model=Model(path), latent=plane(*OPENING_PLACE), truncation=Truncation(OPENING_PSI))


def _card(weights: Path) -> dict[str, Any] | None:
    """The card beside the weights; without one what their header says; None where neither can be read."""
    header = read_header(weights)
    if not isinstance(header.get("family"), str):
        return None
    try:
        card = json.loads((weights.parent / "card.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        card = {}
    known = {"family": header["family"], "resolution": _table(header, "spec").get("resolution")}
    return {**(card if isinstance(card, dict) else {}), **known}


def _model(path: Path, card: Mapping[str, Any]) -> BundledModel:
    data, training = _table(card, "data"), _table(card, "training")
    size = card["resolution"]
    pixels = f"{size[1]} × {size[0]} px" if isinstance(size, list) and len(size) == 2 else ""
    source = str(data.get("source", "")).split(", as packed")[0]  # how it was packed matters to the card alone
    about = ", ".join(part for part in (pixels, source) if part)
    sentences = [path.stem]
    if isinstance(parameters := card.get("parameters"), int):
        sentences.append(f"{parameters / 1e6:.1f} million parameters")
    if isinstance(seen := training.get("pictures_seen"), int):
        sentences.append(f"trained on {seen:,} pictures in {training.get('hours', '?')} hours")
    if card.get("licence"):
        sentences.append(str(card["licence"]))
    return BundledModel(str(path), TITLES.get(card["family"], card["family"]), about, "; ".join(sentences) + ".")


def _table(card: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = card.get(name)
    return part if isinstance(part, dict) else {}
