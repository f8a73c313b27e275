"""A folder of made-up results with the tables, arrays and values that the notebooks write.

The numbers mean nothing; shapes, names, ranges and lengths of texts are those of real results, so that
figures and tables meet what they will meet.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd

from paperlib.lab.store import sha256_of, write_arrays, write_json, write_table
from paperlib.reporting.names import AT_TEST, INSTEAD, LEFT_OUT, LIFTED, MEASURED, NETWORKS
from paperlib.symmetry.extinction import class_symbols, extinction_classes
from paperlib.symmetry.groups import SPACE_GROUPS, crystal_family, symbol
from paperlib.symmetry.reflection_families import is_forbidden, representatives

TWO_THETA = np.linspace(5, 90, 1000)
KS = (1, 3, 5)
SCHEMES = ("absences", "published", "crystal_system")
JUDGED_MAPS = ("saliency", "ig_zero", "ig_background", "ig_filled", "grad_cam", "occlusion")


class _Writer:
    def __init__(self, folder: Path, stem: str, profile: str) -> None:
        self.folder, self.stem, self.profile = folder / stem, stem, profile
        self.outputs: dict[str, dict] = {}
        self.values: dict[str, dict] = {}
        self.timings: dict[str, dict] = {}

    def table(self, name: str, /, **columns) -> None:
        write_table(self.folder / f"{name}.csv", pd.DataFrame(columns))
        self._note(f"{name}.csv")

    def arrays(self, name: str, /, **arrays) -> None:
        write_arrays(self.folder / f"{name}.npz", arrays)
        self._note(f"{name}.npz")

    def _note(self, name: str) -> None:
        self.outputs[name] = {"sha256": sha256_of(self.folder / name), "published": True}

    def value(self, name: str, value, low=None, high=None, n=None, kind=None) -> None:
        kind = kind or ("count" if isinstance(value, int) else "number")
        self.values[name] = {"value": value, "low": low, "high": high, "n": n, "kind": kind}

    def timing(self, name: str, value, kind: str, n=None) -> None:
        self.timings[name] = {"value": value, "low": None, "high": None, "n": n, "kind": kind}

    def finish(self) -> None:
        times = {"started": "2026-01-02T03:04:05+00:00", "finished": "2026-01-02T03:14:05+00:00"}
        record = {"profile": self.profile, "run_id": "0" * 12, "commit": "0" * 40, **times}
        record["timings"] = self.timings
        parts = {"identity": {}, "record": record, "outputs": self.outputs, "values": self.values}
        write_json(self.folder / "manifest.json", parts)


def write_results(folder: Path, profile: str = "laptop", classes: int | None = None) -> Path:
    """Write results of all notebooks to ``folder``; ``classes`` limits how many appear in attribution maps."""
    generator = np.random.default_rng(7)
    table = class_table()
    _extinction_groups(_Writer(folder, "01_extinction_groups", profile), table)
    _simulator(_Writer(folder, "02_simulator", profile), generator)
    _databases(_Writer(folder, "03_databases", profile), table, generator)
    _duplicates(_Writer(folder, "04_duplicates", profile), table)
    _random_crystals(_Writer(folder, "05_random_crystals", profile), generator)
    _labels(_Writer(folder, "06_labels", profile), table, generator)
    _duplicate_effect(_Writer(folder, "07_duplicate_effect", profile))
    _resolution(_Writer(folder, "10_resolution", profile))
    _scaling(_Writer(folder, "09_scaling", profile))
    _architectures(_Writer(folder, "11_architectures", profile))
    _bias(_Writer(folder, "08_bias", profile), table)
    _measured(_Writer(folder, "13_measured", profile))
    _interpretability(_Writer(folder, "12_interpretability", profile), table, generator, classes)
    _maps(_Writer(folder, "16_maps", profile), classes)
    # a smoke run asks no other program
    _neutrons(_Writer(folder, "15_neutrons", profile), generator, programs=profile != "smoke")
    _groups_apart(_Writer(folder, "17_groups_apart", profile))
    return folder


def write_repository(root: Path) -> Path:
    """A repository with results in ``data/results`` and an (empty) notebook for each of them."""
    write_results(root / "data" / "results")
    (root / "pyproject.toml").touch()
    (root / "notebooks").mkdir()
    for folder in (root / "data" / "results").iterdir():
        (root / "notebooks" / f"{folder.name}.ipynb").touch()
    return root


def class_table(scheme: str = "published") -> pd.DataFrame:
    """The table of extinction classes, with the real symbols and members."""
    members = extinction_classes(scheme)
    symbols = class_symbols(scheme)
    return pd.DataFrame(
        {
            "index": range(len(members)),
            "symbol": symbols,
            "lattice": [
                f"{crystal_family(groups[0])} {symbol[0]}" for groups, symbol in zip(members, symbols, strict=True)
            ],
            "n_groups": [len(groups) for groups in members],
            "members": [" ".join(map(str, groups)) for groups in members],
            "conditions": ["none", *["hkl: h+k=2n; h0l: h=2n, l=2n; 00l: l=2n"] * (len(members) - 1)],
        }
    )


def _class_of(table: pd.DataFrame) -> dict[int, int]:
    return {int(g): i for i, members in zip(table["index"], table["members"], strict=True) for g in members.split()}


def cubic_lines(a: float, allowed=lambda *hkl: True, seed: int = 0) -> pd.DataFrame:
    """Lines of a cubic cell of edge ``a`` (Å) under Cu radiation with made-up intensities (0..100)."""
    generator = np.random.default_rng(seed)
    rows = []
    for h in range(8):
        for k in range(h + 1):
            for l in range(k + 1):  # noqa: E741
                s = np.sqrt(h * h + k * k + l * l) * 1.5418 / (2 * a)
                if 0 < s < np.sin(np.radians(45)) and allowed(h, k, l):
                    rows.append((h, k, l, 2 * np.degrees(np.arcsin(s)), 48, generator.uniform(3, 100)))
    table = pd.DataFrame(rows, columns=["h", "k", "l", "two_theta", "multiplicity", "intensity"])
    table = table[table["two_theta"] > 6].sort_values("two_theta", ignore_index=True)
    table["intensity"] *= 100 / table["intensity"].max()
    return table


def profile_of(lines: pd.DataFrame, width: float = 0.1) -> np.ndarray:
    """(1000,) pattern with Gaussian peaks, maximum 1."""
    shapes = np.exp(-0.5 * ((TWO_THETA[:, None] - lines["two_theta"].to_numpy()) / width) ** 2)
    pattern = shapes @ lines["intensity"].to_numpy()
    return pattern / pattern.max()


def _face_centred(h, k, l) -> bool:  # noqa: E741
    return h % 2 == k % 2 == l % 2


def _extinction_groups(run: _Writer, table: pd.DataFrame) -> None:
    rows = []
    for i, scheme in enumerate(SCHEMES):
        run.table(f"classes_{scheme}", **class_table(scheme))
        for k, ceiling in zip(KS, (0.43, 0.81, 0.917), strict=True):
            rows.append((scheme, k, ceiling + 0.005 * i, len(class_table(scheme))))
            run.value(f"ceiling_{scheme}_top{k}", ceiling + 0.005 * i, n=230, kind="share")
        run.value(f"n_classes_{scheme}", len(class_table(scheme)), n=230)
    run.table("ceilings", **pd.DataFrame(rows, columns=["scheme", "k", "ceiling", "n_classes"]))
    run.value("largest_class", int(table["n_groups"].max()))
    run.value("singletons", int((table["n_groups"] == 1).sum()))
    lines = [cubic_lines(5.64, _face_centred, 1), cubic_lines(5.64, _face_centred, 2), cubic_lines(5.64, seed=3)]
    run.arrays("one_pattern", two_theta=TWO_THETA, patterns=np.array([profile_of(x) for x in lines]))
    run.table(
        "one_pattern",
        row=[0, 1, 2],
        name=["NaCl, rock salt", "ZnS, zinc blende", "CsCl, caesium chloride"],
        space_group=[225, 216, 221],
        symbol=["F m -3 m", "F -4 3 m", "P m -3 m"],
        class_symbol=["F - - - (cubic)", "F - - - (cubic)", "P - - - (cubic)"],
    )
    stacked = pd.concat([x.assign(row=i) for i, x in enumerate(lines)], ignore_index=True)
    run.table("one_pattern_lines", **stacked[["row", "h", "k", "l", "two_theta", "intensity"]])
    run.finish()


def _simulator(run: _Writer, generator: np.random.Generator) -> None:
    n = 223
    position = 10 ** generator.normal(-12, 0.5, n)
    position[:3] = 0
    theirs, ours = 10 ** generator.normal(-8, 0.4, n), 10 ** generator.normal(-2.4, 0.3, n)
    run.table(
        "deviations",
        source_id=[f"mp-{i}" for i in range(n)],
        formula=["NaCl"] * n,
        space_group=generator.integers(1, 231, n),
        crystal_system=["cubic"] * n,
        lines=generator.integers(10, 300, n),
        position_deviation=position,
        r_their_f0=theirs,
        r_ours=ours,
    )
    run.table(
        "agreement",
        program=["pymatgen", "cctbx", "FullProf"],
        radiation=["xray", "both", "neutron"],
        quantity=["position (°)", "Σ|F|² (of the strongest line)", "1 - correlation of the profile"],
        structures=[n, n, 4],
        median=[0.0, 1.3e-6, 4.8e-5],
        worst=[2.2e-5, 4.4e-6, 8.9e-5],
    )
    if run.profile == "laptop":  # a smoke run reads no file of the other programs
        _other_programs(run, generator, n)
    run.table(
        "speed",
        program=["pymatgen", "paperlib", "paperlib"],
        task=["line lists", "line lists", "patterns, 4096 points"],
        threads=[1, 1, 16],
        per_second=[48.8, 555.6, 14002.3],
        ratio=[1.0, 11.4, 286.9],
    )
    run.table(
        "laboratory",
        parameter=["zero_shift", "goniometer_radius", "counts"],
        low=[-0.03, 200.0, 1e3],
        high=[0.03, 200.0, 2e5],
        unit=["° 2θ", "mm", "counts"],
        source=["chosen: 0.1° is 50 % too much", "read_in the code", "chosen: 3 % noise & glass, Cu Kα"],
    )
    lines = cubic_lines(4.9, seed=5)
    sticks = lines[["two_theta", "intensity"]].to_numpy().T
    swapped = lines.assign(intensity=lines["intensity"].to_numpy()[::-1])
    run.arrays(
        "example",
        two_theta=TWO_THETA,
        xray=profile_of(lines),
        neutron=profile_of(swapped),
        xray_lines=sticks,
        neutron_lines=swapped[["two_theta", "intensity"]].to_numpy().T,
    )
    run.table(
        "example",
        source_id=["A2B_tP6_136_f_a", "A2B3_hR10_167_c_e"],
        formula=["TiO2", "Al2O3"],
        space_group=[136, 167],
        symbol=["P42/mnm", "R-3c"],
    )
    patterns = np.array([profile_of(lines), profile_of(lines), profile_of(swapped)])
    run.arrays("one_pattern", two_theta=TWO_THETA, line=patterns, laue=patterns[[0, 2, 2]])
    run.table(
        "one_pattern",
        space_group=[75, 123, 127],
        symbol=["P4", "P4/mmm", "P4/mbm"],
        class_symbol=["P - - - (tetragonal)", "P - - - (tetragonal)", "P - b -"],
        largest_difference_line=[0.0, 0.0, 1.0],
        differing_line=[0, 0, 100],
        largest_difference_laue=[0.0, 0.75, 1.0],
        differing_laue=[0, 100, 100],
    )
    _imperfections(run, lines)
    for name, value, kind in (
        ("n_structures", n, "count"),
        ("max_position_deviation", float(position.max()), "deviation"),
        ("max_r_their_f0", float(theirs.max()), "share"),
        ("median_r_ours", float(np.median(ours)), "share"),
        ("max_r_ours", float(ours.max()), "share"),
        ("speed_atoms", 30.4, "number"),
        ("crysfml_max_neutron", 2e-9, "deviation"),
        ("crysfml_max_xray", 3e-5, "deviation"),
        ("fullprof_max_neutron", 9e-5, "deviation"),
        ("one_pattern_largest_difference_line", 0.0, "number"),
        ("one_pattern_differing_line", 0, "count"),
        ("one_pattern_differing_laue", 100, "count"),
        ("cctbx_max_xray", 3.1e-6, "deviation"),
        ("cctbx_max_neutron", 2.2e-4, "deviation"),
        ("cctbx_max_d", 4.4e-9, "deviation"),
    ):
        run.value(name, value, n=n, kind=kind)
    for name, value, kind in (
        ("lines_times", 11.4, "ratio"),
        ("lines_per_second", 14002.0, "rate"),
        ("patterns_per_second", 555.6, "rate"),
        ("patterns_times", 11.4, "ratio"),
        ("reflection_per_second", 9000.0, "rate"),
    ):
        run.timing(name, value, kind, n=n)
    run.finish()


def _other_programs(run: _Writer, generator: np.random.Generator, n: int) -> None:
    small = {name: 10 ** generator.normal(-6, 0.4, n) for name in ("d", "xray", "neutron")}
    run.table("cctbx", **{f"{name}_deviation": column for name, column in small.items()})
    radiation, correlation = ["neutron", "xray"] * 10, 1 - 10 ** generator.normal(-7, 1, 20)
    run.table("crysfml", id=["NaCl"] * 20, radiation=radiation, correlation=correlation)
    run.table("fullprof", id=list("abcd"), radiation=["neutron"] * 4, correlation=[0.9999, 0.99995, 0.99998, 1.0])
    lines = cubic_lines(6.1, seed=8)
    ours = profile_of(lines, 0.4)
    run.arrays("fullprof", two_theta=TWO_THETA, theirs=ours + 0.01, ours=ours, ticks=lines["two_theta"].to_numpy())


def _imperfections(run: _Writer, lines: pd.DataFrame) -> None:
    effects = ("zero_shift", "displacement", "texture", "crystallite_size", "microstrain", "background", "hump")
    curves = (
        *effects,
        "low_counts",
        "high_counts",
        "second_phase",
        "detector",
        "ideal",
        "one_wavelength",
        "everything",
    )
    grid = np.linspace(5, 90, 8501)
    pattern = np.interp(grid, TWO_THETA, profile_of(lines)) + 0.02
    ticks = lines["two_theta"].to_numpy()
    run.arrays("imperfections", two_theta=grid, **dict.fromkeys(curves, pattern), lines=ticks, second_lines=ticks + 1.3)
    rows = [
        *[(name, name, 0.03, "° 2θ") for name in (*effects, "second_phase")],
        *[(f"{end}_counts", "counts", count, "counts") for end, count in (("low", 1e3), ("high", 2e5))],
        *[("detector", f"detector_{name}", x, "° 2θ") for name, x in (("start", 15), ("end", 75), ("step", 0.05))],
    ]
    run.table("imperfections", **pd.DataFrame(rows, columns=["effect", "parameter", "value", "unit"]))
    drawn = (*effects, "hump_centre", "second_phase", "counts")
    run.table("drawn", parameter=drawn, drawn=[-0.0123] * (len(drawn) - 1) + [199999.4], low=0, high=1, unit="mm")


def _databases(run: _Writer, table: pd.DataFrame, generator: np.random.Generator) -> None:
    class_of = _class_of(table)
    sizes = {"this set": 30587, "ICSD": 143523, "COD": 62099}
    counts, classes, summary = [], [], []
    for name, total in sizes.items():
        weights = generator.pareto(0.7, 230)
        number = generator.multinomial(total, weights / weights.sum())
        counts += [(name, group, int(c)) for group, c in enumerate(number, start=1)]
        per_class = np.zeros(len(table), int)
        for group, c in enumerate(number, start=1):
            per_class[class_of[group]] += c
        classes += [(name, i, table["symbol"][i], int(c)) for i, c in enumerate(per_class)]
        top = np.sort(number)[::-1]
        share, first = top[:10].sum() / total, int(number.argmax()) + 1
        filled = int((number > 0).sum()), int((per_class > 0).sum())
        summary.append((name, total, *filled, share, first, top[0] / total))
    run.table("counts", **pd.DataFrame(counts, columns=["database", "space_group", "count"]))
    run.table("class_counts", **pd.DataFrame(classes, columns=["database", "class_index", "symbol", "count"]))
    names = ["database", "entries", "space_groups", "classes", "top_ten_share", "largest_group", "largest_share"]
    run.table("summary", **pd.DataFrame(summary, columns=names))
    run.table("reading", read=[30600], kept=[30587], skipped=[13], declared_differs=[412])
    run.table("skipped", name=["broken_&_file.cif"], reason=["no atoms"])
    lines = [cubic_lines(a, seed=s) for a, s in ((3.9, 1), (5.3, 2), (8.1, 3))]
    run.arrays("three", two_theta=TWO_THETA, patterns=np.array([profile_of(x) for x in lines]))
    run.table(
        "three",
        row=[0, 1, 2],
        source_id=["mp-1", "mp-2", "mp-3"],
        formula=["CaSiO3", "Na2Ti6O13", "Sr4Al6SO16"],
        space_group=[14, 14, 14],
        symbol=["P 1 21/c 1"] * 3,
        a=[3.9, 5.3, 8.1],
        b=[3.9, 15.3, 8.1],
        c=[13.9, 5.3, 8.1],
        alpha=[90.0, 90.0, 90.0],
        beta=[98.2, 117.4, 90.0],
        gamma=[90.0, 90.0, 90.0],
        n_atoms=[20, 84, 108],
    )
    for name, value in (
        ("n_read", 30600),
        ("n_kept", 30587),
        ("n_skipped", 13),
        ("n_space_groups", 207),
        ("n_classes", 93),
        ("top_ten_share", 0.471),
        ("declared_differs", 412),
    ):
        run.value(name, value, n=30600, kind="share" if name == "top_ten_share" else "count")
    run.finish()


RULES = ("formula~group", "formula+group", "cell", "pattern", "structure", "pattern, doped")


def _duplicates(run: _Writer, table: pd.DataFrame) -> None:
    # a generator of its own, so that the results of other notebooks stay what they are
    generator = np.random.default_rng(11)
    entries = {"mp_30587": 30587, "3dsc_10904": 10904, "together": 41491}
    shares = dict(zip(RULES, (0.207, 0.102, 0.07, 0.07, 0.096, 0.18), strict=True))
    left, sizes = [], []
    for rule, share in shares.items():
        for database, n in entries.items():
            removed = share * (0.1 if database == "mp_30587" else 1)
            left.append((rule, database, n, round(n * (1 - removed)), removed, 374))
        size = np.array([1, 2, 3, 5, 12, 374])
        sizes.append(pd.DataFrame({"rule": rule, "size": size, "groups": (30000 / size**2.2).astype(int) + 1}))
        key = rule.replace("~", "_near_").replace("+", "_").replace(", ", "_")
        run.value(f"{key}_groups", round(41491 * (1 - share)), n=41491)
        run.value(f"{key}_removed_share", share, n=41491, kind="share")
        run.timing(f"{key}_seconds", 12.3, "seconds", n=41491)
    columns = ["rule", "database", "entries", "groups", "removed", "largest"]
    run.table("left", **pd.DataFrame(left, columns=columns))
    run.table("sizes", **pd.concat(sizes))
    n = 7
    letters = {rule: list("ABCADEB"[:n]) if i else ["A"] * n for i, rule in enumerate(RULES)}
    names = ["mp-1105069", "La3Sn7-MP-mp-1077735-synth_doped"]
    run.table(
        "near_duplicates",
        source_id=[names[i % 2] for i in range(n)],
        formula=["La2Sn5", "La0.8571Sn2", "Sr4Al6SO16", "La3Sn7", "La2Sn5", "La0.8Sn2", "La3Sn7"],
        space_group=[65] * n,
        a=[4.706] * n,
        b=[35.654] * n,
        c=[4.743] * n,
        volume=[795.9] * n,
        **letters,
    )
    similarity = 1 - 0.2 * np.abs(np.subtract.outer(generator.random(n), generator.random(n)))
    np.fill_diagonal(similarity, 1)
    lines = [cubic_lines(a, seed=s) for a, s in ((3.9, 1), (5.3, 2), (8.1, 3))]
    patterns = np.array([profile_of(x) for x in lines])
    run.arrays("similar", two_theta=TWO_THETA, patterns=patterns, similarity=similarity, shown=np.array([0, 3, 4]))
    run.table(
        "similar",
        a=[4.7, 5.2, 12.1],
        b=[35.65, 7.9, 44.97],
        c=[4.74, 10.5, 3.27],
        alpha=[90.0] * 3,
        beta=[90.0] * 3,
        gamma=[90.0] * 3,
        row=[0, 1, 2],
        source_id=["mp-1105069"] * 3,
        formula=["La2Sn5", "La0.8571Sn2", "Sr4Al6SO16"],
        space_group=[65] * 3,
        n_atoms=[28, 12, 28],
    )
    run.table(
        "similar_atoms",
        row=np.repeat([0, 1, 2], 12),
        **dict(zip("xyz", generator.random((3, 36)), strict=True)),
        element=["La", "Sn", "Sn"] * 12,
        radius=[1.9, 1.4, 1.4] * 12,
    )
    change = generator.normal(0, 0.004, len(table))
    run.table("classes", class_index=table["index"], symbol=table["symbol"], before=100, after=80, change=change)
    _truths(run, generator, patterns)
    for name, value in (
        ("n_entries", 41491),
        ("n_not_compared", 0),
        ("n_shared_ids", 0),
        ("longest_chain_entries", 374),
        ("longest_chain_share", 0.0429),
        ("classes_moved_share", 0.031),
        ("reference_entries", 2000),
        ("reference_pairs", 15000),
        ("reference_f1", 0.9994),
    ):
        run.value(name, value, n=41491, kind="share" if name.endswith("_share") else None)
    run.timing("reference_ratio", 6.1, "ratio")
    run.finish()


def _truths(run: _Writer, generator: np.random.Generator, patterns: np.ndarray) -> None:
    """Rules against what is known, a series, and the talk's rows."""
    truth, kinds = [], []
    for k, (name, entries) in enumerate((("parents", 41491), ("determinations", 1800), ("names", 521))):
        for i, rule in enumerate(RULES):
            row = {"rule": rule, "entries": entries, "families": 600, "pairs": 1800 * (k + 1), "pairs_found": 900 + i}
            row |= {"removed": 500 + i, "removed_kin": 400, "precision": 0.99 - 0.1 * i, "recall": 0.2 + 0.1 * i}
            for score in ("precision", "recall"):
                middle = 0.9 - 0.05 * i
                row |= {f"bcubed_{score}": middle, f"bcubed_{score}_low": middle - 0.02}
                row |= {f"bcubed_{score}_high": middle + 0.02}
            truth.append(row | {"truth": name})
    for row in truth:
        key = f"{row['truth']}_{row['rule'].replace('~', '_near_').replace('+', '_').replace(', ', '_')}"
        for score in ("precision", "recall"):
            run.value(f"{key}_{score}", row[score], n=row["entries"], kind="share")
        for count in ("removed", "removed_kin"):
            run.value(f"{key}_{count}", row[count], n=row["entries"])
        run.value(f"{key}_kin_share", 0.986, n=row["removed"], kind="share")
    counts = {"families": 600, "regrouped": 0, "mp_30587_pattern_doped_removed": 70, "noise_formulas": 3691}
    counts |= {"noise_entries": 6638, "noise_several_groups": 1180, "noise_several_classes": 1174}
    counts |= {"noise_surely_wrong": 2397, "talk_formula_group_groups": 6, "talk_cell_groups": 10}
    for name, count in (counts | {"talk_cell_wide_groups": 7}).items():
        run.value(name, count)
    for name in ("temperature_pattern_recall", "pressure_pattern_recall", "noise_surely_wrong_share"):
        run.value(name, 0.36, n=300, kind="share")
    run.value("series_largest_difference", 0.0025, n=13, kind="share")
    for curve in ("parents_similarity", "parents_cell", "determinations_similarity", "determinations_cell"):
        run.value(f"auc_{curve}_groups", 0.98)
    for kind in ("temperature", "pressure", "refinement", "setting", "origin", "all"):
        kinds += [{"rule": rule, "families": 100, "pairs": 300, "recall": 0.87, "kind": kind} for rule in RULES]
    run.table("truth", **pd.DataFrame(truth))
    run.table("kinds", **pd.DataFrame(kinds))
    steps, curves = np.linspace(0, 1, 20), []
    for name in ("parents", "determinations"):
        for by, power in (("similarity", 0.2), ("cell", 0.1)):
            for counted in ("pairs", "groups"):
                part = {"by": by, "counted": counted, "threshold": 1 - steps, "false_positive": steps}
                part |= {"true_positive": steps**power, "auc": 1 / (1 + power), "false_at_rule": 0.1}
                curves.append(pd.DataFrame(part | {"true_at_rule": 0.9, "truth": name}))
    run.table("roc", **pd.concat(curves))
    run.arrays("series", two_theta=TWO_THETA, patterns=patterns)
    run.table(
        "series",
        **{edge: [4.03] * 3 for edge in "abc"},
        **{angle: [90.0] * 3 for angle in ("alpha", "beta", "gamma")},
        row=[0, 1, 2],
        source_id=["a", "b", "c"],
        formula=["LaFeAsO", "LaFeAsO0.95F0.05", "LaFeAsO0.9F0.1"],
        space_group=[129] * 3,
        n_atoms=[8, 10, 10],
        difference=[0.0, 0.0012, 0.0025],
    )
    x, y, z = generator.random((3, 8))
    run.table("series_atoms", row=[0] * 8, x=x, y=y, z=z, element=["La", "Fe", "As", "O"] * 2, radius=[1.6] * 8)
    run.table(
        "talk_rows",
        source_id=["94288", "94289"],
        year=[2001, 2001],
        formula=["Ag0.034In0.037Sb0.764Te0.165"] * 2,
        space_group=[166] * 2,
        a=[4.347, 4.3553],
        b=[4.347, 4.3553],
        c=[11.2415, 11.276],
        volume=[184.0, 185.2],
        **{rule: ["A", "A"] for rule in ("formula~group", "formula+group", "cell, wide", "cell")},
    )


