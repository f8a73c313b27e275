"""The table of results in README.md, written from the published results and never by hand."""

from __future__ import annotations

from pathlib import Path

from paperlib.lab.results import Results, Value
from paperlib.lab.store import write_text
from paperlib.reporting.formats import format_value

BEGIN, END = "<!-- results: written by `make figures`, do not edit -->", "<!-- end of results -->"

ROWS = (
    ("Extinction classes of the 230 space groups: absences only, as published, by crystal system",
     ("01_extinction_groups/n_classes_absences", "01_extinction_groups/n_classes_published",
      "01_extinction_groups/n_classes_crystal_system")),
    ("Ceiling of a 230-class model on balanced data, top-1/3/5 (%, 99 classes)",
     tuple(f"01_extinction_groups/ceiling_published_top{k}" for k in (1, 3, 5))),
    ("Line intensities against pymatgen, largest R (%): with its form factors; with ours",
     ("02_simulator/max_r_their_f0", "02_simulator/max_r_ours")),
    ("Structures read; share of the ten largest space groups (%)",
     ("03_databases/n_kept", "03_databases/top_ten_share")),
    ("Entries of a database and its computer-doped derivative; groups left by formula and space group within 2 %, "
     "without tolerance, by pattern",
     ("04_duplicates/n_entries", "04_duplicates/formula_near_group_groups", "04_duplicates/formula_group_groups",
      "04_duplicates/pattern_groups")),
    ("… pairs of variants of one parent found (%): by similar patterns; by the talk's rule",
     ("04_duplicates/parents_pattern_doped_recall", "04_duplicates/parents_formula_group_recall")),
    ("… pairs of determinations of one crystal found (%): by StructureMatcher; by cell and pattern",
     ("04_duplicates/determinations_structure_recall", "04_duplicates/determinations_pattern_recall")),
    ("… doped entries whose space group cannot be right, at least (%)",
     ("04_duplicates/noise_surely_wrong_share",)),
    ("Random crystals with the space group of their label (%): PyXtal; ours",
     ("05_random_crystals/pyxtal_group_fine_share", "05_random_crystals/ours_group_fine_share")),
    ("… with its extinction class (%): PyXtal; ours",
     ("05_random_crystals/pyxtal_class_fine_share", "05_random_crystals/ours_class_fine_share")),
    ("… random crystals per second on one core; times as many as PyXtal",
     ("05_random_crystals/ours_per_second", "05_random_crystals/speed_ratio")),
    ("Training and test patterns", ("06_labels/n_train", "06_labels/n_test")),
    ("Extinction group, top-1 (%): trained on extinction groups", ("06_labels/direct_top1",)),
    ("… trained on space groups, probabilities summed", ("06_labels/summed_top1",)),
    ("… class frequencies alone, no pattern read", ("06_labels/frequency_top1",)),
    ("… difference between the two trainings, paired (points)", ("06_labels/difference_real_top1",)),
    ("Space group, top-1 (%): trained on space groups", ("06_labels/sg_top1",)),
    ("Extinction group, top-1 (%): with duplicates, random split; without, leak-free",
     ("07_duplicate_effect/before_top1", "07_duplicate_effect/after_top1")),
    ("… of the difference: fewer entries; no copies of test crystals (points)",
     ("07_duplicate_effect/effect_less_data_top1", "07_duplicate_effect/effect_memory_top1")),
    ("Extinction group of random crystals, top-1 (%), training → test: balanced → balanced; biased → biased; biased → "
     "balanced; balanced → biased",
     ("08_bias/balanced_middle_on_balanced_top1", "08_bias/random_histogram_on_histogram_top1",
      "08_bias/random_histogram_on_balanced_top1", "08_bias/balanced_middle_on_histogram_top1")),
    ("… of real crystals of new structure types: trained on real crystals; on the largest balanced set",
     ("08_bias/real_on_real_top1", "08_bias/balanced_large_on_real_top1")),
    ("… what PyXtal's wrong labels change on balanced crystals (points)", ("08_bias/labels_balanced_top1",)),
    ("New structure types, top-1 (%), trained on clean patterns: clean; noise of 0.01 % of the maximum",
     ("10_resolution/layer_clean_clean_top1", "10_resolution/layer_clean_noise_4_top1")),
    ("… trained with imperfections, imperfections drawn: published network; with BatchNorm; with positions kept",
     ("10_resolution/layer_drawn_drawn_top1", "10_resolution/batch_drawn_drawn_top1",
      "10_resolution/position_drawn_drawn_top1")),
    ("Reflection data, 99 extinction groups, top-1 (%): published ResNet, fewest and most patterns",
     ("09_scaling/resnet_fewest_top1", "09_scaling/resnet_most_top1")),
    ("… one that keeps positions, fewest and most patterns",
     ("09_scaling/position_resnet_fewest_top1", "09_scaling/position_resnet_most_top1")),
    ("… at equal parameters and patterns, positions kept less published (points)", ("11_architectures/all_top1",)),
    ("… our best network; a rival that is given the cell; ceiling",
     ("11_architectures/best_top1", "11_architectures/oracle_top1", "11_architectures/ceiling_top1")),
    ("Measured patterns (RRUFF), extinction group, top-1 (%): class frequencies; trained on simulated patterns; on "
     "measured ones; on both",
     ("13_measured/measured_frequencies_eg_on_measured_top1", "13_measured/both_worlds_eg_on_measured_top1",
      "13_measured/measured_alone_eg_on_measured_top1", "13_measured/fine_tuned_eg_on_measured_top1")),
    ("… nine trainings on simulated patterns together, with the class frequencies of other measured ones: top-1; top-5",
     ("13_measured/step_both_worlds_together_frequencies_eg_top1",
      "13_measured/step_both_worlds_together_frequencies_eg_top5")),
    ("… space group, trained on both: top-1; top-5",
     ("13_measured/fine_tuned_sg_on_measured_top1", "13_measured/fine_tuned_sg_on_measured_top5")),
    ("Integrated gradients whose sum is right within 1 % (%)", ("12_interpretability/share_within",)),
    ("… their share on reflections, trained less random weights (points)",
     ("12_interpretability/allowed_difference_ig_zero",)),
    ("Probability of a class read right (%): as it is; with four faint lines that it forbids; these off the lattice",
     ("12_interpretability/before_all", "12_interpretability/own_lattice_all", "12_interpretability/own_moved_all")),
    ("… without the lines that a stricter class forbids; without as many others",
     ("12_interpretability/deleted_own_deciding", "12_interpretability/deleted_own_others")),
    ("Log-odds of the class: one faint line put in that it forbids; the same off the lattice; the former with random "
     "weights",
     ("16_maps/class_insertion", "16_maps/class_moved", "16_maps/class_insertion_random")),
    ("… lost with a line that a stricter class forbids; with another one; the difference for lines alike",
     ("16_maps/class_deletion_deciding", "16_maps/class_deletion_others", "16_maps/class_deciding_matched")),
    ("… lost with one of the four lowest lines; with a higher one",
     ("16_maps/class_deletion_low", "16_maps/class_deletion_high")),
    ("The same crystals of new structure types, top-1 (%), each by a network of its own: X-rays; neutrons",
     ("15_neutrons/xray_on_xray_top1", "15_neutrons/neutron_on_neutron_top1")),
    ("… by one network trained on both: X-rays; neutrons",
     ("15_neutrons/both_on_xray_top1", "15_neutrons/both_on_neutron_top1")),
    ("… by the network of the other radiation: X-rays; neutrons",
     ("15_neutrons/neutron_on_xray_top1", "15_neutrons/xray_on_neutron_top1")),
    ("… patterns by CrysFML instead of ours, paired (points): X-rays; neutrons",
     ("15_neutrons/program_xray_xray", "15_neutrons/program_neutron_neutron")),
    ("Group right once its extinction group is known (%): network; commonest group of the class",
     ("17_groups_apart/in_class_test", "17_groups_apart/in_class_commonest")),
    ("… changed by heights handed round; by cells a tenth larger or smaller (points)",
     ("17_groups_apart/change_in_class_permuted", "17_groups_apart/change_in_class_rescaled")),
    ("… above the commonest group (points): structure type not in training; ten or more crystals of it there",
     ("17_groups_apart/type_0_gain_test", "17_groups_apart/type_3_gain_test")),
    ("Wrong space groups that are one maximal subgroup away from the truth (%): network; draws from class frequencies",
     ("17_groups_apart/space_group_network_one_edge", "17_groups_apart/space_group_draws_one_edge")),
)  # fmt: skip
"""What the README shows: a text and the keys of its values."""


