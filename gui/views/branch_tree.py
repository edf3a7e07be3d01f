"""The texts that were made of one prompt, as a tree: each grew from another where a rival took a token's place."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QTreeWidget, QTreeWidgetItem, QWidget

from gui.events import TextGenerated
from gui.text_size import sized
from gui.theme import SMALL_PX, mono_font, set_role
from nanograd.text.tokenizer import visible


@dataclass(slots=True, kw_only=True, eq=False)
class Branch:
    """One text: its tokens, and where it left its `parent`; the first has none."""

    prompt: str
    tokens: list[TextGenerated] = field(default_factory=list)
    parent: "Branch | None" = None
    place: int = 0


class BranchTree(QTreeWidget):
    """Keeps every branch of the present prompt. A click or the arrow keys choose one; it is shown once there are two."""

    branch_chosen = Signal(object)
    """Carries the Branch to show."""

    MOST_ROWS: Final = 4
    SHOWN_TOKENS: Final = 40

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._items: dict[int, QTreeWidgetItem] = {}
        self._branches: list[Branch] = []
        self.current = Branch(prompt="")
        self.setObjectName("branch_tree")
        self.setAccessibleName("Branches of the text")
        self.setToolTip("Each text that was made of this prompt; choose one to go back to it")
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setIndentation(14)
        self.setUniformRowHeights(True)
        self.setItemsExpandable(False)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        set_role(self, "plain")
        sized(self, self._measure)
        self.itemClicked.connect(self._on_item_clicked)
        self.hide()

    @property
    def branches(self) -> Sequence[Branch]:
        """All branches, in the order they were made."""
        return tuple(self._branches)

    def begin(self, prompt: str) -> None:
        """Forget all, and begin with an empty text after `prompt`."""
        self.clear()
        self._items.clear()
        self._branches.clear()
        self._add(Branch(prompt=prompt))

    def fork(self, place: int, token: TextGenerated) -> Branch:
        """A new branch: the present one up to `place`, then `token`."""
        former = self.current
        return self._add(Branch(prompt=former.prompt, tokens=[*former.tokens[:place], token], parent=former, place=place))

    def append(self, tokens: Sequence[TextGenerated]) -> None:
        """The present branch grows."""
        self.current.tokens.extend(tokens)
        if len(self.current.tokens) - len(tokens) - self.current.place < self.SHOWN_TOKENS:
            self._name(self.current)

    def show_branch(self, branch: Branch) -> None:
        """Mark a branch as the one shown."""
        self.current = branch
        self.setCurrentItem(self._items[id(branch)])

    def _add(self, branch: Branch) -> Branch:
        item = QTreeWidgetItem()
        item.setData(0, Qt.ItemDataRole.UserRole, len(self._branches))
        self._branches.append(branch)
        self._items[id(branch)] = item
        if branch.parent is None:
            self.addTopLevelItem(item)
        else:
            self._items[id(branch.parent)].addChild(item)
            self._items[id(branch.parent)].setExpanded(True)
        self._name(branch)
        self.show_branch(branch)
        self.setVisible(len(self._branches) > 1)
        self._measure()
        return branch

    def _name(self, branch: Branch) -> None:
        """From where it left its parent on, so that the branches differ at their first token."""
        tokens = branch.tokens[branch.place : branch.place + self.SHOWN_TOKENS]
        self._items[id(branch)].setText(0, "".join(visible(token.text) for token in tokens) or "…")

    def _measure(self) -> None:
        self.setFont(mono_font(SMALL_PX))
        row = self.fontMetrics().height() + 6
        self.setFixedHeight(min(max(len(self._branches), 1), self.MOST_ROWS) * row + 6)

    def _on_item_clicked(self, item: QTreeWidgetItem) -> None:
        chosen = self._branches[item.data(0, Qt.ItemDataRole.UserRole)]
        if chosen is not self.current:
            self.show_branch(chosen)
            self.branch_chosen.emit(chosen)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move through the branches and show the one arrived at."""
        super().keyPressEvent(event)
        item = self.currentItem()
        if item is not None:
            self._on_item_clicked(item)

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(200, self.height())