def _score_rows(arm: str, top1: float, space: str, test: str, sizes: tuple[int, int], trainings) -> list[tuple]:
    """Rows of ``scores.csv`` of one arm: all together, and each of ``trainings`` (split, seed) a little beside."""
    rows = []
    for k in KS:
        value = 1 - (1 - top1) ** (1 + 0.45 * (k - 1))
        pooled, each = sizes
        rows.append((arm, space, test, -1, -1, k, value, value - 0.011, value + 0.011, pooled, len(trainings)))
        for i, (split, seed) in enumerate(trainings):
            shifted = value + 0.004 * (1 - 2 * (i % 2))
            rows.append((arm, space, test, split, seed, k, shifted, shifted - 0.015, shifted + 0.015, each, 1))
    return rows


SCORES = ["arm", "space", "test", "split", "seed", "k", "value", "low", "high", "n", "n_trainings"]


def _duplicate_effect(run: _Writer) -> None:
    top1 = {
        "all_random": 0.71,
        "equal_random": 0.69,
        "equal_free": 0.64,
        "single_free": 0.645,
        "single_random": 0.67,
        "frequency": 0.09,
    }
    repeats, tests = [(0, 0), (1, 1)], {"all": (8298, 4149), "single": (7724, 3862)}
    rows = []
    for arm, value in top1.items():
        for test, sizes in tests.items():
            rows += _score_rows(arm, value, "published", test, sizes, [] if arm == "frequency" else repeats)
    run.table("scores", **pd.DataFrame(rows, columns=SCORES))
    arms = [arm for arm in top1 if arm != "frequency"]
    sizes = [37342 if arm == "all_random" else 30227 for arm in arms]
    run.table("leakage", arm=arms, seed=0, n_train=sizes, kind="exact", test_entries=0, share=0.0)
    run.table("trainings", arm=arms, split=0, seed=0, steps=3555, items=3555 * 128, loss=0.5)
    effects = {
        "less_data": -0.012,
        "memory": -0.049,
        "within": 0.005,
        "test_set": -0.007,
        "total": -0.063,
        "memory_copied": -0.18,
        "memory_others": -0.002,
    }
    for key, value in effects.items():
        run.value(f"effect_{key}_top1", value, value - 0.008, value + 0.008, 8298, "points")
    values = np.array(list(effects.values()))
    each = {"split0": values - 0.004, "split1": values + 0.004}
    run.table("effects", effect=list(effects), value=values, low=values - 0.008, high=values + 0.008, n=8298, **each)
    ends = {"kind": [], "from": [], "to": [], "middle": []}
    closeness = {"arm": [], "by": [], **ends, "value": [], "low": [], "high": [], "n": []}
    edges = [0, 0.001, 0.01, 0.1, 0.3, 1.0]
    kinds = ("exact", "near", "structure type", "nothing of these")
    for arm in arms:
        for i in range(len(edges) - 1):
            value = 0.95 - 0.15 * i - 0.02 * arms.index(arm)
            place = (arm, "distance", None, edges[i], edges[i + 1], (edges[i] + edges[i + 1]) / 2)
            for column, entry in zip(closeness, (*place, value, value - 0.03, value + 0.03, 900), strict=True):
                closeness[column].append(entry)
        for i, kind in enumerate(kinds if "random" in arm else kinds[2:]):
            value = 0.95 - 0.2 * i - 0.02 * arms.index(arm)
            for column, entry in zip(
                closeness, (arm, "kind", kind, None, None, None, value, value - 0.03, value + 0.03, 900), strict=True
            ):
                closeness[column].append(entry)
    run.table("closeness", **closeness)
    for name, value, n in (("n_crystals", 41491, None), ("n_near_groups", 34089, 41491), ("n_seeds", 2, None)):
        run.value(name, value, n=n)
    run.value("share_copied", 0.23, n=8298, kind="share")
    run.value("before_top1", 0.71, 0.70, 0.72, 8298, "share")
    run.value("after_top1", 0.645, 0.635, 0.655, 7724, "share")
    run.finish()


