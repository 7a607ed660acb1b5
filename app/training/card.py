"""The card of a published model as Markdown."""

from __future__ import annotations

from typing import Any

TITLES = {"stylegan1": "StyleGAN", "stylegan2": "StyleGAN2", "stylegan3": "StyleGAN3-T"}


def markdown(card: dict[str, Any]) -> str:
    """card.json's content -> card.md."""
    training, measured, data = card["training"], card["measured"], card["data"]
    height, width = card["resolution"]
    distances = ", ".join(f"{value} at {key}" for key, value in measured["frechet_distance"].items())
    settings = "\n".join(f"| {key} | {_shown(value)} |" for key, value in training["configuration"].items())
    changes = "".join(f"- {text}\n" for text in training["changes"])
    changes = f"Changed on the way (the table shows the last values):\n\n{changes}" if changes else ""
    similar = ", ".join(f"{value:.2f}" for value in measured["neighbour_similarity"])
    return f"""# {card["name"]}

{TITLES.get(card["family"], card["family"])}, {width}x{height}, {card["parameters"]:,} parameters,
{card["weights"]["bytes"]:,} bytes ({card["weights"]["precision"]}).

- Data: {data.get("source", "unknown")}; {data.get("count", "?")} pictures; licence {data.get("licence", "unknown")}.
- Licence: {card["licence"]}.
- Trained on {training["pictures_seen"]:,} pictures in {training["hours"]} hours on {training["machine"]}.
- Outside weights: {training["outside_weights"]}.

![samples at psi 0.7](samples-psi-0.7.png)

Samples at psi 0.7, unselected; [psi 1](samples-psi-1.0.png); [loss curves](losses.png).

## Measured

- Fréchet distance to the training pictures: {distances}; between two halves of the training pictures
  {measured["frechet_distance_floor"]}. {measured["pictures_each"]} pictures each; features: {measured["features"]}.
  Comparable only with numbers of the same features and count.
- Nearest of {measured["neighbours_searched"]} training pictures by the same features, cosine similarity of eight
  samples to their nearest one: {similar}; of random training pairs {measured["similarity_of_random_training_pairs"]}.
  [The neighbours](neighbours.png): a sample on the left of each line.
- Walk in w between two seeds, 64 steps, psi 0.7: RMS change per step {measured["walk_step_mean"]} of 255 on average,
  {measured["walk_step_largest"]} at most.

## Configuration

| setting | value |
|---|---|
{settings}

{changes}"""


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
