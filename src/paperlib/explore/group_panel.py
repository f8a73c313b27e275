"""The panel of space groups and extinction classes: conditions, members, three crystals and their patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets
import numpy as np

from paperlib.explore import bench, group_plot
from paperlib.explore.catalogue import SCHEME, Choice, choices, counts, examples
from paperlib.explore.fitted import Fitted
from paperlib.explore.lines import lines_of
from paperlib.explore.loading import crystal_subject, random_examples
from paperlib.explore.look import PLOT_BOX, block, escape, table
from paperlib.explore.networks import robust
from paperlib.explore.subject import Edits, Settings, Subject
from paperlib.symmetry.groups import SPACE_GROUPS, crystal_system, point_group, symbol

if TYPE_CHECKING:
    from paperlib.explore.explorer import Shared

BY_GROUP, BY_CLASS = "space group", "extinction class"
RANDOM = "no crystal of the set has it; these are random ones"


class GroupPanel:
    """A list to choose from, and what belongs to the choice. Raises ValueError where the group that it opens with is no
    number from 1 to 230."""

    def __init__(self, shared: Shared) -> None:
        if shared.space_group not in SPACE_GROUPS:
            raise ValueError(f"space_group is {shared.space_group!r}; give a number from 1 to 230")
        self._shared, self._counts = shared, counts(shared.crystals)
        self.subjects: list[Subject] = []
        self.kind = widgets.ToggleButtons(options=[BY_GROUP, BY_CLASS], style={"button_width": "130px"})
        self.chosen = widgets.Dropdown(layout={"width": "270px"})
        self.facts = widgets.HTML()
        self.message = widgets.HTML()
        self.figure = group_plot.new_figure()
        self._fitted = Fitted(self.figure)
        self.asking = [widgets.Button(layout={"flex": "1 1 0", "min_width": "0"}) for _ in group_plot.COLOURS]
        for place, button in enumerate(self.asking):
            button.add_class("explore-ask")
            button.on_click(lambda _button, place=place: self._shared.to_bench(self.subjects[place]))
        left = widgets.VBox([self.kind, self.chosen, self.facts], layout={"flex": "0 1 330px", "min_width": "300px"})
        right = widgets.VBox([self.message, self.figure, widgets.HBox(self.asking), self._fitted], layout=PLOT_BOX)
        self.widget = widgets.Box([left, right], layout={"display": "flex", "flex_flow": "row wrap", "width": "100%"})
        self.chosen.options = choices(classes=False)
        self.chosen.value = Choice(shared.space_group)
        self._show()
        self.chosen.observe(lambda _change: self._show(), "value")
        self.kind.observe(lambda _change: self._list(), "value")

    def _list(self) -> None:
        """The other list, at the class of the group that was chosen, or at the first group of the class."""
        before, classes = self.chosen.value, self.kind.value == BY_CLASS
        self.chosen.unobserve_all("value")
        self.chosen.options = choices(classes)
        self.chosen.value = Choice(before.class_index, is_class=True) if classes else Choice(before.members[0])
        self.chosen.observe(lambda _change: self._show(), "value")
        self._show()

    def _show(self) -> None:
        choice = self.chosen.value
        self.facts.value = facts_html(choice, self._counts)
        try:
            self.subjects = self._examples(choice)
            network = robust()
            shown = [bench.show(subject, Settings(), Edits(), network) for subject in self.subjects]
            lines = [
                lines_of(subject.crystal, one.instrument, one.reflections)
                for subject, one in zip(self.subjects, shown, strict=True)
            ]
            group_plot.draw(self.figure, self.subjects, shown, lines)
            self._fitted.changed()
        except (ValueError, OSError) as error:  # nobody sees what a widget's callback raises
            self.message.value = block(f'<p class="wrong">{escape(str(error))}</p>')
        for place, button in enumerate(self.asking):
            there = place < len(self.subjects)
            button.layout.visibility = "visible" if there else "hidden"
            button.description = f"Ask the network: {self.subjects[place].name.partition(',')[0]}" if there else ""

    def _examples(self, choice: Choice) -> list[Subject]:
        rows = examples(self._shared.crystals, choice)
        note = "" if len(rows) else RANDOM
        crystals = self._shared.crystals if len(rows) else None
        if crystals is None:
            self.message.value = block('<p class="quiet">Making random crystals …</p>')
            crystals = random_examples(choice.members[0] if choice.is_class else choice.number)
            rows = range(len(crystals))
        self.message.value = block(f'<p class="quiet">{note}</p>' if note else "")
        return [crystal_subject(crystals, row, note) for row in rows]


def facts_html(choice: Choice, counted: np.ndarray) -> str:
    """Conditions and members of a choice; ``counted`` (231,) are the crystals of each group in the set."""
    conditions = "".join(f"<p>{text}</p>" for text in choice.conditions) or "<p>none: every reflection is allowed</p>"
    rows = []
    for number in choice.members:
        name = f"{number} · {symbol(number)}"
        own = not choice.is_class and number == choice.number
        rows.append(
            [f"<b>{name}</b>" if own else name, crystal_system(number), point_group(number), str(counted[number])]
        )
    many = "absences tell it from all others" if len(rows) == 1 else f"absences do not tell these {len(rows)} apart"
    about = (
        f"<h3>{escape(choice.name)}</h3><p class='quiet'>{choice.systems}</p>"
        f"<h4>Reflection conditions</h4>{conditions}"
        f"<h4>Extinction class {escape(choice.class_name)}</h4><p class='quiet'>{many} (scheme “{SCHEME}”)</p>"
    )
    return block(
        f'{about}<div style="max-height:330px;overflow-y:auto">'
        f"{table(rows, ['group', 'system', 'point group', 'crystals'])}</div>"
    )