WORLDS = [
    ("clean", "clean", None, "inside"),
    *((f"noise_{digits}", "noise", 10.0**-digits, "inside") for digits in (5, 4, 3, 2)),
    *((f"background_{level}", "background", level / 1000, "inside") for level in (1, 10, 50)),
    *((f"width_{level}", "width", level / 10, "width inside, shape outside") for level in (11, 12, 15)),
    ("zero_shift", "zero_shift", 0.05, "inside"),
    ("displacement", "displacement", 0.1, "inside"),
    ("doublet", "doublet", 0.5, "outside"),
    ("unpolarised", "unpolarised", None, "outside"),
    ("strong_lines", "strong_lines", 0.01, "outside"),
    ("permuted", "permuted", None, "outside"),
    ("drawn", "drawn", None, "inside"),
    ("laboratory", "laboratory", None, "outside"),
]
READERS = {"layer": 0.57, "batch": 0.59, "group": 0.56, "position": 0.62}


def _resolution(run: _Writer) -> None:
    """Networks that lose the more, the further down a test stands in the list, and less if trained for it."""
    repeats, sizes, rows = [(0, 0), (1, 1)], (3000, 1500), []
    for i, (test, *_) in enumerate(WORLDS):
        for reader, clean in READERS.items():
            for kind, slope in (("clean", 0.03), ("drawn", 0.01)):
                value = clean - slope * i - 0.02 * (kind == "drawn")
                rows += _score_rows(f"{reader}_{kind}", value, "published", test, sizes, repeats)
                run.value(f"{reader}_{kind}_{test}_top1", value, value - 0.02, value + 0.02, 3000, "share")
        rows += _score_rows("frequency", 0.06, "published", test, sizes, [])
    run.value("frequency_top1", 0.06, 0.04, 0.08, 3000, "share")
    scores = pd.DataFrame(rows, columns=SCORES)
    run.table("scores", **scores[scores["k"] == 1])
    columns = ("test", "change", "level", "drawn")
    run.table("worlds", **dict(zip(columns, zip(*WORLDS, strict=True), strict=True)))
    changed = ("clean", "noise_4", "background_1", "width_12", "strong_lines", "permuted")
    for reader in READERS:
        for test in changed[1:]:
            run.value(f"lost_{reader}_{test}", -0.4, -0.43, -0.37, 3000, "points")
        for test in (*changed, "doublet", "drawn", "laboratory"):
            run.value(f"drawn_{reader}_{test}", 0.3, 0.27, 0.33, 3000, "points")
    for norm in ("batch", "group"):
        for test in changed:
            run.value(f"norm_{norm}_{test}", 0.05, 0.02, 0.08, 3000, "points")
    for norm in ("layer", "batch", "group"):
        run.value(f"response_{norm}_noise_4", 0.0003, n=200, kind="share")
    run.value("loss_position_drawn", 0.11)
    _samplings(run)
    for name, value in (
        ("n_crystals", 30587),
        ("n_train", 27528),
        ("n_test", 1500),
        ("n_seeds", 2),
        ("n_seeds_drawn", 1),
        ("items", 500000),
    ):
        run.value(name, value)
    run.value("items_of_sampling", 200000)
    run.value("n_types_test", 544, n=1500)
    run.finish()


