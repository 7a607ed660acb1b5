"""Classes and prompts between two keyframes: a blend in W from one to the other (`Condition.blend`)."""

from __future__ import annotations

from dataclasses import replace

from app.request import Condition

Name = tuple[int | None, str]  # class and prompt of one end


def between(a: Condition, b: Condition, share: float) -> Condition:
    """A straight line from what a shows to what b shows; a itself where no two ends can say both."""
    if a == b:
        return a
    joined = _joined(a, b)
    if joined is None:
        return a
    (class_a, prompt_a), (class_b, prompt_b), begin, end = joined
    ends = replace(a, class_index=class_a, class_b=class_b, prompt=prompt_a, prompt_b=prompt_b)
    return replace(ends, blend=begin + (end - begin) * share)


def step(a: Condition, b: Condition) -> str:
    """What cannot be shown halfway, in words; '' where all can."""
    if a == b or _joined(a, b) is not None:
        return ""
    if a.vector_file or b.vector_file:
        return "the conditioning vector"
    return "the class or prompt, for more than two take part"


def _joined(a: Condition, b: Condition) -> tuple[Name, Name, float, float] | None:
    """(near end, far end, blend at a, blend at b) that say both conditions; None where there are none."""
    if a.vector_file or b.vector_file:
        return None
    shares_a, shares_b = _shares(a), _shares(b)
    names = list(dict.fromkeys((*shares_a, *shares_b)))
    if len(names) == 1:
        return names[0], (None, ""), 0.0, 0.0
    if len(names) != 2:
        return None
    near, far = names
    if far == (None, ""):  # 'as the seed draws it' can only be the near end
        near, far = far, near
    return near, far, shares_a.get(far, 0.0), shares_b.get(far, 0.0)


def _shares(condition: Condition) -> dict[Name, float]:
    """What a condition shows, each with its share."""
    near, far = (condition.class_index, condition.prompt), (condition.class_b, condition.prompt_b)
    blend = 0.0 if far == (None, "") else condition.blend
    if near == far or blend == 0.0:
        return {near: 1.0}
    return {far: 1.0} if blend == 1.0 else {near: 1.0 - blend, far: blend}
