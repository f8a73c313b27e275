"""What short keys are called and how they are coloured: results hold the keys, tables and legends print the labels."""

from __future__ import annotations

from dataclasses import dataclass

from paperlib.reporting import style


@dataclass(frozen=True)
class Named:
    """What stands behind a key: its name in tables and legends, and its colour in every figure."""

    label: str
    colour: str = style.BLACK


ARMS = {
    "direct": Named("extinction-group labels", style.BLUE),
    "summed": Named("space-group labels, summed", style.VERMILION),
    "space_group": Named("space-group labels", style.VERMILION),
    "all_random": Named("all, random split", style.ORANGE),
    "equal_random": Named("equal n, random split", style.VERMILION),
    "equal_free": Named("equal n, leak-free", style.BLUE),
    "single_free": Named("single, leak-free", style.GREEN),
    "single_random": Named("single, random split", style.PURPLE),
    "real": Named("real crystals", style.BLACK),
    "random_histogram": Named("random, biased", style.VERMILION),
    "balanced_small": Named("random, balanced, small", style.SKY),
    "balanced_middle": Named("random, balanced, middle", style.BLUE),
    "balanced_large": Named("random, balanced, large", style.GREEN),
    "wrong_labels": Named("random, wrong labels", style.PURPLE),
    "frequency_real": Named("frequencies of real crystals", style.GREY),
    "frequency_histogram": Named("frequencies of a biased set", style.GREY),
    "frequency_balanced": Named("frequencies of a balanced set", style.GREY),
    "frequency": Named("class frequencies", style.GREY),
    "ceiling": Named("ceiling, balanced data", style.BLACK),
}
"""The arms of the studies: what was trained on which data with which labels, and what stands beside it untrained.
Tables list them in this order."""

READERS = {
    "layer": Named("LayerNorm, as published", style.VERMILION),
    "batch": Named("BatchNorm instead", style.BLUE),
    "group": Named("GroupNorm instead", style.GREEN),
    "position": Named("position kept", style.PURPLE),
}
"""The networks of the study of worlds."""

TRAINED_ON = {"clean": "trained on clean patterns", "drawn": "trained with imperfections"}
"""The two kinds of patterns that each of :data:`READERS` was trained on; an arm is a network and a kind."""

CHANGES = {
    "clean": "clean patterns",
    "noise": "noise of {percent:g} % of the maximum",
    "background": "background of {percent:g} % of the maximum",
    "width": "peaks {level:g} times as wide",
    "zero_shift": "zero shift of {level:g}°",
    "displacement": "specimen displaced by {level:g} mm",
    "doublet": "Kα doublet",
    "unpolarised": "no polarisation factor",
    "strong_lines": "lines below {percent:g} % left out",
    "permuted": "heights handed round among lines",
    "drawn": "imperfections drawn as in training",
    "laboratory": "as from a laboratory diffractometer",
}
"""What separates a test set from clean patterns, by the change that it is of."""

SAMPLINGS = {
    "full": Named("published width", style.BLACK),
    "half": Named("half of it", style.ORANGE),
}
"""Widths of the peaks; the keys of samplings begin with them."""

MEASURED = {
    "measured_frequencies": Named("class frequencies", style.GREY),
    "measured_alone": Named("measured alone", style.BLACK),
    "only_random": Named("random crystals, two worlds", style.SKY),
    "only_real": Named("real crystals, two worlds", style.SKY),
    "known_left_out": Named("both, known left out", style.GREEN),
    "both_worlds": Named("both, two worlds", style.BLUE),
    "fine_tuned_left_out": Named("known left out, then measured", style.GREEN),
    "fine_tuned": Named("both, then measured", style.VERMILION),
}
"""What networks that read measured patterns were trained on; the first reads none."""

INSTEAD = {
    "in_minerals": "minerals alone",
    "in_laboratory": "laboratory alone",
    "in_wide": "wide alone",
    "three_worlds": "three worlds, longer",
    "longer": "longer",
    "larger": "larger network",
    "only_real": "real crystals alone",
    "only_random": "random crystals alone",
}
"""What trainings on simulated patterns were, other than the main one, on both kinds of crystals in two worlds."""