def _samplings(run: _Writer) -> None:
    full, half = 0.132, 0.066
    rows = [(f"full_{n}", "degrees", n, 90.0, full, 1) for n in (500, 1000, 2000, 4250)]
    rows += [(f"half_{n}", "degrees", n, 90.0, half, 1) for n in (1000, 2000, 4250)]
    rows += [("short_range", "degrees", 500, 47.5, full, 1), ("long_range", "degrees", 1500, 132.5, full, 1)]
    rows += [("full_500_bins", "degrees", 500, 90.0, full, 5), ("half_1000_bins", "degrees", 1000, 90.0, half, 5)]
    rows += [("half_2000_points", "points", 2000, 90.0, half, 1)]
    table = pd.DataFrame(rows, columns=["arm", "stem", "n_points", "last", "fwhm", "in_bin"])
    table["step"] = (table["last"] - 5) / (table["n_points"] - 1)
    value = 0.4 + 0.02 * np.log(table["n_points"] / table["fwhm"])
    numbers = {"value": value, "low": value - 0.02, "high": value + 0.02, "n": 3000}
    run.table("samplings", **table.assign(first=5.0, parameters=1411427, **numbers))
    for row in rows:
        run.value(f"{row[0]}_top1", 0.5, 0.48, 0.52, 3000, "share")
    pairs = "points_full points_half fewer_full width_1000 width_4250 bins_full bins_half short_range long_range stem"
    for key in pairs.split():
        run.value(f"sampling_{key}", 0.02, -0.01, 0.05, 3000, "points")


RUNGS = [*SCORES, "family", "size", "items", "passes", "rate"]


def _law(items: float, half: float, limit: float = 0.97) -> float:
    return limit - (limit - 0.05) / (1 + (items / half) ** 1.2)


def _rung_rows(family: str, size: str, items: int, passes: int, rate: float, top1: float) -> list[tuple]:
    """Rows of one point of a curve: pooled, and its training."""
    arm, of = f"{family}_{size}_{items}x{passes}_{rate}", (family, size, items, passes, rate)
    rows = [(arm, "published", "line", 0, 0, k, top1 ** (1 / k), top1, top1, 23000, 1, *of) for k in KS]
    shares = [(k, top1 ** (1 / k)) for k in KS]
    return rows + [
        (arm, "published", "line", -1, -1, k, x, x - 0.01, min(x + 0.01, 1), 23000, 1, *of) for k, x in shares
    ]


def _without_network(k: int) -> list[tuple]:
    place = ("published", "line", -1, -1, k)
    nothing = (None, None, None, 0, None, None, None, None, None)
    return [("ceiling", *place, 0.978 if k == 1 else 1.0, *nothing), ("frequency", *place, 0.07 * k, *nothing)]


def _scaling(run: _Writer) -> None:
    ladder, sizes = (99_000, 297_000, 990_000), {"small": 1.6, "middle": 1.0, "large": 0.7}
    halves = {"resnet": 8e5, "position_resnet": 1.6e5}
    rows, laws, lines = [row for k in KS for row in _without_network(k)], [], []
    for family, half in halves.items():
        for size, slower in sizes.items():
            items = np.array(ladder + (2_170_000, 5_140_000) * (size == "middle"))
            for n in items:
                rows += _rung_rows(family, size, int(n), 1, 0.0, _law(n, slower * half))
            at = np.geomspace(items[0], items[-1], 40)
            value = _law(at, slower * half)
            numbers = {"half": half, "half_low": half / 1.2, "half_high": half * 1.2, "exponent": 1.2}
            numbers |= {
                "exponent_low": 1.0,
                "exponent_high": 1.4,
                "limit": 0.97,
                "limit_low": 0.95,
                "limit_high": 0.978,
            }
            laws.append({"family": family, "size": size, "points": len(items)} | numbers | {"deviation": 0.012})
            place = {"family": family, "size": size, "items": at}
            lines.append(pd.DataFrame(place | {"value": value, "low": value - 0.02, "high": value + 0.02}))
        for n, passes in ((99_000, 10), (99_000, 20), (990_000, 2)):
            rows += _rung_rows(family, "middle", n, passes, 0.0, 0.8 * _law(n * passes, half))
        for end, n in (("fewest", ladder[0]), ("all_sizes", ladder[-1]), ("most", 5_140_000)):
            for k in KS:
                top = _law(n, half) ** (1 / k)
                run.value(f"{family}_{end}_top{k}", top, top - 0.01, top + 0.01, 23000, "share")
        for again in ("99000x10", "99000x20", "990000x2"):
            run.value(f"fresh_{family}_middle_{again}_top1", 0.2, 0.18, 0.22, 23000, "points")
            run.value(f"again_{family}_middle_{again}_top1", 0.3, 0.28, 0.32, 23000, "points")
        run.value(f"wider_{family}_top1", 0.06, 0.05, 0.07, 23000, "points")
        run.value(f"{family}_limit", 0.97, 0.95, 0.978, 23000, "share")
        run.value(f"{family}_exponent", 1.2, 1.0, 1.4, 23000)
    for end, n in (("fewest", ladder[0]), ("all_sizes", ladder[-1]), ("most", 5_140_000)):
        run.value(f"kept_{end}_top1", 0.1, 0.09, 0.11, 23000, "points")
        run.value(f"n_{end}", n)
    for name, n in (("n_repeated", 99_000), ("n_seen", 990_000), ("passes", 10)):
        run.value(name, n)
    run.value("n_test", 23000)
    run.value("ceiling_top1", 0.9783, n=23000, kind="share")
    run.table("scores", **pd.DataFrame(rows, columns=RUNGS).astype({"items": "Int64", "passes": "Int64"}))
    run.table("laws", **pd.DataFrame(laws))
    run.table("law_lines", **pd.concat(lines))
    run.finish()


