"""The tables of the manuscript, in LaTeX with booktabs, each with the profile that made it and its n."""

from __future__ import annotations

from paperlib.reporting.tables.crystals import databases, random_distances, random_labels
from paperlib.reporting.tables.duplicates import (
    determination_kinds,
    duplicate_truth,
    duplicates,
    near_duplicates,
    talk_rows,
)
from paperlib.reporting.tables.layout import Table
from paperlib.reporting.tables.measured import measured
from paperlib.reporting.tables.radiations import neutrons
from paperlib.reporting.tables.reflection_data import architectures, scaling
from paperlib.reporting.tables.simulator import laboratory, simulator, speed
from paperlib.reporting.tables.studies import bias, claims, duplicate_effect, labels
from paperlib.reporting.tables.symmetry import ceilings, extinction_classes
from paperlib.reporting.tables.worlds import samplings, worlds

TABLES = (
    Table("extinction_classes", ("01_extinction_groups",), extinction_classes),
    Table("ceilings", ("01_extinction_groups",), ceilings),
    Table("simulator", ("02_simulator",), simulator),
    Table("speed", ("02_simulator",), speed),
    Table("laboratory", ("02_simulator",), laboratory),
    Table("databases", ("03_databases",), databases),
    Table("duplicates", ("04_duplicates",), duplicates),
    Table("near_duplicates", ("04_duplicates",), near_duplicates),
    Table("duplicate_truth", ("04_duplicates",), duplicate_truth),
    Table("determination_kinds", ("04_duplicates",), determination_kinds),
    Table("talk_rows", ("04_duplicates",), talk_rows),
    Table("random_labels", ("05_random_crystals",), random_labels),
    Table("random_distances", ("05_random_crystals",), random_distances),
    Table("labels", ("06_labels",), labels),
    Table("duplicate_effect", ("07_duplicate_effect",), duplicate_effect),
    Table("worlds", ("10_resolution",), worlds),
    Table("samplings", ("10_resolution",), samplings),
    Table("scaling", ("09_scaling",), scaling),
    Table("architectures", ("11_architectures",), architectures),
    Table("bias", ("08_bias",), bias),
    Table("measured", ("13_measured",), measured),
    Table("neutrons", ("15_neutrons",), neutrons),
    Table("claims", ("00_overview",), claims),
)