AT_TEST = {
    "one": "one view",
    "views": "mean of five shifts",
    "surest": "surest of five shifts",
    "ensemble": "ensemble of seeds",
    "frequencies": "frequencies of the other folds",
    "all": "shifts and seeds",
    "all_frequencies": "shifts, seeds and those frequencies",
    "together": "all trainings on both",
    "together_frequencies": "all of them and those frequencies",
}
"""Steps at test time; an arm of these tables is one of :data:`MEASURED` and a step."""

LEFT_OUT = {
    "noise": "noise",
    "width": "width of lines",
    "background": "background",
    "texture": "texture",
    "overall_b": "displacement factor",
    "shift": "shifts",
    "second_phase": "second phase",
    "range": "missing ranges",
    "doublet": "Kα doublet",
}
"""Imperfections that a training was without."""

RADIATIONS = {
    "xray": Named("X-rays", style.RADIATION_COLOURS["xray"]),
    "neutron": Named("neutrons", style.RADIATION_COLOURS["neutron"]),
    "both": Named("both", style.VERMILION),
}
"""What the networks of the study of radiations were trained on."""

RADIATION_TESTS = {
    "xray": "X-rays",
    "neutron": "neutrons",
    "xray_permuted": "X-rays, heights handed round",
    "neutron_permuted": "neutrons, heights handed round",
}
"""Its test sets of the same crystals."""

PROGRAM_TESTS = {
    "ours_xray": "X-rays, ours",
    "alike_xray": "X-rays, ours, computed alike",
    "crysfml_xray": "X-rays, CrysFML",
    "ours_neutron": "neutrons, ours",
    "crysfml_neutron": "neutrons, CrysFML",
}
"""Its test sets of some of these crystals, by two programs."""

PROFILES = {
    "xray": Named("X-rays, ours", style.RADIATION_COLOURS["xray"]),
    "alike": Named("X-rays, computed alike", style.SKY),
    "neutron": Named("neutrons", style.RADIATION_COLOURS["neutron"]),
}
"""Which of our patterns another program's are compared with, point by point."""

NETWORKS = {
    "resnet": Named("ResNet, published", style.VERMILION),
    "resnet_batch": Named("BatchNorm, ReLU", style.ORANGE),
    "resnet_fine": Named("BatchNorm, ReLU, no stem pool", style.PURPLE),
    "resnet_local": Named("BatchNorm, ReLU, local", style.GREY),
    "position_resnet_linear": Named("positions kept", style.SKY),
    "position_resnet": Named("positions kept, √intensity", style.BLUE),
    "position_resnet_coordinate": Named("positions kept, coordinate", style.BLACK),
    "convnext": Named("ConvNeXt", style.GREEN),
    "transformer": Named("transformer, patches", style.ORANGE),
    "peaks_transformer": Named("transformer, peaks", style.PURPLE),
    "deepsets": Named("DeepSets, peaks", style.SKY),
    "mlp": Named("perceptron", style.GREY),
    "trees": Named("trees, ten peaks", style.VERMILION),
    "oracle": Named("given the cell", style.BLACK),
}
"""Families of networks (:data:`paperlib.learning.families.FAMILIES`), and two rivals that are none. ResNets and the
others stand in panels of their own, so that eight colours are enough for both."""

SIZES = {"small": "half the width", "middle": "published size", "large": "twice the width"}
"""Sizes of the two families that have several."""

EXTINCTION, SPACE_GROUP = "extinction group", "space group"
SPACES = {
    "published": EXTINCTION,
    "absences": EXTINCTION,
    "crystal_system": EXTINCTION,
    "space_group": SPACE_GROUP,
    "crystal_family": "crystal family",
}
"""What is guessed, for each set of labels."""