def _architectures(run: _Writer) -> None:
    rows, times = [row for k in KS for row in _without_network(k)], []
    families = [family for family in NETWORKS if family not in ("trees", "oracle")]
    for place, family in enumerate(families):
        half, limit = 4e5 * 1.5 ** (place % 5 - 2), 0.97 - 0.05 * (place % 7)
        for n in (99_000, 297_000, 990_000):
            rows += _rung_rows(family, "middle", n, 1, 0.0, _law(n, half, limit))
        rows += _rung_rows(family, "middle", 99_000, 1, 7e-4, _law(99_000, 1.1 * half, limit))
        for end, n in (("fewest", 99_000), ("most", 990_000)):
            for k in KS:
                top = _law(n, half, limit) ** (1 / k)
                run.value(f"{family}_{end}_top{k}", top, top - 0.01, top + 0.01, 23000, "share")
    rows += _rung_rows("position_resnet", "large", 2_170_000, 1, 0.0, 0.951)
    for n in (99_000, 297_000):
        rows += [(*row[:12], None, *row[13:]) for row in _rung_rows("trees", "", n, 1, 0.0, _law(n, 1e6, 0.7))]
    rows += [("oracle", *row[1:11], *[None] * 5) for row in _rung_rows("", "", 0, 1, 0.0, 0.976) if row[4] == -1]
    for k, top in zip(KS, (0.951, 0.994, 0.998), strict=True):
        run.value(f"best_top{k}", top, top - 0.003, top + 0.002, 23000, "share")
    for step in ("norm", "fine", "local", "kept", "root", "coordinate", "all"):
        run.value(f"{step}_top1", 0.1, 0.09, 0.11, 23000, "points")
    scores = pd.DataFrame(rows, columns=RUNGS).astype({"items": "Int64", "passes": "Int64"})
    trained = scores[(scores["seed"] == 0) & (scores["k"] == 1) & scores["size"].notna()]
    times = trained[["arm", "split", "seed"]].assign(minutes=trained["items"].astype(float) / 24000, items_per_s=400.0)
    networks = trained.drop_duplicates(["family", "size"])[["family", "size"]]
    run.table("scores", **scores)
    run.table("networks", **networks.assign(parameters=632_771, multiply_adds=2_900_000))
    run.table("training_times", **times.assign(waiting=0.01, device="a processor, 2 cores"))
    for name, value in (
        *(("n_fewest", 99_000), ("n_most", 990_000), ("n_best", 2_170_000), ("n_test", 23_000)),
        *(
            ("n_trees", 297_000),
            ("best_parameters", 2_433_923),
            ("least_parameters", 621_699),
            ("most_parameters", 632_771),
            ("n_seeds", 2),
        ),
    ):
        run.value(name, value)
    for rival, top in (("oracle", 0.976), ("trees", 0.41)):
        for k in KS:
            run.value(f"{rival}_top{k}", top ** (1 / k), top ** (1 / k) - 0.01, top ** (1 / k) + 0.01, 23000, "share")
    for family in ("resnet", "position_resnet"):
        for part, share in (("family", 0.95), ("reading", 0.93), ("whole", 0.9)):
            run.value(f"{family}_{part}", share, n=23000, kind="share")
    run.value("ceiling_top1", 0.9783, n=23000, kind="share")
    run.finish()


def _bias(run: _Writer, table: pd.DataFrame) -> None:
    arms = {
        "real": (24425, 0.47, 0.35, 0.21),
        "random_histogram": (230000, 0.41, 0.74, 0.39),
        "balanced_small": (23000, 0.24, 0.38, 0.42),
        "balanced_middle": (230000, 0.36, 0.55, 0.71),
        "balanced_large": (1150000, 0.38, 0.58, 0.74),
        "wrong_labels": (230000, 0.34, 0.53, 0.66),
    }
    tests, repeats = {"real": (13550, 6775), "histogram": (46000, 23000), "balanced": (46000, 23000)}, [(0, 0), (1, 1)]
    rows, balance, recall = [], [], []
    for arm, (_, *values) in arms.items():
        for (test, sizes), value in zip(tests.items(), values, strict=True):
            rows += _score_rows(arm, value, "published", test, sizes, repeats)
            rows += _score_rows(arm, value + 0.03, "corrected", test, sizes, repeats)
            means = {"balanced_top1": value - 0.1, "macro_f1": value - 0.12, "ece": 0.05}
            balance.append({"arm": arm, "space": "published", "test": test} | means)
            for k, shift in ((1, 0), (3, 0.2), (5, 0.25)):
                run.value(f"{arm}_on_{test}_top{k}", value + shift, value, value + shift + 0.01, sizes[0], "share")
            run.value(f"{arm}_on_{test}_corrected_top1", value + 0.03, value, value + 0.06, sizes[0], "share")
    for kind in tests:
        for test, sizes in tests.items():
            rows += _score_rows(f"frequency_{kind}", 0.1, "published", test, sizes, [])
            run.value(f"frequency_{kind}_on_{test}_top1", 0.1, 0.09, 0.11, sizes[0], "share")
    run.table("scores", **pd.DataFrame(rows, columns=SCORES))
    run.table("balance", **pd.DataFrame(balance))
    run.table("sets", arm=list(arms), n_train=[size for size, *_ in arms.values()])
    n = len(table)
    for arm, (size, *_) in arms.items():
        shares = np.full(n, 1 / n) if "balanced" in arm else np.exp(-np.arange(n) / 9)
        for test in ("real", "balanced"):
            items = np.floor(size * shares / shares.sum())
            score = np.log1p(items) / 14
            place = {"arm": arm, "test": test, "class_index": table["index"], "symbol": table["symbol"]}
            recall.append(pd.DataFrame(place | {"n_train": items, "n_test": 230, "recall": score}))
    run.table("recall", **pd.concat(recall))
    effects = {
        "gap_balanced": 0.32, "expected_balanced": 0.08, "not_learnt_balanced": 0.24, "gap_histogram": 0.19,
        "expected_histogram": 0.12, "not_learnt_histogram": 0.07, "real_balanced_large": -0.06,
        "real_balanced_small": -0.12, "real_random_histogram": -0.05, "labels_real": -0.02, "size_real": 0.14,
        "labels_histogram": -0.02,
        "size_histogram": 0.2, "labels_balanced": -0.05, "size_balanced": 0.32,
    }  # fmt: skip
    for key, value in effects.items():
        run.value(f"{key}_top1", value, value - 0.008, value + 0.008, 46000, "points")
    values = np.array(list(effects.values()))
    run.table("effects", effect=list(effects), value=values, low=values - 0.008, high=values + 0.008)
    for name, value in (
        ("n_crystals", 30587),
        ("n_types", 8214),
        ("n_learnt", 18179),
        ("n_pyxtal", 920),
        ("n_items", 1150000),
        ("n_small", 23000),
        ("n_middle", 230000),
        ("n_large", 1150000),
    ):
        run.value(name, value)
    run.value("n_seeds", 2)
    run.value("n_parameters", 2460003)
    run.value("wrong_group_share", 0.171, n=230000, kind="share")
    run.value("wrong_class_share", 0.116, n=230000, kind="share")
    run.finish()


def _measured(run: _Writer) -> None:
    rows, steps = [], []
    repeats = [(fold, seed) for fold in (2, 3, 4) for seed in (0, 1)]
    arms = (*MEASURED, "fine_tuned_longer", *(key for key in INSTEAD if key not in MEASURED))
    top1 = dict(zip(arms, np.linspace(0.1, 0.42, len(arms)), strict=True)) | {"training_frequencies": 0.08}
    tests = {"measured": (283, 94), "measured_shown": (150, 50), "measured_not_shown": (133, 44), "named": (111, 22)}
    for arm, value in top1.items():
        trainings = [] if "frequencies" in arm else repeats
        kinds = ["measured"] if "frequencies" in arm else list(tests)
        if trainings and "tuned" not in arm and arm != "measured_alone":
            kinds.append("simulated")
        for test in kinds:
            for space, kind, lower in (("space_group", "sg", 0.03), ("published", "eg", 0.0)):
                sizes = tests.get(test, (2000, 2000))
                rows += _score_rows(arm, value - lower, space, test, sizes, trainings)
                for k in KS:
                    least = value - lower + 0.1 * (k > 1)
                    run.value(f"{arm}_{kind}_on_{test}_top{k}", least, least - 0.05, least + 0.05, sizes[0], "share")
    for arm in ("both_worlds", "fine_tuned"):
        for step in (step for step in AT_TEST if arm == "both_worlds" or "together" not in step):
            for space, kind, lower in (("space_group", "sg", 0.03), ("published", "eg", 0.0)):
                steps += _score_rows(f"{arm}_{step}", top1[arm] - lower, space, "measured", tests["measured"], repeats)
                for k in KS:
                    least = top1[arm] - lower + 0.1 * (k > 1)
                    low, high = least - 0.05, least + 0.05
                    run.value(f"step_{arm}_{step}_{kind}_top{k}", least, low, high, tests["measured"][0], "share")
    run.table("scores", **pd.DataFrame(rows, columns=SCORES))
    run.table("steps", **pd.DataFrame(steps, columns=SCORES))
    ways = {f"without_{key}": -0.02 * i for i, key in enumerate(LEFT_OUT)}
    ways |= {f"{key}_instead": -0.1 for key in ("laboratory", "clean", "random", "published")} | {"known": 0.03}
    ways |= {f"{key}_instead": -0.01 * i for i, key in enumerate(INSTEAD)}
    ways = {f"{way}_{test}": value for way, value in ways.items() for test in ("measured", "simulated")}
    ways |= {"fine_tuning_measured": 0.1, "simulation_measured": 0.2, "known_fine_tuned_measured": 0.03}
    for way, value in ways.items():
        run.value(way, value, value - 0.03, value + 0.03, 283, "points")
    values = np.array(list(ways.values()))
    run.table("effects", effect=list(ways), value=values, low=values - 0.03, high=values + 0.03)
    coverage = np.arange(10, 0, -1) / 10
    curves = [
        {"test": test, "kind": kind, "coverage": c, "threshold": 1 - c, "n": round(283 * c), "right": 0.9 - 0.5 * c}
        for test in ("measured", "simulated", "measured_tuned", "simulated_tuned")
        for kind in ("plain", "tempered")
        for c in coverage
    ]
    run.table("risk", **pd.DataFrame(curves))
    for test in ("measured", "simulated", "measured_tuned", "simulated_tuned"):
        run.value(f"half_refused_{test}", 0.65, n=141, kind="share")
        for kind in ("plain", "tempered"):
            run.value(f"ece_{test}_{kind}", 0.05, n=283)
    for world in ("real", "laboratory", "clean"):
        for feature in ("all", "coverage", "noise", "noise_correlation", "background", "width", "narrowest",
                        "peaks_30", "peaks_10", "peaks_3", "first_peak", "wide_angles"):  # fmt: skip
            run.value(f"auc_{world}_{feature}", 0.9)
    run.value("auc_answers", 0.9)
    run.value("temperature", 1.3)
    run.value("refuse_below", 0.3)
    run.value("given", 0.4, kind="share")
    run.value("given_right", 0.6, n=113, kind="share")
    run.value("step", 0.04)
    counts = {"n_patterns": 471, "n_clusters": 261, "n_reported": 283, "n_known": 960, "n_train": 25113}
    counts |= {"n_held_out": 2000, "n_random": 115000, "n_seeds": 2, "n_parameters": 620003}
    for name, value in (counts | {"n_splits": 5}).items():
        run.value(name, value)
    run.finish()


