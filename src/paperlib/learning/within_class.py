"""What a network that was trained on space groups knows within an extinction class.

Space groups of one class differ in heights alone. Where nothing but absences carries information, the first answer of
such a network is right as often as a guess among the groups of the class that it names; what it is right more often
than that, or than the commonest group of the class, it has from heights, or from memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from paperlib.datasets.labels import Labels
from paperlib.learning.comparison import Repeat, Scored, scored
from paperlib.learning.ranked import Ranked
from paperlib.learning.study import Trained

_GROUPS = "space_group"


def beside_chance(trained: Trained, test: str, arm: str, scheme: str) -> Scored:
    """Per test item, whether the first answer of ``arm`` is the true group (``observed``), and how often a guess among
    the groups of the class that it names would be (``guessed``): 1 / (groups of the class) where that is the true
    class of the ``scheme``, else 0. On data that are balanced over the groups the mean of the second is the sum of the
    recalls of the classes over 230."""
    classes = _class_of_groups(scheme)
    size = np.bincount(classes)

    def guessed(answers: Ranked) -> np.ndarray:
        true = classes[answers.target]
        return (classes[answers.top[:, 0]] == true) / size[true]

    observed, as_guessed = scored(trained, test, _GROUPS), scored(trained, test, _GROUPS, measure=guessed)
    return Scored({"observed": observed.values[arm], "guessed": as_guessed.values[arm]}, observed.clusters)


def where_class_is_right(
    trained: Trained, test: str, arm: str, scheme: str, training_groups: Mapping[Any, np.ndarray]
) -> Scored:
    """Per test item whose class of the ``scheme`` has several groups and is the first answer of every training of a
    split: whether the ``network`` names the true group, as the most probable of that class, and whether the
    ``commonest`` group of the class in training is the true one. ``training_groups`` are the space groups of the
    training items (n,) by split. A group that is not among the five most probable of all is not named.

    Raises ValueError where there is no such item.
    """
    classes = _class_of_groups(scheme)
    several = np.bincount(classes)[classes] > 1
    commonest = {split: _commonest(groups, classes) for split, groups in training_groups.items()}
    chosen: dict[Any, np.ndarray] = {}
    values: dict[str, dict[Repeat, np.ndarray]] = {"network": {}, "commonest": {}}
    for split, seed in [cell[1:] for cell in trained.cells if cell[0] == arm]:
        of = trained.answers[test, arm, split, seed]
        groups, target = of[_GROUPS], of[_GROUPS].target
        right = several[target] & (of[scheme].rank == 0)
        chosen[split] = chosen.get(split, right) & right
        inside = (groups.top >= 0) & (classes[groups.top] == classes[target][:, None])
        first = np.where(inside.any(1), groups.top[np.arange(len(target)), inside.argmax(1)], -1)
        values["network"][split, seed] = (first == target).astype(np.float64)
        values["commonest"][split, seed] = (commonest[split][classes[target]] == target).astype(np.float64)
    return Scored(values, scored(trained, test, _GROUPS).clusters).only(chosen)


def _class_of_groups(scheme: str) -> np.ndarray:
    """(230,) class of each space group, both counted from 0."""
    return Labels(scheme).of(np.arange(1, 231))


def _commonest(groups: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """(n_classes,) the commonest of ``groups`` (n,), numbers from 1, in each class; counted from 0, the lowest of
    equally common ones, -1 for a class that does not occur."""
    counts = np.bincount(np.asarray(groups) - 1, minlength=230)
    order = np.lexsort((np.arange(230), -counts))
    found = np.full(classes.max() + 1, -1)
    for group in order[::-1]:
        if counts[group]:
            found[classes[group]] = group
    return found
