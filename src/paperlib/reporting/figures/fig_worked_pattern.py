"""One pattern, its reflections, and which of them spoke for the answer."""

from __future__ import annotations

from matplotlib.figure import Figure

from paperlib.lab.results import Results
from paperlib.reporting import marks, style
from paperlib.reporting.symbols import extinction_symbol, formula_symbol, space_group_symbol

STEM = "12_interpretability"
NEEDS = (STEM,)
CAPTION_NOTE = "Red areas speak for the class, blue ones against it; strip: Grad-CAM, smooth by construction."


@style.look()
def draw(results: Results) -> Figure:
    """Pattern with hkl; beneath it integrated gradients, and Grad-CAM as a strip."""
    arrays = results.arrays(STEM, "worked")
    lines = results.table(STEM, "worked")
    info = results.table(STEM, "worked_info").iloc[0]
    two_theta = arrays["two_theta"]
    fig = style.figure("double", 3.4)
    top, middle, bottom = fig.subplots(3, 1, sharex=True, height_ratios=(2.2, 1.2, 0.22))

    top.plot(two_theta, arrays["pattern"] / arrays["pattern"].max(), color=style.PATTERN, lw=0.8)
    top.vlines(lines["two_theta"], -0.11, -0.03, color=style.PATTERN, lw=0.5)
    shown = marks.chosen_lines(lines, 25, 1.8)
    heights = marks.height_at(two_theta, arrays["pattern"] / arrays["pattern"].max(), shown["two_theta"].to_numpy())
    marks.label_lines(top, shown, heights)
    verdict = "correct" if str(info["correct"]).lower() in ("true", "1", "1.0", "yes") else "wrong"
    top.set_title(
        f"{formula_symbol(str(info['formula']))}, {space_group_symbol(str(info['symbol']))} "
        f"(No. {info['space_group']}): class {extinction_symbol(str(info['class_symbol']))} "
        f"with probability {info['probability']:.2f} ({verdict})",
        loc="left",
    )
    top.set(ylabel="intensity", ylim=(-0.13, 1.28), xlim=(two_theta[0], two_theta[-1]))

    marks.signed_fill(middle, two_theta, arrays["ig"], 0.0, 1.0, lw=0.7)
    middle.set(ylabel="integrated\ngradients", ylim=(-1.05, 1.05))
    marks.band(bottom, two_theta, arrays["cam"], 0, 1)
    bottom.set_ylabel("Grad-\nCAM", rotation=0, ha="right", va="center")
    bottom.set(xlabel=marks.TWO_THETA, ylim=(0, 1))
    for ax in (top, middle, bottom):
        marks.bare(ax)
    for ax in (top, middle):
        ax.tick_params(labelbottom=False)
    style.stamp(fig, results, STEM, 1)
    return fig
