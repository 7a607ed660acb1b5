"""The parts of Slots and of the grids that need no window: what is asked for when, what is kept, what lies between."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from app.frame import Problem
from app.request import Latent, Mix, Model, RenderRequest, Truncation
from app.studies import StudyState, Update
from app.studies.picture_list import NOT_YET, PictureList, Small, of_seed
from networks.plan import Intervention
from tests.widgets.support import ramp
from widgets.kept_requests import Kept, decoded, encoded, kept_from
from widgets.morph import blend, remarks
from widgets.request_words import lines, short_name
from widgets.small_pictures import REST_S, SmallPictures, side_for

BASE = RenderRequest(model=Model("a.pkl"))
REQUESTS = tuple(of_seed(BASE, seed) for seed in range(4))


class Handle:
    """A study that is answered by hand."""

    def __init__(self, question: PictureList) -> None:
        self.question, self.state, self.cancelled = question, StudyState(), False
        self.made = [NOT_YET] * len(question.requests)

    @property
    def done(self) -> bool:
        return self.cancelled or self.state.done

    def cancel(self) -> None:
        self.cancelled = True

    def answer(self, place: int, small: Small, done: bool = False) -> Small:
        self.made[place] = small
        self.state = StudyState(Update(0.5, "Picture", tuple(self.made)), done)
        return small


class Asked:
    """Actions that only take studies."""

    def __init__(self) -> None:
        self.handles: list[Handle] = []

    def study(self, question: PictureList) -> Handle:
        self.handles.append(Handle(question))
        return self.handles[-1]


def picture(value: int, final: bool = True) -> Small:
    return Small(np.full((2, 2, 4), value, np.uint8), final, final)


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def pictures(asked: Asked) -> SmallPictures:
    return SmallPictures(asked)  # type: ignore[arg-type]


def test_nothing_is_asked_for_while_what_is_wanted_still_changes(asked: Asked, pictures: SmallPictures) -> None:
    for count in (2, 3):
        pictures.want(REQUESTS[:count], 50)
        pictures.tick(REST_S * 0.9)
        pictures.update(True)
    assert asked.handles == []
    pictures.tick(REST_S * 0.2)
    pictures.update(True)
    assert [handle.question for handle in asked.handles] == [PictureList(REQUESTS[:3], 64)]
    pictures.tick(1.0)
    pictures.update(True)
    assert len(asked.handles) == 1


def test_what_is_known_is_not_asked_again_and_drafts_are(asked: Asked, pictures: SmallPictures) -> None:
    pictures.want(REQUESTS[:2], 50)
    pictures.tick(1.0)
    pictures.update(True)
    done = asked.handles[0].answer(0, picture(1))
    draft = asked.handles[0].answer(1, picture(2, final=False))
    assert pictures.update(True)
    assert not pictures.update(True)
    assert (pictures.of(REQUESTS[0]), pictures.of(REQUESTS[1])) == (done, draft)
    pictures.want(REQUESTS[:3], 50)
    pictures.tick(1.0)
    pictures.update(True)
    assert asked.handles[0].cancelled
    assert asked.handles[1].question.requests == (REQUESTS[1], REQUESTS[2])


def test_a_panel_that_shrinks_has_its_pictures_already(asked: Asked, pictures: SmallPictures) -> None:
    pictures.want(REQUESTS[:1], 90)
    pictures.tick(1.0)
    pictures.update(True)
    large = asked.handles[0].answer(0, picture(1), done=True)
    pictures.update(True)
    pictures.want(REQUESTS[:1], 40)
    pictures.tick(1.0)
    pictures.update(True)
    assert pictures.of(REQUESTS[0]) is large
    assert len(asked.handles) == 1
    pictures.want(REQUESTS[:1], 200)
    assert pictures.of(REQUESTS[0]) is NOT_YET


def test_late_answers_of_a_former_model_are_not_taken(asked: Asked, pictures: SmallPictures) -> None:
    pictures.want(REQUESTS[:1], 50)
    pictures.tick(1.0)
    pictures.update(True)
    pictures.forget()
    asked.handles[0].answer(0, picture(9))
    assert not pictures.update(True)
    assert pictures.of(REQUESTS[0]) is NOT_YET
    assert asked.handles[0].cancelled


def test_out_of_sight_nothing_is_drawn(asked: Asked, pictures: SmallPictures) -> None:
    pictures.want(REQUESTS, 50)
    pictures.tick(1.0)
    pictures.update(False)
    assert asked.handles == []
    pictures.update(True)
    pictures.update(False)
    assert asked.handles[0].cancelled
    pictures.update(True)
    assert len(asked.handles) == 2


def test_a_study_that_fails_leaves_its_sentence_and_is_not_repeated(asked: Asked, pictures: SmallPictures) -> None:
    pictures.want(REQUESTS[:2], 50)
    pictures.tick(1.0)
    pictures.update(True)
    asked.handles[0].answer(0, picture(1))
    asked.handles[0].state = replace(asked.handles[0].state, done=True, problem=Problem("Out of memory", "12 GB"))
    assert pictures.update(True)
    assert pictures.of(REQUESTS[0]).pixels is not None
    assert pictures.of(REQUESTS[1]).problem == "Out of memory: 12 GB"
    pictures.update(True)
    assert len(asked.handles) == 1


def test_sides_come_in_steps() -> None:
    assert [side_for(pixels) for pixels in (10, 48, 48.5, 100, 9999)] == [48, 48, 64, 128, 384]


# -- what is kept ------------------------------------------------------------------------------------------------------


def test_a_kept_request_survives_json() -> None:
    request = replace(
        BASE, latent=Latent(((3, 0.25), (4, 0.75))), mix=Mix(2, (0, 3)),
        edits=(Intervention("b8.conv0", "scale", 0.5, (1,)),), max_height=64, model=Model("a.pkl", attempt=3),
    )  # fmt: skip
    kept = replace(Kept.of(request, ramp(96, 60)), name="blue")
    back = kept_from(json.loads(json.dumps(kept.plain)))
    assert back is not None
    assert back.request == replace(request, max_height=None, model=Model("a.pkl"))
    assert back.name == "blue"
    assert back.thumbnail is not None
    assert back.thumbnail.shape == (60, 96, 4)
    assert np.abs(back.thumbnail.astype(int) - ramp(96, 60)).mean() < 3
    assert len(encoded(ramp(96, 96))) < 8000


def test_what_is_transparent_stays_so_and_bit_for_bit() -> None:
    pixels = ramp(20, 10)
    pixels[:5, :, 3] = 40
    found = decoded(encoded(pixels))
    assert found is not None
    assert np.array_equal(found, pixels)


@pytest.mark.parametrize(
    "values", [None, 3, {}, {"request": 1}, {"request": {"nonsense": 1}}, {"request": {"latent": {"seed": 1}}}]
)
def test_what_is_no_kept_request_is_left_out(values: object) -> None:
    assert kept_from(values) is None


@pytest.mark.parametrize("text", [None, 5, "?", "AAAA", encoded(ramp(600, 2))])
def test_a_damaged_thumbnail_is_left_out_alone(text: object) -> None:
    plain = dict(Kept.of(BASE).plain) | {"thumbnail": text}
    back = kept_from(plain)
    assert back is not None
    assert (back.request, back.thumbnail) == (BASE, None)


def test_names_and_lines() -> None:
    assert short_name(of_seed(BASE, 7)) == "seed 7"
    assert short_name(replace(BASE, latent=Latent(((1, 0.2), (2, 0.8))))) == "near 2"
    assert short_name(replace(BASE, latent=Latent(((1, 0.5), (2, 0.5))))) == "2 points"
    assert short_name(replace(BASE, latent=Latent.of_file("/x/face.npz"))) == "face.npz"
    told = lines(replace(BASE, truncation=Truncation(0.7, 3), mix=Mix(4, (0, 1))))
    assert told.splitlines() == ["a.pkl", "seed 0", "psi 0.7 on rows below 3", "rows 0-1 of ws from seed 4"]


# -- between -----------------------------------------------------------------------------------------------------------


def corner(seed: int, psi: float) -> RenderRequest:
    return replace(of_seed(BASE, seed), truncation=Truncation(psi))


CORNERS = (corner(1, 0.0), corner(2, 1.0), corner(3, 0.5), corner(4, -1.0))


def weights(request: RenderRequest) -> dict[int, float]:
    return dict(request.latent.seeds)


@pytest.mark.parametrize(
    ("x", "y", "place"), [(0, 0, 0), (1, 0, 1), (0, 1, 2), (1, 1, 3)]
)  # fmt: skip
def test_corners_of_the_pad_are_the_requests_themselves(x: float, y: float, place: int) -> None:
    assert blend(CORNERS, x, y, 16) == CORNERS[place]


def test_four_corners_are_mixed_bilinearly() -> None:
    x, y = 0.25, 0.4
    shares = [(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y]
    found = blend(CORNERS, x, y, 16)
    assert weights(found) == pytest.approx(dict(zip((1, 2, 3, 4), shares, strict=True)))
    psi = sum(share * each.truncation.psi for share, each in zip(shares, CORNERS, strict=True))
    assert found.truncation.psi == pytest.approx(psi)


def test_three_corners_and_two() -> None:
    found = blend(CORNERS[:3], 0.25, 0.4, 16)
    assert weights(found) == pytest.approx({1: 0.75 * 0.6, 2: 0.25 * 0.6, 3: 0.4})
    assert weights(blend(CORNERS[:3], 0.9, 1.0, 16)) == {3: 1.0}
    assert weights(blend(CORNERS[:2], 0.3, 0.9, 16)) == pytest.approx({1: 0.7, 2: 0.3})
    with pytest.raises(ValueError, match="1 requests"):
        blend(CORNERS[:1], 0.5, 0.5, 16)


def test_what_steps_is_said() -> None:
    assert remarks(CORNERS, 16) == ()
    assert remarks((CORNERS[0], replace(CORNERS[1], mix=Mix(9, (0,)))), 16) == ("steps: style mixing",)
