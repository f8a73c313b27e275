"""Few crystals are no training set, and the message says what to do instead."""

import numpy as np
import pytest

from paperlib.datasets.training_size import LEAST, require_training_set


def test_enough_crystals_of_two_classes_pass():
    require_training_set(np.repeat([225, 62], LEAST // 2), "published", "prototypes")


def test_five_crystals_are_refused_with_the_offer():
    with pytest.raises(ValueError, match=r"my cifs holds 5 crystals of 3 classes.* paperlib classify '/tmp/my cifs'"):
        require_training_set(np.array([225, 216, 62, 14, 14]), "published", "/tmp/my cifs")


def test_one_class_is_nothing_to_tell_apart():
    # Fm-3m and F-43m share their absences
    with pytest.raises(ValueError, match=f"{LEAST} crystals of 1 class, which"):
        require_training_set(np.repeat([225, 216], LEAST // 2), "published", "x")
    require_training_set(np.repeat([225, 216], LEAST // 2), "space_group", "x")
