"""Everything that the paper shows, from results alone: figures, tables, numbers."""

from __future__ import annotations

from pathlib import Path

from paperlib.lab.results import Results
from paperlib.lab.store import write_text
from paperlib.reporting import style
from paperlib.reporting.figures import (
    fig_agreement,
    fig_architectures,
    fig_attribution_classes,
    fig_attribution_groups,
    fig_bias,
    fig_bias_matrix,
    fig_duplicate_effect,
    fig_duplicates,
    fig_error_graph,
    fig_extinction_classes,
    fig_groups_apart,
    fig_imperfections,
    fig_insertions,
    fig_labels,
    fig_maps,
    fig_measured,
    fig_neutrons,
    fig_one_pattern,
    fig_parents,
    fig_random_crystals,
    fig_random_labels,
    fig_random_structures,
    fig_resolution,
    fig_scaling,
    fig_series,
    fig_similar_structures,
    fig_simulator,
    fig_three_crystals,
    fig_worked_pattern,
)
from paperlib.reporting.tables.all import TABLES
from paperlib.reporting.values import values_tex

FIGURES = (
    fig_extinction_classes,
    fig_one_pattern,
    fig_agreement,
    fig_simulator,
    fig_imperfections,
    fig_bias,
    fig_three_crystals,
    fig_duplicates,
    fig_parents,
    fig_series,
    fig_similar_structures,
    fig_random_labels,
    fig_random_crystals,
    fig_random_structures,
    fig_labels,
    fig_duplicate_effect,
    fig_resolution,
    fig_scaling,
    fig_architectures,
    fig_bias_matrix,
    fig_measured,
    fig_insertions,
    fig_attribution_classes,
    fig_attribution_groups,
    fig_worked_pattern,
    fig_neutrons,
    fig_maps,
    fig_groups_apart,
    fig_error_graph,
)
"""The published figures in the order of the paper. Each module has ``STEM``, ``NEEDS`` and ``draw``, and its own name
is that of the files."""


def draw_figures(results: Results, folder: Path) -> list[Path]:
    """Draw every figure whose results are there to ``folder`` as PDF and PNG; return the written files.

    A figure without results is left out with a line that says so; results that are there but do not hold
    what the figure needs raise MissingResultError. A line says which is being drawn: all of them take a minute.
    """
    written: list[Path] = []
    for module in FIGURES:
        name = module.__name__.rpartition(".")[2]
        if missing := _missing(results, module.NEEDS):
            print(f"figure {name} left out: no results of {missing}")
            continue
        print(f"figure {name}", flush=True)
        written += style.save(module.draw(results), folder / name)
    return written


def write_generated(results: Results, folder: Path) -> list[Path]:
    """Write ``values.tex`` and ``tables/*.tex`` to ``folder``; return the written files.

    A table without results is left out with a line that says so, and an older one is removed: the manuscript
    must not show what the results no longer hold.
    """
    target = folder / "values.tex"
    write_text(target, values_tex(results, results.stems()))
    written = [target]
    for table in TABLES:
        path = folder / "tables" / f"{table.name}.tex"
        if missing := _missing(results, table.needs):
            path.unlink(missing_ok=True)
            print(f"table {table.name} left out: no results of {missing}")
            continue
        write_text(path, "% Written from the results by paperlib.reporting; do not edit.\n" + table.make(results))
        written.append(path)
    return written


def _missing(results: Results, stems: tuple[str, ...]) -> str:
    return ", ".join(stem for stem in stems if not results.has(stem))
