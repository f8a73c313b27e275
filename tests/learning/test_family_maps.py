"""Families put in and taken away, and their maps: cubic cells with known lines, and networks that read one line."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.lattice_lines import distance_to, lattice_lines, widths
from paperlib.diffraction.reflections import powder_reflections
from paperlib.learning.attribution import attribute
from paperlib.learning.family_effects import LogOdds, experiment, log_odds, mean_gradients
from paperlib.learning.family_maps import (
    EFFECTS,
    FEWEST,
    completeness,
    in_turn,
    label_table,
    labelled,
    mean_map,
    stored,
)
from paperlib.learning.family_stage import family_effects, kept_effects
from paperlib.learning.family_trials import HIGHEST, allowed_trials, forbidden_trials
from paperlib.learning.family_values import (
    LOWEST,
    agreement_values,
    angle_values,
    deciding_values,
    effect_values,
    place_values,
    with_intervals,
)
from paperlib.learning.map_judgement import PUT_IN, baselines
from paperlib.learning.trial_worlds import TrialWorld
from paperlib.symmetry.reflection_families import is_forbidden

from .problems import tiny_model

INSTRUMENT = Instrument(n_points=1000)
A = 5.64
DIAMOND = [(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)]
SITES = {
    227: [*DIAMOND, *[tuple(np.add(site, 0.25)) for site in DIAMOND]],
    225: DIAMOND,
    229: [(0, 0, 0), (0.5, 0.5, 0.5)],
    221: [(0, 0, 0)],
}


def cubes(*numbers, edge=A):
    """Carbon in the diamond structure (origin at a site), or copper on the points of the lattice."""
    sites = [SITES[n] for n in numbers]
    return CrystalSet(
        cell=np.array([[edge + 0.1 * i] * 3 + [90.0] * 3 for i in range(len(numbers))]),
        space_group=np.array(numbers, dtype=np.int16),
        standard=np.ones(len(numbers), dtype=bool),
        site_start=np.cumsum([0, *map(len, sites)]),
        frac=np.array([site for own in sites for site in own], dtype=float),
        species=np.full(sum(map(len, sites)), 29, dtype=np.int16),
        occupancy=np.ones(sum(map(len, sites))),
        b_iso=np.zeros(sum(map(len, sites))),
        formula=np.array(["Cu"] * len(numbers)),
        source_id=np.array([f"made-{i}" for i in range(len(numbers))]),
    )


def bragg(hkl, edge=A):
    return 2 * np.degrees(np.arcsin(INSTRUMENT.wavelength * np.sqrt((np.array(hkl) ** 2).sum(-1)) / (2 * edge)))


def names(made, crystal=0):
    rows = made.families[made.families["crystal"] == crystal]
    return [tuple(row) for row in rows[["h", "k", "l"]].to_numpy().tolist()]


class Reads(nn.Module):
    """Two classes; the logit of the first is a sum over points with given weights, that of the second 0."""

    n_classes, n_points = 2, 1000

    def __init__(self, weights):
        super().__init__()
        self.weights = nn.Parameter(torch.as_tensor(weights, dtype=torch.float32))

    def forward(self, x):
        z = x @ self.weights
        return torch.stack([z, torch.zeros_like(z)], 1)


@pytest.fixture(scope="module")
def crystals():
    return cubes(225, 227, 229, 221)


@pytest.fixture(scope="module")
def world(crystals):
    return TrialWorld(crystals, INSTRUMENT)


def test_an_f_lattice_shows_unmixed_indices_and_the_others_are_put_in(crystals):
    allowed, (there, _) = allowed_trials(crystals, INSTRUMENT, 99), forbidden_trials(crystals, INSTRUMENT, 99)
    assert names(allowed)[:5] == [(1, 1, 1), (2, 0, 0), (2, 2, 0), (3, 1, 1), (2, 2, 2)]
    assert names(there)[:4] == [(1, 0, 0), (1, 1, 0), (2, 1, 0), (2, 1, 1)]
    assert {(3, 0, 0), (2, 2, 1)} <= set(names(there)), "two families at one place, one experiment"
    both = there.families[(there.families["crystal"] == 0) & (there.families[["h", "k", "l"]] ** 2).sum(axis=1).eq(9)]
    assert len(both) == 2 and both["trial"].nunique() == 1
    assert set(there.families.loc[there.families["crystal"] == 0, "kind"]) == {"centring"}
    assert not set(names(allowed)) & set(names(there))
    for made, wanted in ((allowed, False), (there, True)):
        for crystal, number in enumerate(crystals.space_group):
            hkl = np.array(names(made, crystal)).reshape(-1, 3)
            assert (is_forbidden(int(number), hkl) == wanted).all() and np.abs(hkl).max(initial=0) <= HIGHEST
    assert names(there, 3) == [], "a primitive lattice forbids nothing"


def test_the_d_glide_forbids_200_and_its_rows_say_glide(crystals):
    families = forbidden_trials(crystals, INSTRUMENT, 99)[0].families
    rows = families[families["crystal"] == 1].set_index(["h", "k", "l"])
    assert rows.loc[(2, 0, 0), "kind"] == rows.loc[(4, 2, 0), "kind"] == "glide"
    assert rows.loc[(1, 0, 0), "kind"] == "centring"


def test_lines_go_to_braggs_angle_and_as_a_control_off_the_lattice(crystals):
    there, moved = forbidden_trials(crystals, INSTRUMENT, 5)
    assert there.families.groupby("crystal")["trial"].nunique().max() == 5
    first = there.trials.two_theta[there.trials.table["crystal"].to_numpy() == 0]
    np.testing.assert_allclose(first[:2], bragg([[1, 0, 0], [1, 1, 0]]), atol=1e-9)
    pd.testing.assert_frame_equal(there.families, moved.families)
    lattice = lattice_lines(crystals, INSTRUMENT)
    for crystal, place in zip(moved.trials.table["crystal"], moved.trials.two_theta, strict=True):
        near = distance_to(np.array([place]), lattice.two_theta[lattice.of(crystal)])
        assert near > 1.5 * widths(INSTRUMENT, np.array([place]))


def test_taken_away_a_family_is_gone_and_the_one_at_its_place_stays():
    """333 and 511 fall together in a cubic cell; 511 has an index beyond the box, 333 is taken away alone."""
    crystals = cubes(225, edge=6.5)
    world = TrialWorld(crystals, INSTRUMENT)
    allowed = allowed_trials(crystals, INSTRUMENT, 99)
    lines = powder_reflections(crystals[[0]], INSTRUMENT)
    strongest = float(lines.intensity.max())
    rows = allowed.families[allowed.families["crystal"] == 0].set_index(["h", "k", "l"])
    for hkl, trial in rows["trial"].items():
        fixed, changed = world.parts(allowed.trials, np.array([trial]))
        here = (torch.as_tensor(lines.hkl).abs().sort(1, descending=True)[0] == torch.tensor(hkl)).all(1)
        assert rows.loc[hkl, "height"] == pytest.approx(float(lines.intensity[here].sum()) / strongest)
        torch.testing.assert_close(fixed + changed, world.base[[0]], atol=1e-12, rtol=0)
    at = round((bragg([3, 3, 3], 6.5) - 5) / INSTRUMENT.step)
    fixed, _ = world.parts(allowed.trials, np.array([rows.loc[(3, 3, 3), "trial"]]))
    assert 0.3 < float(fixed[0, at] / world.base[0, at]) < 0.95, "511 is left"


def test_log_odds_are_those_of_the_softmax_even_next_to_certainty():
    model, x = tiny_model(5, n_points=160), torch.rand(7, 160)
    model.eval()
    p = model(x).double().softmax(1).detach().numpy()
    targets = np.array([0, 1, 2, 3, 4, 0, 4])
    own = p[np.arange(7), targets]
    np.testing.assert_allclose(log_odds(model, x, targets), np.log(own / (1 - own)), atol=1e-5)
    scores = LogOdds(model)(x)
    np.testing.assert_allclose(scores[:, :5].detach().numpy(), np.log(p / (1 - p)), atol=1e-4)
    np.testing.assert_allclose(scores.mean(1).detach().numpy(), 0, atol=1e-6)
    sure = Reads(np.ones(1000))
    np.testing.assert_allclose(log_odds(sure, torch.ones(1, 1000), np.array([0])), 1000.0)
    np.testing.assert_allclose(LogOdds(sure)(torch.ones(1, 1000)).detach().numpy(), [[1000, -1000, -1000, 1000]])


def test_gradients_of_log_odds_are_autograds_own():
    model, x = tiny_model(4, n_points=160).eval(), torch.rand(3, 160, requires_grad=True)
    (one,) = torch.autograd.grad(LogOdds(model)(x)[:, 2].sum(), x)
    logits = model(x)
    direct = logits[:, 2] - logits[:, [0, 1, 3]].logsumexp(1)
    (other,) = torch.autograd.grad(direct.sum(), x)
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_a_network_that_reads_111_hears_of_111_alone(crystals, world):
    """Weights on the points of one line: taken away it costs what the pattern has there, all others nothing."""
    grid = INSTRUMENT.grid()
    weights = np.where(np.abs(grid - bragg([1, 1, 1])) < 0.3, 1.0, 0.0)
    model, targets = Reads(weights), np.zeros(len(crystals), dtype=np.int64)
    allowed = allowed_trials(crystals, INSTRUMENT, 20)
    gradients, _ = mean_gradients(model, world, targets, baselines(world), tolerance=0.01, max_steps=64)
    given = {f"ig_{name}": values for name, values in gradients.items()}
    found = experiment({"m": model}, {"m": targets}, world, allowed, given)
    pattern = world.patterns()[0].numpy()
    rows = allowed.families[allowed.families["crystal"] == 0].set_index(["h", "k", "l"])["trial"]
    there = float(pattern @ weights)
    # 111 is the strongest line: where it is gone the others become higher, but the network does not see them
    for name in ("m", "ig_zero", "ig_background"):
        assert found[name][rows[(1, 1, 1)]] == pytest.approx(there, rel=1e-4)
        assert np.abs(found[name][rows.drop((1, 1, 1))]).max() < 1e-6
    assert np.abs(found["ig_filled"]).max() < 1e-6, "allowed families are there at both ends of the way"
    # positive weights make a line that is put in welcome, negative ones speak against it
    for sign in (1, -1):
        model = Reads(sign * np.where(np.abs(grid - bragg([1, 1, 0])) < 0.3, 1.0, 0.0))
        gradients, _ = mean_gradients(model, world, targets, baselines(world), tolerance=0.01, max_steps=64)
        there_in, beside = forbidden_trials(crystals, INSTRUMENT, 20)
        found = experiment({"m": model}, {"m": targets}, world, there_in, {"ig": gradients["filled"]})
        rows = there_in.families[there_in.families["crystal"] == 0].set_index(["h", "k", "l"])["trial"]
        area = PUT_IN * float(widths(INSTRUMENT, bragg([[1, 1, 0]]))[0]) * np.sqrt(np.pi / np.log(2)) / 2
        for effect in ("m", "ig"):
            assert found[effect][rows[(1, 1, 0)]] == pytest.approx(sign * area / INSTRUMENT.step, rel=0.05)
            assert np.abs(found[effect][rows[(1, 0, 0)]]) < 1e-6
        off = experiment({"m": model}, {"m": targets}, world, beside)["m"]
        assert np.abs(off[rows[(1, 0, 0)]]) < 1e-3


def test_the_parts_of_all_families_add_up_to_the_difference_in_log_odds():
    """All lines of these small cells have indices within the box: nothing is left over."""
    crystals = cubes(225, 229, 221, edge=3.0)
    world, model = TrialWorld(crystals, INSTRUMENT), tiny_model(3, n_points=1000).eval()
    targets = np.array([0, 1, 2])
    allowed = allowed_trials(crystals, INSTRUMENT, 99)
    gradients, maps = mean_gradients(model, world, targets, baselines(world), tolerance=0.01, max_steps=256)
    found = experiment({}, {}, world, allowed, gradients)
    crystal = allowed.trials.table["crystal"].to_numpy()
    np.testing.assert_allclose(
        np.bincount(crystal, found["zero"]), maps["zero"].maps.sum(1), rtol=1e-3, atol=1e-4 * len(crystal)
    )
    # from a flat background the rest is what the background gets
    background = (baselines(world)["background"].numpy() * gradients["background"]).sum(1)
    np.testing.assert_allclose(
        np.bincount(crystal, found["background"]) - background, maps["background"].maps.sum(1), rtol=1e-3, atol=1e-3
    )
    direct = attribute(LogOdds(model), world.patterns(), targets, tolerance=0.01, max_steps=256)
    np.testing.assert_allclose(direct.score_difference, maps["zero"].score_difference, atol=1e-5)


@pytest.fixture(scope="module")
def effects(crystals, world):
    models = {"class": tiny_model(3, n_points=1000), "class_random": tiny_model(3, seed=1, n_points=1000)}
    targets = dict.fromkeys(models, np.array([0, 1, 2, 0]))
    return family_effects(models, targets, world, np.array([0, 2]), most=8, tolerance=0.05, max_steps=32)


def test_every_family_has_the_effects_of_its_kind(effects):
    table, errors = effects
    for name in ("class", "class_random"):
        allowed, forbidden = table[table["allowed"]], table[~table["allowed"]]
        assert allowed[f"{name}_deletion"].notna().all() and allowed[f"{name}_insertion"].isna().all()
        assert forbidden[[f"{name}_insertion", f"{name}_moved"]].notna().all(axis=None)
        assert forbidden[f"{name}_deletion"].isna().all()
        mapped = allowed["crystal"].isin([0, 2])
        assert (allowed[f"{name}_ig_zero"].notna() == mapped).all()
        assert (forbidden[f"{name}_ig_filled"].notna() == forbidden["crystal"].isin([0, 2])).all()
    told = completeness(errors).set_index("map")
    assert len(told) == 6 and (told["n"] == 2).all()
    rows = errors[errors["map"] == "class_ig_zero"]
    assert rows["crystal"].tolist() == [0, 2]
    assert told.loc["class_ig_zero", "worst"] == rows["delta"].max()
    assert told.loc["class_ig_zero", "within"] == (rows["delta"] <= 0.05 * rows["score_difference"].abs()).mean()


def test_kept_effects_are_those_that_were_computed(effects, crystals, tmp_path, monkeypatch):
    """In blocks of crystals: one with a mapped crystal, one without, whose lines still have their experiments."""
    monkeypatch.setattr("paperlib.lab.paths.stages", lambda: tmp_path)
    monkeypatch.setattr("paperlib.learning.family_stage._BLOCK", 3)
    models = {"class": tiny_model(3, n_points=1000), "class_random": tiny_model(3, seed=1, n_points=1000)}
    targets = dict.fromkeys(models, np.array([0, 1, 2, 0]))
    asked = (models, targets, crystals, INSTRUMENT, np.array([0, 2]))
    numbers = {"most": 8, "tolerance": 0.05, "max_steps": 32}
    made = kept_effects(*asked, **numbers)
    whole = effects[0].sort_values(["crystal", "allowed", "h", "k", "l"], ignore_index=True)
    blocks = made[0].sort_values(["crystal", "allowed", "h", "k", "l"], ignore_index=True)
    pd.testing.assert_frame_equal(whole.drop(columns=["class_moved", "class_random_moved"]),
                                  blocks.drop(columns=["class_moved", "class_random_moved"]),
                                  check_dtype=False, atol=1e-3)  # fmt: skip
    monkeypatch.setattr("paperlib.learning.family_stage.family_effects", lambda *_: pytest.fail("made again"))
    again = kept_effects(*asked, **numbers)
    for one, other in zip(made, again, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_maps_are_means_by_class_in_its_setting(effects, crystals):
    table = labelled(effects[0], "class", crystals.space_group, np.array([7, 7, 8, 7]), "published")
    means = mean_map(table).set_index(["label", "h", "k", "l"])
    rows = table[(table["label"] == 7) & (table[["h", "k", "l"]] == 1).all(axis=1)]
    assert rows["rank"].tolist() == [0, 0, 2], "111 is the first line of F, and the third of P"
    assert len(rows) == 3 and means.loc[(7, 1, 1, 1), "n"] == 3 and means.loc[(7, 1, 1, 1), "n_ig"] == 1
    assert means.loc[(7, 1, 1, 1), "deletion"] == pytest.approx(rows["deletion"].mean())
    assert means.loc[(7, 1, 1, 1), "error"] == pytest.approx(rows["deletion"].std() / np.sqrt(3))
    arrays = stored(mean_map(table))
    assert arrays["hkl"].dtype == np.int8 and len({len(a) for a in arrays.values()}) == 1
    assert {*EFFECTS, "error", "n", "n_ig", "allowed", "height", "label"} <= arrays.keys()


def test_orthorhombic_families_are_turned_into_the_setting_of_their_class():
    """h0l of Pma2 (28) is h0l: h = 2n; in the setting of its class, Pmc21 (26), l = 2n."""
    row = {"crystal": [0], "h": [1], "k": [0], "l": [2], "height": 0.0, "kind": "glide", "deciding": False}
    table = pd.DataFrame(row).assign(allowed=False, **{f"m{e}_{x}": 1.0 for e in ("", "_random") for x in EFFECTS})
    turned = labelled(table, "m", np.array([28]), np.array([3]), "published")
    assert turned[["h", "k", "l"]].to_numpy().tolist() == [[2, 0, 1]]
    assert labelled(table, "m", np.array([28]), np.array([28]), "")[["h", "k", "l"]].to_numpy().tolist() == [[1, 0, 2]]


def test_labels_are_taken_in_turn_and_told_with_their_crystals():
    label = np.array([4, 4, 4, 9, 2, 2])
    assert in_turn(label, 3).tolist() == [0, 3, 4] and in_turn(label, 4).tolist() == [0, 1, 3, 4]
    table = label_table(list("abcdefghij"), range(10, 20), label, np.array([1, 0, 1, 1, 0, 0], dtype=bool))
    assert table.to_dict("list") == {
        "label": [2, 4, 9],
        "symbol": ["c", "e", "j"],
        "space_group": [12, 14, 19],
        "crystals": [2, 3, 1],
        "right": [0, 2, 1],
    }


def made_up(n_crystals=6, labels=2):
    """A labelled table in which allowed families say +1 (deciding ones +3), forbidden ones -2 and off the lattice -0.5,
    and random weights nothing but alternating signs."""
    rows = []
    for crystal in range(n_crystals * labels):
        for j in range(8):
            allowed, sign = j < 4, (-1) ** (j + crystal)
            row = {"crystal": crystal, "label": crystal % labels, "h": j, "k": 0, "l": 0, "height": 0.5}
            row |= {
                "rank": j % 4 + 3,
                "allowed": allowed,
                "kind": "" if allowed else "screw",
                "deciding": allowed and j < 2,
            }
            own = {"deletion": 3.0 if j < 2 else 1.0, "ig_zero": 1.0 + j, "ig_background": -1.0}
            own = own if allowed else {"insertion": -2.0 - j, "moved": -0.5, "ig_filled": -1.0 - j}
            row |= own | {f"{name}_random": 0.01 * sign for name in own}
            rows.append(row)
    effects = [*EFFECTS, *(f"{name}_random" for name in EFFECTS)]
    return pd.DataFrame(rows).reindex(columns=[*rows[0].keys() - set(effects), *effects])


def test_values_tell_means_shares_classes_and_differences():
    table = made_up()
    values = with_intervals(effect_values(table))
    assert values["deletion"].value == 2.0 and values["deletion"].n == 12 and values["deletion"].kind == "number"
    assert values["deletion_share"].value == 1.0 and values["deletion_share_random"].value == 0.5
    assert values["ig_background_share"].value == 0.0, "a map that says the opposite is seen to"
    assert values["insertion_share"].value == 1.0 and values["insertion_classes"].n == 2
    assert values["insertion_share_difference"].value == 0.5
    assert values["deletion_difference"].value == pytest.approx(2.0)
    place = with_intervals(place_values(table))
    assert place["place_all"].value == place["place_screw"].value == pytest.approx(-7.0)
    assert "place_glide" not in place
    angle = with_intervals(angle_values(table))
    assert LOWEST == 4 and (angle["insertion_low"].value, angle["insertion_high"].value) == (-6.0, -8.0)
    assert (angle["insertion_fall"].value, angle["deletion_fall"].value) == (2.0, pytest.approx(3.0 - 5 / 3))
    assert angle["place_low"].value == -5.5 and abs(angle["deletion_fall_random"].value) < 0.02
    deciding = with_intervals(deciding_values(table))
    assert (deciding["deletion_deciding"].value, deciding["deciding_difference"].value) == (3.0, 2.0)
    assert deciding["deciding_matched"].value == 2.0 and deciding["deciding_matched"].n == 12
    apart = table.assign(height=np.where(table["deciding"], 0.5, 0.5 / 3.1))
    assert "deciding_matched" not in with_intervals(deciding_values(apart)), "lines of another height are no control"
    apart = table.assign(rank=np.where(table["deciding"], 0, 4))
    assert "deciding_matched" not in with_intervals(deciding_values(apart)), "nor are lines at other angles"


def test_too_few_crystals_make_no_class_and_too_few_families_no_correlation():
    table = made_up(n_crystals=FEWEST - 1)
    values = with_intervals(effect_values(table))
    assert "insertion_classes" not in values and "insertion" in values
    assert with_intervals(agreement_values(mean_map(table))) == {}
    assert with_intervals(agreement_values(mean_map(made_up()))) == {}, "four families of a kind"
    many = pd.concat([made_up().assign(k=k, insertion=-2.0 - k, ig_filled=-1.0 - k) for k in range(3)])
    many.loc[many["allowed"], ["insertion", "ig_filled"]] = np.nan
    assert with_intervals(agreement_values(mean_map(many)))["agree_ig_filled"].value == pytest.approx(1.0)
