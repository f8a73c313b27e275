import importlib.util

import numpy as np
import torch

from paperlib.diffraction.mixture import balanced_mixture
from paperlib.diffraction.peers.speed import speed_table


def test_the_table_compares_like_with_like():
    crystals = balanced_mixture(1)[:6]
    before = torch.get_num_threads()
    table = speed_table(crystals, rounds=1)
    assert torch.get_num_threads() == before
    assert table.program.iloc[0] == "pymatgen" and table.ratio.iloc[0] == 1.0
    assert ("xrd-rust" in set(table.program)) == (importlib.util.find_spec("xrd_rust_calculator") is not None)
    np.testing.assert_allclose(table.ratio, table.per_second / table.per_second.iloc[0])
    tasks = table[table.program == "paperlib"].groupby("threads").task.agg(list)
    assert all(len(names) == 5 for names in tasks) and 1 in tasks.index


def test_peers_can_be_left_out():
    table = speed_table(balanced_mixture(1)[:3], rounds=1, peers=False)
    assert set(table.program) == {"paperlib"} and table.ratio.isna().all()
