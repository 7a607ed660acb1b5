"""While somebody drags on a StyleGAN3: an early picture first, then the full one at once."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from app.renderer import Renderer
from app.request import Latent, Model, RenderRequest

FILE = Path(__file__).parents[2] / "assets" / "models" / "emoji-stylegan3" / "emoji-stylegan3.safetensors"


def test_an_early_picture_is_followed_by_the_full_one_at_once():
    """A larger early picture would begin anew, so it would only keep the full one waiting."""
    request = RenderRequest(model=Model(str(FILE)), latent=Latent(((5, 1.0),)))
    alone = Renderer().render(request)
    renderer = Renderer()
    key = renderer.open(request).key
    for height, ms in ((16, 30.0), (32, 250.0), (64, 900.0)):
        renderer.pace.note(key, height, ms)
    early = renderer.render(replace(request, max_height=16))
    assert early.picture.shape[:2] == (16, 16)
    assert not early.complete
    assert early.next_height is None
    assert np.array_equal(renderer.render(request).picture, alone.picture)
    assert renderer.pace.predict(key, 64) > 400, "the time of an early pass is not taken for that of a full one"