def results_block(results: Results) -> str:
    """The table in Markdown, with the profile and the notebook behind every row."""
    lines = ["| result | value [95 % interval] | made by |", "|---|---|---|"]
    for text, keys in ROWS:
        stem = keys[0].partition("/")[0]
        numbers = "; ".join(_plain(results.value(key)) for key in keys)
        executed = f"[`{stem}`](notebooks/executed/{stem}.ipynb), {results.origin(stem)}"
        lines.append(f"| {text} | {numbers} | {executed} |")
    return "\n".join(lines)


def _plain(value: Value) -> str:
    text = format_value(value)
    for tex, plain in (("$-$", "−"), (r"\,", "\u202f"), (r"\times10^{", " × 10^"), ("}$", ""), ("$", "")):
        text = text.replace(tex, plain)
    return text


def write_block(path: Path, results: Results) -> bool:
    """Put the table between the markers of a README; return whether that changed anything.

    Raises ValueError where the markers are missing.
    """
    text = path.read_text(encoding="utf-8")
    head, found, rest = text.partition(BEGIN)
    _, closed, tail = rest.partition(END)
    if not (found and closed):
        raise ValueError(f"{path} must hold the lines {BEGIN!r} and {END!r}; the table of results goes between them")
    new = f"{head}{BEGIN}\n{results_block(results)}\n{END}{tail}"
    if new != text:
        write_text(path, new)
    return new != text