NEUTRON_ARMS = {"xray": (0.56, 0.21), "neutron": (0.24, 0.61), "both": (0.53, 0.58), "frequency": (0.06, 0.06)}
"""Scores on X-ray and on neutron patterns."""


def _neutrons(run: _Writer, generator: np.random.Generator, programs: bool) -> None:
    repeats, rows, effects = [(0, 0), (1, 1)], [], {"radiation": 0.05, "radiation_both": 0.04}
    tests = {"xray": (0, 0.0), "neutron": (1, 0.0), "xray_permuted": (0, -0.04), "neutron_permuted": (1, -0.05)}
    few = {"ours_xray": (0, 0.01), "alike_xray": (0, 0.0), "crysfml_xray": (0, -0.01)}
    few |= {"ours_neutron": (1, 0.01), "crysfml_neutron": (1, 0.009)}
    for test, (column, shift) in (tests | few if programs else tests).items():
        sizes = (6000, 3000) if test in tests else (600, 300)
        for arm, values in NEUTRON_ARMS.items():
            guess = arm == "frequency"
            value = values[column] + shift * (not guess)
            rows += _score_rows(arm, value, "published", test, sizes, [] if guess else repeats)
            for k, more in zip(KS, (0, 0.15, 0.2), strict=True):
                run.value(f"{arm}_on_{test}_top{k}", value + more, value, value + more + 0.01, sizes[0], "share")
    run.table("scores", **pd.DataFrame(rows, columns=SCORES))
    for kind in ("xray", "neutron"):
        effects |= {f"other_{kind}": -0.35, f"both_{kind}": -0.03}
        effects |= {f"permuted_{arm}_{kind}": -0.04 for arm in ("xray", "neutron", "both")}
    if programs:
        effects |= {
            f"{part}_{arm}_xray": -0.01 for part in ("program", "alike", "remaining") for arm in ("xray", "both")
        }
        effects |= {f"program_{arm}_neutron": -0.001 for arm in ("neutron", "both")}
        profiles = {"xray": -1.5, "alike": -2.3, "neutron": -3.8}
        apart = {key: 10 ** generator.normal(middle, 0.4, 600) for key, middle in profiles.items()}
        run.table(
            "profiles",
            compared=np.repeat(list(apart), 600),
            split=np.tile(np.repeat([0, 1], 300), 3),
            max_difference=np.concatenate([*apart.values()]),
            other_length=[key == "neutron" and i % 75 == 0 for key in apart for i in range(600)],
        )
        for key in (*apart, "neutron_same_lengths"):
            run.value(f"profile_{key}_median", 0.01, n=600, kind="share")
            run.value(f"profile_{key}_max", 0.2, n=600, kind="share")
        run.value("crysfml", "CrysFML 0.8.0", kind="text")
        run.value("n_crysfml", 300)
    of_programs = {key: key.startswith(("program", "alike", "remaining")) for key in effects}
    for name, other in (("effects", False), ("program_effects", True)):
        if keys := [key for key in effects if of_programs[key] is other]:
            values = np.array([effects[key] for key in keys])
            run.table(name, effect=keys, value=values, low=values - 0.008, high=values + 0.008, split0_seed0=values)
    for key, value in effects.items():
        run.value(key, value, value - 0.008, value + 0.008, 6000, "points")
    for name, value in (("n_crystals", 30012), ("n_left_out", 575), ("n_without_length", 561), ("items", 207_000)):
        run.value(name, value)
    for name, value in (("n_train", 24010), ("n_test", 3000), ("n_seeds", 2), ("n_parameters", 632_771)):
        run.value(name, value)
    run.value("n_types_test", 912, n=3000)
    run.value("median_correlation", 0.61, n=3000)
    run.finish()


def _random_crystals(run: _Writer, generator: np.random.Generator) -> None:
    keys = {"PyXtal": "pyxtal", "ours": "ours", "ours, as in the database": "database", "real": "real"}
    sizes = {"PyXtal": 920, "ours": 4600, "ours, as in the database": 4600, "real": 3127}
    shares = {"PyXtal": (0.723, 0.834, 0.721, 0.833, 0.091), "real": (None, None, None, None, 0.061)}
    marks = ("group_0.01", "class_0.01", "group_0.1", "class_0.1", "hidden")
    truth, by_group = [], []
    for name, size in sizes.items():
        measured = shares.get(name, (0.9998, 1.0, 0.9991, 1.0, 0.024))
        rate = {"PyXtal": 13.4, "real": None}.get(name, 987.6)
        truth.append({"program": name, **dict(zip(marks, measured, strict=True)), "crystals": size})
        for mark, share in zip(marks, measured, strict=True):
            if share is not None:
                short = mark.replace("0.01", "fine").replace("0.1", "coarse")
                run.value(f"{keys[name]}_{short}_share", share, share - 0.002, min(share + 0.002, 1.0), size, "share")
        if name != "real":
            per_group = size // 230
            found = generator.binomial(per_group, measured[0], 230) / per_group
            by_group += [(name, group, *[share] * 5, per_group) for group, share in enumerate(found, start=1)]
            run.timing(f"{keys[name]}_per_second", rate, "rate", n=size)
    run.table("truth", **pd.DataFrame(truth))
    run.table("by_group", **pd.DataFrame(by_group, columns=["program", "space_group", *marks, "n"]))
    reasons = {
        "no composition fits the group": 660,
        "volume per atom out of range": 0,
        "no cell with this volume keeps the rules": 3,
        "an atom too close to its own image": 25,
        "no place found for all atoms": 20535,
        "too few or too many sites": 0,
        "a translation beyond the group": 3655,
        "a rotation beyond the group": 2205,
        "composition given up": 205,
    }
    rejections = [("ours", reason, count, count / 4600) for reason, count in reasons.items()]
    rejections.append(("PyXtal", "PyXtal gives up: no valid structure", 41, 41 / 920))
    run.table("rejections", **pd.DataFrame(rejections, columns=["program", "reason", "count", "per_crystal"]))
    quantities = ("volume", "volume_per_atom", "atoms", "edge_ratio", "positions", "shortest_distance", "reflections")
    pairs = ("same compositions", "same compositions, label true", "real", "real, database statistics")
    distances = [
        (pair, quantity, *generator.uniform(0.01, 0.6, 1), 0.04, 1.2, 1.3, 4600, 3127)
        for pair in pairs
        for quantity in (*quantities, "multiplicity")
    ]
    columns = ["pair", "quantity", "distance", "noise", "median_a", "median_b", "n_a", "n_b"]
    run.table("distances", **pd.DataFrame(distances, columns=columns))
    middle = dict(zip(quantities, (700, 25, 30, 1.8, 5, 2, 180), strict=True))
    curves = {
        f"{key}_{quantity}": np.sort(value * np.exp(generator.normal(0.1 * i, 0.5, 401)))
        for i, key in enumerate(keys.values())
        for quantity, value in middle.items()
    }
    curves |= {f"{key}_multiplicity": np.sort(generator.choice([1 / 24, 0.25, 0.5, 1], 401)) for key in keys.values()}
    run.arrays("curves", share=np.linspace(0, 1, 401), **curves)
    lines = [cubic_lines(a, seed=s) for a, s in ((3.9, 1), (5.3, 2), (8.1, 3))]
    run.arrays("three", two_theta=TWO_THETA, patterns=np.array([profile_of(x) for x in lines]))
    run.table(
        "three",
        a=[6.9, 5.2, 12.1],
        b=[7.5, 7.9, 8.1],
        c=[7.2, 10.5, 8.1],
        alpha=[90.0] * 3,
        beta=[98.2, 117.4, 90.0],
        gamma=[90.0] * 3,
        row=[0, 1, 2],
        source_id=["random-5-3", "random-5-7", "random-5-10"],
        formula=["CaDySn", "Na2Tl4Cl7O3", "Sr4Al6SO16"],
        n_atoms=[12, 24, 48],
        space_group=[14] * 3,
        symbol=["P 1 21/c 1"] * 3,
    )
    elements = [["Ca", "Dy", "Sn"] * 4, ["Na", "Tl", "Cl", "O"] * 6, ["Sr", "Al", "S", "O"] * 12]
    points = np.vstack([[[0, 0, 0]], generator.random((83, 3))])
    run.table(
        "three_atoms",
        row=np.repeat([0, 1, 2], [12, 24, 48]),
        **dict(zip("xyz", points.T, strict=True)),
        element=[element for part in elements for element in part],
        radius=generator.uniform(0.6, 1.9, 84),
    )
    for name, value in (
        ("symprec_fine", 0.01),
        ("symprec_coarse", 0.1),
        ("n_learnt", 29876),
        ("n_timed_out", 3),
        ("n_same_composition", 801),
        ("too_symmetric_per_crystal", 1.27),
        ("too_close_share", 0.0),
        ("worst_group_share", 0.95),
        ("pyxtal_worst_share", 0.0),
        *((f"largest_distance_{key}", 0.1) for key in ("pyxtal", "pyxtal_true", "real", "database")),
        *((f"noise_{key}", 0.04) for key in ("pyxtal", "pyxtal_true", "real", "database")),
    ):
        run.value(name, value, n=920, kind="share" if name.endswith("_share") else None)
    run.timing("speed_ratio", 61.2, "ratio", n=920)
    run.finish()


