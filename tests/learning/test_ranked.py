"""The small form of predictions: what it keeps is what the probabilities say."""

import numpy as np
import pytest

from paperlib.datasets.labels import Labels
from paperlib.lab.metrics import ranks
from paperlib.learning.ranked import load_ranked, ranked, ranked_in, save_ranked


def _log_p(n, n_classes, seed=0):
    return np.log(np.random.default_rng(seed).dirichlet(np.full(n_classes, 0.1), n) + 1e-30)


def test_rank_probability_and_the_best_five_by_hand():
    p = np.array([[0.1, 0.5, 0.2, 0.05, 1e-9, 0.15], [1 / 6] * 6])
    made = ranked(np.log(p), np.array([2, 4]))
    assert made.rank.tolist() == [1, 4], "equal probabilities go by class index"
    assert np.allclose(np.exp(made.log_p), [0.2, 1 / 6])
    assert made.top.tolist() == [[1, 2, 5, 0, 3], [0, 1, 2, 3, 4]]
    assert np.allclose(np.exp(made.top_log_p.astype(float)[0]), [0.5, 0.2, 0.15, 0.1, 0.05], rtol=2e-3)
    assert [made.hit(k).tolist() for k in (1, 2, 5)] == [[0, 0], [1, 0], [1, 1]] and len(made) == 2


def test_the_rank_is_where_the_target_stands_among_the_best():
    target = np.arange(50) % 97
    made = ranked(_log_p(50, 97), target)
    assert made.rank.tolist() == ranks(_log_p(50, 97), target).tolist()
    for row in range(50):
        place = np.flatnonzero(made.top[row] == target[row])
        assert place.tolist() == ([made.rank[row]] if made.rank[row] < 5 else [])


def test_coarser_spaces_sum_the_probabilities_of_their_members():
    space_group, log_p = np.random.default_rng(1).integers(1, 231, 30), _log_p(30, 230)
    log_p -= np.log(np.exp(log_p).sum(1, keepdims=True))
    made = ranked_in(log_p, Labels("space_group"), space_group, ("space_group", "published"))
    assert list(made) == ["space_group", "published"]
    coarse = Labels("published")
    of_each = coarse.of(np.arange(1, 231))
    summed = np.stack([np.exp(log_p)[:, of_each == c].sum(1) for c in range(len(coarse))], axis=1)
    target = coarse.of(space_group)
    assert made["published"].target.tolist() == target.tolist()
    assert np.allclose(np.exp(made["published"].log_p), summed[np.arange(30), target], rtol=1e-5, atol=1e-12)
    with pytest.raises(ValueError, match="would have to be cut"):
        ranked_in(_log_p(1, 97), Labels("absences"), np.array([1]), ("space_group",))


def test_what_is_loaded_is_what_was_saved(tmp_path):
    answers = {space: ranked(_log_p(9, n), np.arange(9)) for space, n in (("space_group", 230), ("absences", 97))}
    save_ranked(tmp_path / "answers.npz", answers)
    read = load_ranked(tmp_path / "answers.npz")
    assert list(read) == list(answers)
    for space, of_space in answers.items():
        for name, values in vars(of_space).items():
            there = getattr(read[space], name)
            assert np.array_equal(there, values) and there.dtype == values.dtype
    assert (tmp_path / "answers.npz").stat().st_size < 5000


def test_a_file_that_holds_something_else_is_named(tmp_path):
    np.savez(tmp_path / "other.npz", rank=np.arange(3))
    with pytest.raises(ValueError, match=r"other\.npz does not hold answers .*delete it"):
        load_ranked(tmp_path / "other.npz")
    with pytest.raises(FileNotFoundError):
        load_ranked(tmp_path / "none.npz")
