"""What a network says about a pattern, as HTML: the best classes with bars, and the lines that decide."""

from __future__ import annotations

from paperlib.answers.answer import class_name, members, systems
from paperlib.answers.lines import angle_of
from paperlib.answers.written import UNKNOWN
from paperlib.explore.look import bar, block, escape, percent, table
from paperlib.explore.networks import Opinion
from paperlib.explore.session import Deciding, Session
from paperlib.explore.subject import Subject
from paperlib.reporting import style
from paperlib.symmetry.extinction import class_of_space_group
from paperlib.symmetry.groups import symbol

TOP = 5
"""Classes and space groups that are listed."""
LINES = 8
"""Lines that are listed."""


def opinion_html(opinion: Opinion, subject: Subject) -> str:
    """The answer, and the :data:`TOP` best classes; the true one marked where it is known."""
    first = int(opinion.classes[0])
    truth = int(class_of_space_group("published")[subject.truth]) if subject.truth else -1
    colour = (style.GREEN if first == truth else style.VERMILION) if truth >= 0 else style.BLUE
    told = f"{class_name(first)} · {percent(opinion.class_p[first])}" if opinion.known else UNKNOWN
    rows = [
        [
            percent(opinion.class_p[k]),
            bar(float(opinion.class_p[k]), style.GREEN if k == truth else "#9DB4C8"),
            f"<b>{escape(class_name(k))}</b>" + (" ✓" if k == truth else ""),
            f'<span class="quiet" title="{_groups(int(k))}">{systems(k)}</span>',
        ]
        for k in opinion.classes[:TOP]
    ]
    parts = [f'<h3 class="explore-answer" style="color:{colour}">{escape(told)}</h3>']
    if not opinion.known:
        best, least = percent(opinion.class_p[first]), percent(opinion.refuse_below)
        parts.append(f"<p>The best class has {best}; less than {least} is not answered.</p>")
    parts.append(table(rows))
    if truth >= 0 and truth not in opinion.classes[:TOP]:
        place = int((opinion.classes == truth).argmax()) + 1
        parts.append(f"<p>The true class, {escape(class_name(truth))}, stands at place {place}.</p>")
    if len(opinion.group_p):
        best = (-opinion.group_p).argsort(kind="stable")[:TOP]
        named = ", ".join(f"{symbol(int(g) + 1)} {percent(float(opinion.group_p[g]))}" for g in best)
        parts.append(f'<p class="quiet">Space groups: {named}</p>')
    return block("".join(parts))


def deciding_html(session: Session, deciding: Deciding) -> str:
    """The lines that say the most between the two best classes, in the colours of the plot."""
    first, second = (int(k) for k in session.opinion.classes[:2])
    red, blue = (
        f'<span style="color:{colour}">▼</span> {escape(class_name(k))}'
        for colour, k in ((style.POSITIVE, first), (style.NEGATIVE, second))
    )
    head = f"<h4>Lines that decide: for {red}, or for {blue}</h4>"
    if not deciding.lines:
        return block(head + "<p>No line stands out of the noise.</p>")
    rows = []
    for line, effect, name in list(zip(deciding.lines, deciding.effect, deciding.names, strict=True))[:LINES]:
        colour = style.POSITIVE if effect > 0 else style.NEGATIVE
        place = float(angle_of(line.d, session.shown.wavelength))
        effect_text = f'<span style="color:{colour}">{effect:+.2f}</span>'
        rows.append([f"{place:.2f}", f"{line.d:.3f}", name, f"{100 * line.height:.1f} %", effect_text])
    columns = ["2θ / °", "d / Å", "hkl", "height", "ln(P1/P2)"]
    if session.subject.crystal is None:
        rows, columns = [row[:2] + row[3:] for row in rows], columns[:2] + columns[3:]
    return block(head + table(rows, columns))


def _groups(extinction_class: int) -> str:
    return ", ".join(symbol(number) for number in members(extinction_class))