def _labels(run: _Writer, table: pd.DataFrame, generator: np.random.Generator) -> None:
    trainings = [(0, 0), (0, 1), (1, 0)]
    rows = []
    for arm, space, key, top1 in (
        ("summed", "published", "summed", 0.571),
        ("direct", "published", "direct", 0.612),
        ("frequency", "published", "frequency", 0.117),
        ("space_group", "space_group", "sg", 0.49),
        ("frequency", "space_group", "sg_frequency", 0.1),
    ):
        rows += _score_rows(arm, top1, space, "test", (4000, 2000), [] if arm == "frequency" else trainings)
        for row in rows:
            if row[:4] == (arm, space, "test", -1):
                run.value(f"{key}_top{row[5]}", *row[6:10], "share")
    for space in ("published", "space_group"):
        rows += [("ceiling", space, "test", -1, -1, k, 0.9798 if k == 1 else 1.0, None, None, None, 0) for k in KS]
    for test in ("line", "laue"):
        for name, top1 in ((f"{test}_position_sg_99000", 0.1), (f"{test}_position_sg", 0.3)):
            rows += _score_rows(name, top1, "space_group", test, (4600, 4600), [(0, 0)])
        rows += [("ceiling", "space_group", test, -1, -1, k, 0.2 * k + 0.2, None, None, None, 0) for k in KS]
    run.value("ideal_items", 990_000)
    for name in (
        "beside_chance_laue_position_sg",
        "beside_chance_line_position_sg",
        "difference_laue_position_top1",
        "difference_line_position_top1",
        "difference_line_resnet_top1",
        "within_permuted",
        "within_test",
    ):
        run.value(name, 0.02, 0.01, 0.03, 4600, "points")
    for name in (
        "laue_position_sg_space_group_top1",
        "laue_position_sg_space_group_top3",
        "laue_position_sg_space_group_top5",
        "line_position_sg_space_group_top1",
        "line_position_sg_space_group_top3",
        "line_position_sg_space_group_top5",
        "within_test_commonest",
        "within_test_network",
    ):
        run.value(name, 0.5, 0.48, 0.52, 4600, "share")
    run.value("line_n_seeds", 3)
    run.table("scores", **pd.DataFrame(rows, columns=SCORES))
    history = [
        (arm, split, seed, 100 * i, 12800 * i, 4 * np.exp(-i / 6), 0.6 * (1 - np.exp(-i / slow)) - 0.02 * seed, 1e-3)
        for arm, slow in (("space_group", 4), ("direct", 5))
        for split, seed in trainings
        for i in range(1, 21)
    ]
    columns = ["arm", "split", "seed", "step", "items", "loss", "validation_top1", "lr"]
    run.table("history", **pd.DataFrame(history, columns=columns))
    run.table(
        "per_class",
        class_index=table["index"],
        symbol=table["symbol"],
        n_train=300,
        n_test=generator.integers(1, 90, len(table)),
        direct_top1=generator.uniform(0.2, 0.9, len(table)),
        summed_top1=generator.uniform(0.2, 0.9, len(table)),
    )
    run.table("confusions", true_symbol=["P - - -"], predicted_symbol=["C - - -"], count=[12], share=[0.06])
    run.table("split", id=["mp-1"], part=["test"], space_group=[14], class_index=[3])
    run.table("calibration", arm=["direct", "summed"], ece=[0.041, 0.052])
    for name, value in (
        ("n_train", 24469),
        ("n_validation", 2059),
        ("n_test", 4059),
        ("n_groups_test", 171),
        ("n_parameters", 631459),
        ("n_seeds", 2),
        ("n_splits", 2),
        ("passes", 20),
    ):
        run.value(name, value)
    run.value("difference_real_top1", 0.041, 0.029, 0.053, 4000, "points")
    run.value("balanced_direct", 0.331, 0.301, 0.361, 4000, "share")
    run.value("balanced_summed", 0.302, 0.272, 0.332, 4000, "share")
    run.finish()


def _interpretability(run: _Writer, table: pd.DataFrame, generator: np.random.Generator, classes: int | None) -> None:
    shown = np.arange(len(table))[:classes]
    numbers = np.arange(1, 231)[: None if classes is None else 2 * classes]
    pools = [_mean_maps(i) for i in range(12)]

    def stacked(which: int, n: int) -> np.ndarray:
        return np.array([np.roll(pools[i % 12][which], 7 * i) for i in range(n)], dtype=np.float32)

    run.arrays(
        "maps",
        two_theta=TWO_THETA,
        class_index=shown,
        class_count=generator.integers(0 if classes is None else 1, 60, len(shown)),
        class_pattern=stacked(0, len(shown)),
        class_ig=stacked(1, len(shown)),
        class_cam=stacked(2, len(shown)),
        group_number=numbers,
        group_count=generator.integers(1, 60, len(numbers)),
        group_pattern=stacked(0, len(numbers)),
        group_ig=stacked(1, len(numbers)),
    )
    run.table(
        "completeness",
        id=["mp-1", "mp-2"],
        space_group=[14, 225],
        class_index=[3, 90],
        score_difference=[7.1, 9.2],
        delta=[0.002, -0.003],
        relative_delta=[0.0003, 0.0004],
        steps=[64, 64],
    )
    lines = cubic_lines(7.3, seed=9)
    pattern = profile_of(lines)
    run.arrays("worked", two_theta=TWO_THETA, pattern=pattern, ig=_signed(pattern, 4), cam=pools[0][2])
    run.table("worked", **lines.assign(attribution=generator.normal(0, 0.3, len(lines))))
    run.table(
        "worked_info",
        source_id=["mp-3"],
        formula=["Ca3Al2Si3O12"],
        space_group=[230],
        symbol=["I a -3 d"],
        class_symbol=["I a - d (cubic)"],
        probability=[0.873],
        correct=[True],
    )
    for name, value, kind in (
        ("n_patterns", 512, "count"),
        ("max_relative_delta", 0.0123, "share"),
        ("share_within", 0.994, "share"),
        ("tolerance", 0.01, "share"),
        ("cam_resolution", 5.95, "number"),
        ("cam_positions", 15, "count"),
        ("n_judged", 60, "count"),
        ("n_pairs", 300, "count"),
        ("height", 0.001, "share"),
        ("height_measured", 0.1, "share"),
        ("noise_low", 0.002, "deviation"),
        ("noise_median", 0.01, "deviation"),
        ("noise_high", 0.05, "deviation"),
    ):
        run.value(name, value, n=512, kind=kind)
    _changed_lines(run)
    run.finish()


MAP_EFFECTS = ("deletion", "ig_zero", "ig_background", "insertion", "moved", "ig_filled")


def _maps(run: _Writer, classes: int | None) -> None:
    """Maps by hkl of the first classes and space groups: allowed families say a little for, forbidden ones against."""
    kinds = {
        "class": (class_symbols("published"), [members[0] for members in extinction_classes("published")]),
        "group": ([symbol(number) for number in SPACE_GROUPS], list(SPACE_GROUPS)),
    }
    box = np.array(list(itertools.product(range(-4, 5), repeat=3)))
    for key, (symbols, first) in kinds.items():
        shown, parts = np.arange(len(symbols))[:classes], []
        for label in shown:
            hkl = np.unique(representatives(first[label], box), axis=0)
            hkl = hkl[hkl.any(axis=1) & (np.abs(hkl).max(axis=1) <= 4)][:60]
            allowed = ~is_forbidden(first[label], hkl)
            parts.append({"label": np.full(len(hkl), label), "hkl": hkl, "allowed": allowed})
        columns = {name: np.concatenate([part[name] for part in parts]) for name in ("label", "hkl", "allowed")}
        allowed, wave = columns["allowed"], np.sin(np.arange(len(columns["allowed"])))
        for effect in MAP_EFFECTS:
            known = allowed == (effect in MAP_EFFECTS[:3])
            columns[effect] = np.where(known, np.where(allowed, 0.4, -3.0) + wave, np.nan).astype(np.float16)
            columns[f"{effect}_random"] = (0.05 * columns[effect]).astype(np.float16)
        height = np.where(allowed, 0.5 + 0.4 * wave, 0).astype(np.float16)
        n = np.where(np.arange(len(allowed)) % 9, 12, 2).astype(np.int16)
        run.arrays(
            f"{key}_maps", **columns, height=height, error=np.full(len(n), 0.3, dtype=np.float16), n=n, n_ig=n // 3
        )
        rows = {"label": shown, "symbol": [symbols[i] for i in shown], "space_group": [first[i] for i in shown]}
        run.table(f"{key}_labels", **rows, crystals=12, right=9)
        run.value(f"{key}_labels", len(shown))
        run.value(f"{key}_labels_shown", len(shown))
        run.value(f"{key}_right", 0.7, n=900, kind="share")
        _map_values(run, key)
    run.table("completeness", map=["class_ig_zero"], n=[500], steps=[152.0], within=[1.0], median=[0.01], worst=[0.2])
    counts = (
        ("n_patterns", 1071),
        ("n_mapped", 500),
        ("highest", 4),
        ("most", 40),
        ("fewest", 4),
        ("lowest", 4),
        ("n_effects", 60000),
    )
    for name, value in counts:
        run.value(name, value)
    for name, value in (("share_within", 0.99), ("height", 0.001), ("tolerance", 0.02)):
        run.value(name, value, kind="share")
    run.finish()


