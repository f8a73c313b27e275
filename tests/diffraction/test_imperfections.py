import pytest

from paperlib.diffraction.imperfections import Imperfections


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"zero_shift": (0.1, -0.1)}, r"zero_shift is \(0.1, -0.1\) degrees 2θ; .*the lower first"),
        ({"zero_shift": (-0.1, float("nan"))}, "zero_shift is .* finite numbers"),
        ({"zero_shift": 5}, r"zero_shift is \(5, 5\) degrees 2θ; it must lie between -2 and 2"),
        ({"displacement": "0.1"}, r"displacement is '0.1'; give a number or \(low, high\) in mm"),
        ({"displacement": (0, 0.1, 0.2)}, "displacement is .* mm"),
        ({"displacement": 150}, "displacement is .* mm; it must lie between -5 and 5"),
        ({"goniometer_radius": 0.2}, "goniometer_radius is 0.2 mm; give 10 to 10000 mm"),
        ({"texture": 0}, "texture is .* must lie between 0.05 and 20, e.g. .* or 1 for none"),
        ({"texture": 0.5, "texture_axis": (0, 0, 0)}, "texture_axis is .* not all 0"),
        ({"texture_axis": (0.5, 0, 1)}, "texture_axis"),
        ({"crystallite_size": (0, 100)}, "crystallite_size is .* nm; it must lie between 1 and"),
        ({"microstrain": 0.1}, "microstrain is .*0.001 is 0.1 %"),
        ({"background": -0.1}, "background is .* of the strongest point"),
        ({"background_order": 2.5}, "background_order is 2.5"),
        ({"background_variation": (0, 2)}, "background_variation"),
        ({"hump": 0.1, "hump_width": 0}, "hump_width is .* degrees 2θ; it must lie between 1 and 90"),
        ({"second_phase": 0.1}, "second_phase .* give a CrystalSet as impurities"),
        ({"second_phase": 1.0}, "second_phase is .* 0.99"),
        ({"counts": (0, 1000)}, "counts is .* between 10 and"),
        ({"counts": True}, "counts is True"),
        ({"detector_end": 200}, "detector_end is .* degrees 2θ"),
    ],
)
def test_impossible_ranges_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Imperfections(**wrong)


def test_an_empty_pool_is_no_pool(build, halite):
    with pytest.raises(ValueError, match="nothing to take it from"):
        Imperfections(second_phase=0.1, impurities=build(halite)[0:0])