TESTS = {
    "all": "all",
    "single": "one of each group",
    "real": "real, new structure types",
    "histogram": "random, biased",
    "balanced": "random, balanced",
}
"""The test sets of the studies of duplicates and of bias."""

EFFECTS = {
    "less_data": "fewer entries",
    "memory": "no copies of test crystals",
    "within": "no copies within training",
    "test_set": "one test entry of each group",
}
"""The steps from the score with duplicates to the score without, in their order."""

SCHEMES = {
    "absences": Named("absences alone", style.GREEN),
    "published": Named("published table", style.BLUE),
    "crystal_system": Named("by crystal system", style.PURPLE),
}
"""Conventions on which space groups make one extinction group."""

RULES = {
    "formula_near_group": Named("formula~group", style.ORANGE),
    "formula_group": Named("formula+group", style.VERMILION),
    "cell": Named("cell", style.PURPLE),
    "pattern": Named("pattern", style.BLUE),
    "structure": Named("structure", style.GREEN),
    "pattern_doped": Named("pattern, doped", style.SKY),
}
"""Rules for duplicates, from loose to strict; tables of the results name them by their label."""

DATABASES = {
    "mp_30587": "Materials Project",
    "3dsc_10904": "3DSC, made of it",
    "together": "together",
}
"""Sources of crystals by the names of their files; others keep that name."""

TRUTHS = {
    "parents": Named("parents", style.PURPLE),
    "determinations": Named("determinations", style.GREEN),
    "names": Named("names of CIFs", style.ORANGE),
}
"""What rules for duplicates are held against."""

DETERMINATIONS = {
    "temperature": "temperature",
    "pressure": "pressure",
    "refinement": "refinement",
    "setting": "setting",
    "origin": "origin",
    "all": "all of it",
}
"""Kinds of families of determinations."""

SETS = {
    "pyxtal": Named("PyXtal", style.VERMILION),
    "ours": Named("ours", style.BLUE),
    "database": Named("ours, as in the database", style.BLUE),
    "real": Named("real", style.BLACK),
}
"""Sets of random crystals and of those beside which they stand; tables of the results name them by their label."""

LIFTED = {"centring": "centring", "glide": "glide plane", "screw": "screw axis"}
"""What forbids reflections, the most general first (:data:`paperlib.symmetry.absence_order.KINDS`)."""

CHANGED_LINES = {
    "own": Named("class of the crystal", style.BLACK),
    "fits": Named("classes that the lines fit", style.BLUE),
    "neither": Named("neither", style.ORANGE),
    "random": Named("that they fit, random weights", style.PURPLE),
}
"""Answers about patterns with lines put in or taken away, and that of a network with random weights."""

WITHIN = {
    "in_class": Named("group, class known", style.BLUE),
    "summed": Named("class, by the same network", style.VERMILION),
    "direct": Named("class, by the network trained on classes", style.ORANGE),
}
"""What is scored under each of :data:`CONTROLS`."""

CONTROLS = {
    "test": Named("as they are", style.BLUE),
    "permuted": Named("heights handed round", style.GREEN),
    "scaled_900": Named("cells smaller", style.PURPLE),
    "scaled_1100": Named("cells larger", style.PURPLE),
    "shape": Named("other shape", style.GREY),
    "all": Named("all three", style.SKY),
    "commonest": Named("commonest group of the class", style.BLACK),
}
"""What is taken from the patterns before a trained network is asked, and the guess beside it."""

ANSWERED_BY = {
    "network": Named("network", style.BLUE),
    "draws": Named("draws from class frequencies", style.ORANGE),
    "commonest": Named("always the commonest", style.GREY),
}
"""Who gives the answers whose distance from the truth is told."""

RELATIONS = {
    "one_edge": "one edge away",
    "t": "… t, either way",
    "t_up": "… t, point group too large",
    "t_down": "… t, point group too small",
    "k": "… k, either way",
    "same_class": "same absences",
}
"""How a wrong answer may be related to the truth on the graph of maximal subgroups."""