def _map_values(run: _Writer, key: str) -> None:
    for effect in MAP_EFFECTS:
        sign = 1 if effect in MAP_EFFECTS[:3] else -1
        for ending, size in (("", 1.0), ("_random", 0.02)):
            run.value(f"{key}_{effect}{ending}", 2.1 * sign * size, low=1.8 * sign, high=2.4 * sign, n=900)
            for name in ("share", "classes"):
                run.value(f"{key}_{effect}_{name}{ending}", 0.5 + 0.4 * size, low=0.48, high=0.93, n=900, kind="share")
        run.value(f"{key}_{effect}_difference", 2.0 * sign, low=1.8 * sign, high=2.4 * sign, n=900)
        run.value(f"{key}_{effect}_share_difference", 0.4, low=0.38, high=0.42, n=900, kind="points")
        run.value(f"{key}_survive_{effect}", 0.08, low=0.02, high=0.14, n=60)
    for kind, ending in itertools.product(("all", *LIFTED), ("", "_random")):
        for name in ("insertion", "place"):
            run.value(f"{key}_{name}_{kind}{ending}", -1.2, low=-1.4, high=-1.0, n=500)
    for effect in ("deletion", "insertion", "moved"):
        for name in ("low", "high", "fall", "fall_random"):
            run.value(f"{key}_{effect}_{name}", -0.7, low=-0.9, high=-0.5, n=500)
    for ending in ("", "_random"):
        run.value(f"{key}_place_low{ending}", -0.3, low=-0.4, high=-0.2, n=500)
        run.value(f"{key}{ending}_ig_zero_delta", 0.05, n=500)
    for kind in ("all", *LIFTED):
        run.value(f"{key}_insertion_share_{kind}", 0.88, low=0.85, high=0.9, n=500, kind="share")
        run.value(f"{key}_ig_filled_{kind}", -0.9, low=-1.0, high=-0.8, n=300)
    for name, ending in itertools.product(
        ("deletion_deciding", "deletion_others", "deciding_difference", "deciding_matched"), ("", "_random")
    ):
        run.value(f"{key}_{name}{ending}", 0.6, low=0.5, high=0.7, n=500)
    for name, ending in itertools.product(("ig_zero", "ig_background", "ig_filled"), ("", "_random")):
        run.value(f"{key}_agree_{name}{ending}", 0.3, low=0.25, high=0.35, n=60)


def _changed_lines(run: _Writer) -> None:
    """Answers about lines put in and taken away: the own class falls with the height, the others rise."""
    heights = np.array([0.0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0])
    rise = np.linspace(0.02, 0.9, len(heights))
    tables: dict[str, list[pd.DataFrame]] = {"insertions": [], "deletions": []}
    for name, worlds, counts, places in (
        ("insertions", ("clean", "measured"), (0, 1, 4), ("lattice", "moved")),
        ("deletions", ("clean",), (0,), ("deciding", "others")),
    ):
        for world, network, kind, count, place in itertools.product(
            worlds, ("trained", "random"), LIFTED, counts, places
        ):
            strength = (0.9 if place == places[0] else 0.3) * (network == "trained")
            change = strength * (rise if name == "insertions" else rise[::-1])
            answers = {"own": 0.9 - 0.9 * change, "other": 0.5 * change, "fits": 0.7 * change}
            answers["neither"] = 1 - answers["own"] - answers["fits"]
            for answer, value in answers.items():
                columns = {"network": network, "kind": kind, "count": count, "place": place, "height": heights}
                columns |= {"answer": answer, "value": value, "low": value - 0.03, "high": value + 0.03, "n": 150}
                tables[name].append(pd.DataFrame(columns | {"world": world}))
    for world, kind in itertools.product(("", "measured_"), ("all", *LIFTED)):
        for name in ("before", "own_lattice", "own_moved", "fits_lattice", "fits_moved"):
            run.value(f"{world}{name}_{kind}", 0.42, low=0.39, high=0.45, n=150, kind="share")
        for name in ("difference", "withdrawn", "random_difference"):
            run.value(f"{world}{name}_{kind}", 0.08, low=0.05, high=0.11, n=150, kind="points")
    for pair, place in itertools.product(("f_cubic", "i_cubic", "d_glide"), ("lattice", "moved")):
        run.value(f"{pair}_{place}", 0.88, low=0.79, high=0.95, n=40, kind="share")
    for answer, place in itertools.product(("own", "fits"), ("deciding", "others")):
        run.value(f"deleted_{answer}_{place}", 0.31, low=0.27, high=0.35, n=150, kind="share")
    run.value("deleted_difference", 0.08, low=0.05, high=0.11, n=150, kind="points")
    for region, which in itertools.product(("allowed", "forbidden", "off"), ("points", *JUDGED_MAPS)):
        run.value(f"{region}_{which}", 0.33, low=0.31, high=0.35, n=60, kind="share")
        run.value(f"{region}_difference_{which}", -0.03, low=-0.05, high=-0.01, n=60, kind="points")
    for question, which in itertools.product(("deletion", "insertion", "survival"), JUDGED_MAPS):
        run.value(f"{question}_{which}", 0.41, low=0.38, high=0.44, n=60)
        run.value(f"{question}_difference_{which}", 0.12, low=0.05, high=0.19, n=60)
    for name, parts in tables.items():
        table = pd.concat(parts, ignore_index=True)
        run.table(name, **(table if name == "insertions" else table.drop(columns=["world", "count"])))


def _signed(pattern: np.ndarray, seed: int) -> np.ndarray:
    waves = np.random.default_rng(seed).normal(size=25)
    signed = pattern * np.interp(TWO_THETA, np.linspace(5, 90, 25), waves)
    return signed / np.abs(signed).max()


def _mean_maps(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    parts = [profile_of(cubic_lines(5 + 0.7 * seed + 0.1 * i, seed=10 * seed + i)) for i in range(3)]
    pattern = np.mean(parts, axis=0)
    cam = np.exp(-0.5 * ((TWO_THETA - 20 - 5 * seed) / 9) ** 2)
    return pattern / pattern.max(), _signed(pattern, seed), cam


def _groups_apart(run: _Writer) -> None:
    """Scores under controls, by type and class, and distances of answers from the truth."""
    controls = ("test", "permuted", "scaled_900", "scaled_970", "scaled_1030", "scaled_1100", "shape", "all")
    drops = dict(zip(controls, (0.0, 0.05, 0.2, 0.04, 0.05, 0.22, 0.3, 0.4), strict=True))
    top = {"in_class": 0.85, "direct": 0.7, "summed": 0.68}
    places = ((-1, -1), (0, 0), (1, 1))
    rows = [
        {"score": score, "control": control, "split": split, "seed": seed, **_interval(top[score] - drops[control])}
        for score, control, (split, seed) in itertools.product(top, controls, places)
    ]
    rows += [{"score": "in_class", "control": "commonest", "split": s, "seed": s, **_interval(0.6)} for s in (-1, 0, 1)]
    run.table("controls", **pd.DataFrame(rows))
    for row in rows:
        run.value(f"{row['score']}_{row['control']}", row["value"], row["low"], row["high"], 9000, kind="share")
    changed = [f"{score}_{control}" for score in top for control in (*controls[1:], "rescaled")]
    changed += [f"gain_{control}" for control in controls]
    for name in (*changed, "gain_known_types"):
        run.value(f"change_{name}", -0.08, low=-0.11, high=-0.05, n=9000, kind="points")
    kinds = {"type": ("0", "1", "2", "3"), "system": ("cubic", "trigonal", "hexagonal")}
    kinds["class"] = class_symbols("published")[:20]
    run.value("largest_class", "P - - - (hexagonal)", kind="text")
    run.value("largest_gain", 0.41, low=0.3, high=0.5, n=190, kind="points")
    run.value("largest_guess", 0.24, low=0.2, high=0.3, n=190, kind="share")
    run.value("largest_share", 0.42, n=38, kind="share")
    gains = [f"gain_{control}" for control in controls]
    parts = [
        {"by": by, "kind": kind, "score": score, **_interval(0.5 + 0.02 * i), "n": 900 - i}
        for by, names in kinds.items()
        for i, kind in enumerate(names)
        for score in (*controls, "commonest", *gains)
    ]
    run.table("parts", **pd.DataFrame(parts))
    for part in parts:
        if part["by"] != "class":
            kind = "points" if part["score"] in gains else "share"
            ends = {"low": part["low"], "high": part["high"], "n": 900, "kind": kind}
            run.value(f"{part['by']}_{part['kind']}_{part['score']}", part["value"], **ends)
    whos = ("network", "draws", "commonest")
    shares = {"network": (0.6, 0.2, 0.12, 0.05, 0.02, 0.01, 0.0), "draws": (0.04, 0.1, 0.2, 0.35, 0.25, 0.05, 0.01)}
    shares["commonest"] = (0.08, 0.15, 0.2, 0.3, 0.2, 0.05, 0.02)
    far = [
        {"arm": arm, "who": who, "distance": edges, "split": split, "seed": seed, **_interval(shares[who][edges])}
        for arm, who, edges, (split, seed) in itertools.product(("space_group", "direct"), whos, range(7), places)
    ]
    run.table("distances", **pd.DataFrame(far))
    relations = {"one_edge": 0.5, "t": 0.35, "k": 0.15, "t_up": 0.2, "t_down": 0.15, "same_class": 0.3}
    near = []
    for arm, who, (split, seed) in itertools.product(("space_group", "direct"), (*whos, "above_draws"), places):
        for relation, value in relations.items():
            place = {"arm": arm, "who": who, "relation": relation, "split": split, "seed": seed}
            near.append(place | _interval(value * (1 if who == "network" else 0.3)))
    run.table("near", **pd.DataFrame(near))
    for row in near:
        kind = "points" if row["who"] == "above_draws" else "share"
        name = f"{row['arm']}_{row['who']}_{row['relation']}"
        run.value(name, row["value"], row["low"], row["high"], 6000, kind=kind)
    for arm, who in itertools.product(("space_group", "direct"), whos):
        run.value(f"{arm}_{who}_mean", 0.8 if who == "network" else 2.6, low=0.7, high=2.7, n=15000)
        run.value(f"{arm}_{who}_within_one", 0.6, low=0.58, high=0.62, n=15000, kind="share")
    for name, count in {"n_edges_t": 700, "n_edges_k": 450, "diameter": 6, "n_trainings_06": 5, "n_seeds": 2}.items():
        run.value(name, count)
    run.value("n_splits", 2)
    run.value("mean_pair", 3.1)
    run.value("change", 0.1, kind="share")
    for name, value in {"scale_small": 0.9, "scale_large": 1.1}.items():
        run.value(name, value)
    run.finish()


def _interval(value: float) -> dict[str, float | int]:
    return {"value": value, "low": value - 0.02, "high": value + 0.02, "n": 9000}
