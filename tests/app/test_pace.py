"""Which early picture fits, and which pass may be called off."""

from app.pace import Pace, Patience

SIZES = (4, 8, 16, 32, 64, 128, 256, 512, 1024)


def test_nothing_measured_shows_the_smallest_worth_looking_at():
    assert Pace().choose("net", SIZES) == 64
    assert Pace().choose("net", (4, 8, 16)) == 16


def test_the_largest_height_that_fits_the_budget_is_chosen():
    pace = Pace()
    for height, ms in ((64, 20), (128, 60), (256, 95), (512, 300), (1024, 900)):
        pace.note("net", height, ms)
    assert pace.choose("net", SIZES, budget_ms=100) == 256
    assert pace.choose("net", SIZES, budget_ms=1000) == 1024
    assert pace.choose("net", SIZES, budget_ms=1) == 32
    assert pace.choose("other", SIZES, budget_ms=1000) == 64


def test_a_larger_picture_than_the_last_must_fit_with_room_to_spare():
    pace = Pace()
    for height, ms in ((32, 20), (64, 45), (128, 48)):
        pace.note("net", height, ms)
    assert pace.choose("net", SIZES) == 128
    assert pace.choose("net", SIZES, last=128) == 128
    assert pace.choose("net", SIZES, last=64) == 64
    assert pace.choose("net", SIZES, last=32) == 32
    assert pace.choose("net", SIZES, last=32, saved=lambda height: 15.0) == 128


def test_what_is_done_already_is_not_counted():
    pace = Pace()
    for height, ms in ((32, 40), (64, 90), (128, 300)):
        pace.note("net", height, ms)
    assert pace.choose("net", SIZES[:6]) == 32
    assert pace.choose("net", SIZES[:6], saved=lambda height: 40.0) == 64
    assert pace.choose("net", SIZES[:6], saved=lambda height: 260.0) == 128


def test_refining_takes_the_largest_step_that_is_short_enough():
    pace = Pace()
    for height, ms in ((32, 40), (64, 90), (128, 300), (256, 480)):
        pace.note("net", height, ms)
    sizes = SIZES[:7]
    assert pace.next_step("net", sizes, 32) == 64
    assert pace.next_step("net", sizes, 32, saved=lambda height: 150.0) == 128
    assert pace.next_step("net", sizes, 128, saved=lambda height: 300.0) == 256
    assert pace.next_step("net", sizes, 128) == 256  # too long as well, but there is none shorter
    assert pace.next_step("other", sizes, 64) == 128


def test_an_unmeasured_height_is_scaled_by_pixels():
    pace = Pace()
    pace.note("net", 64, 5)
    assert pace.predict("net", 128) == 20
    assert pace.predict("net", 32) == 1.25
    assert pace.choose("net", SIZES, budget_ms=100) == 256


def test_estimates_follow_the_measurements_exponentially():
    pace = Pace()
    for ms in (100, 50, 50):
        pace.note("net", 64, ms)
    assert pace.predict("net", 64) == 62.5


def test_a_quick_pass_always_finishes():
    assert not Patience().allows(0.0, expected_s=0.2)


def test_a_slow_pass_is_called_off_until_half_a_pass_was_thrown_away():
    patience = Patience()
    assert patience.allows(1.0, expected_s=10)
    patience.called_off(1.0)
    assert patience.allows(4.0, expected_s=10)
    patience.called_off(4.0)
    assert not patience.allows(0.1, expected_s=10)
    patience.delivered()
    assert patience.allows(0.1, expected_s=10)
