"""Colours, spacing and type: what every view draws with, in a light and a dark form."""

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from gui.icons import icon_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """One set of colours as #RRGGBB. `faint` is for ticks and placeholders only; the others are fit to be read as text.

    `runs` tell runs apart, whichever colours one sees; those like `training` and `validation` come last. `accent_text` is the accent where it is read on `accent_ground`.
    """

    name: str
    is_dark: bool
    ground: str
    panel: str
    raised: str
    hairline: str
    field: str
    text: str
    muted: str
    faint: str
    accent: str
    accent_ground: str
    accent_text: str
    on_accent: str
    training: str
    validation: str
    good: str
    bad: str
    heatmap: tuple[str, ...]
    runs: tuple[str, ...]


DARK: Final = Theme(
    name="dark",
    is_dark=True,
    ground="#0F1216",
    panel="#161B21",
    raised="#1C222A",
    hairline="#262E38",
    field="#11161B",
    text="#E6EBF1",
    muted="#8C98A7",
    faint="#5B6674",
    accent="#5AA9FF",
    accent_ground="#17324F",
    accent_text="#5AA9FF",
    on_accent="#0B1117",
    training="#5AA9FF",
    validation="#FFB454",
    good="#4CC38A",
    bad="#FF6B6B",
    heatmap=("#440154", "#482878", "#3E4A89", "#31688E", "#26828E", "#1F9E89", "#35B779", "#6DCD59", "#B4DE2C", "#FDE725"),
    runs=("#009E73", "#F0E442", "#CC79A7", "#C9D1DA", "#D55E00", "#56B4E9", "#E69F00"),
)
LIGHT: Final = Theme(
    name="light",
    is_dark=False,
    ground="#F3F5F8",
    panel="#FFFFFF",
    raised="#F7F9FB",
    hairline="#DFE4EA",
    field="#FFFFFF",
    text="#1B232D",
    muted="#5D6978",
    faint="#98A3B1",
    accent="#1F6FD6",
    accent_ground="#DCE9FA",
    accent_text="#1A60BA",
    on_accent="#FFFFFF",
    training="#1F6FD6",
    validation="#AD5A00",
    good="#177A4B",
    bad="#C93A3A",
    heatmap=("#EEF4FB", "#C9DDF0", "#9AC4E2", "#5FA2CE", "#2F7DBB", "#1459A0", "#08306B"),
    runs=("#009E73", "#3B1E78", "#C76AA0", "#3D4650", "#8E1B10", "#0072B2", "#D07000"),
)

FIELD_RADIUS: Final = 6
BUTTON_RADIUS: Final = 8
PANEL_RADIUS: Final = 10
SMALL_PX, BODY_PX, TITLE_PX, FIGURE_PX = 11.5, 13.0, 15.0, 20.0


def scaled(size: float) -> int:
    """A size of type or of a control in pixels, grown as far as the application's text is larger than our body text."""
    return round(size * QApplication.font().pixelSize() / BODY_PX) if QApplication.font().pixelSize() > 0 else round(size)


def body_px(text_scale: float) -> int:
    """How large body text is in pixels: as the system's own where that is larger than ours, times what people chose."""
    system_px = QFontInfo(QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)).pixelSize()
    return round(max(BODY_PX, system_px) * text_scale)


def interface_font(pixel_size: float = BODY_PX, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The system's interface font with figures of one width.

    A bare desktop names no font but "Sans Serif"; Inter is taken there, where it is installed.
    """
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    if font.family().casefold() in {"sans serif", "sans"} and "Inter" in QFontDatabase.families():
        font = QFont("Inter")
    font.setPixelSize(scaled(pixel_size))
    font.setWeight(weight)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def mono_font(pixel_size: float = BODY_PX, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The system's monospaced font: for the model's own texts."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setPixelSize(scaled(pixel_size))
    font.setWeight(weight)
    return font


def system_theme(app: QApplication) -> Theme:
    """The theme that the desktop asks for; dark where it does not say."""
    return LIGHT if app.styleHints().colorScheme() == Qt.ColorScheme.Light else DARK


def prepare_style(app: QApplication, theme: Theme, text_scale: float = 1.0) -> None:
    """Give the whole application a theme's style, font and palette; all sizes follow the font's."""
    if not app.styleSheet():
        app.setStyle("Fusion")
    font = interface_font()
    font.setPixelSize(body_px(text_scale))
    app.setFont(font)
    app.setPalette(palette(theme))


def apply_theme(app: QApplication, theme: Theme, text_scale: float = 1.0) -> None:
    """Give the whole application a theme, its style sheet included.

    A window that is built before this takes half the time: with a sheet, each widget that gets a parent is styled again.
    """
    prepare_style(app, theme, text_scale)
    sheet = stylesheet(theme)
    if sheet != app.styleSheet():  # setting it again would style every widget anew
        app.setStyleSheet(sheet)


def set_role(widget: QWidget, role: str) -> None:
    """Style a widget as one of the roles of the style sheet, such as "muted" or "primary"."""
    set_style_property(widget, "role", role)


def set_style_property(widget: QWidget, name: str, value: object) -> None:
    """Set a property that the style sheet asks for, and have the widget drawn anew where it changed."""
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    if not widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
        return  # it will be polished before it is shown; doing it now would lose a font that is set later
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)


def palette(theme: Theme) -> QPalette:
    """The theme as a palette, for what is painted by hand: Light is the panel's colour, Mid the hairline's."""
    role = QPalette.ColorRole
    colors = {
        role.Window: theme.ground, role.WindowText: theme.text,
        role.Base: theme.field, role.AlternateBase: theme.raised, role.Text: theme.text,
        role.Button: theme.raised, role.ButtonText: theme.text, role.BrightText: theme.bad,
        role.Light: theme.panel, role.Midlight: theme.raised,
        role.Mid: theme.hairline, role.Dark: theme.hairline, role.Shadow: theme.ground,
        role.Highlight: theme.accent, role.HighlightedText: theme.on_accent, role.Accent: theme.accent,
        role.Link: theme.accent, role.LinkVisited: theme.accent, role.PlaceholderText: theme.faint,
        role.ToolTipBase: theme.raised, role.ToolTipText: theme.text,
    }  # fmt: skip
    made = QPalette()
    for name, color in colors.items():
        made.setColor(name, QColor(color))
    for name in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, name, QColor(theme.faint))
    return made


def stylesheet(theme: Theme) -> str:
    """The style sheet of the whole application, over the Fusion style.

    Roles are given by the property `role`; see `set_role`. A field with `invalid="true"` has a border in the bad colour.
    """
    return "\n".join(
        (
            _surfaces(theme),
            _labels(theme),
            _buttons(theme),
            _quiet_buttons(theme),
            _fields(theme),
            _choices(theme),
            _docks(theme),
            _scroll_bars(theme),
            _sliders(theme),
            _menus(theme),
        )
    )


def _surfaces(theme: Theme) -> str:
    return f"""
QMainWindow, QDialog {{ background: {theme.ground}; }}
QMainWindow::separator {{ background: {theme.ground}; width: 10px; height: 10px; }}
QFrame[role="panel"] {{ background: {theme.panel}; border: 1px solid {theme.hairline}; border-radius: {PANEL_RADIUS}px; }}
QFrame[role="bar"] {{ background: {theme.panel}; border: none; border-bottom: 1px solid {theme.hairline}; }}
QFrame[role="foot"] {{ background: {theme.ground}; border: none; border-top: 1px solid {theme.hairline}; }}
QFrame[role="hairline"] {{ background: {theme.hairline}; border: none; }}
QFrame[role="pill"] {{ background: {theme.raised}; border: none; border-radius: {scaled(28) // 2}px; }}
QFrame[role="pill"][active="true"] {{ background: {theme.accent_ground}; }}
QFrame[role="dot"] {{ background: {theme.muted}; border: none; border-radius: 4px; min-width: 8px; max-width: 8px; min-height: 8px;
    max-height: 8px; }}
QFrame[role="dot"][state="training"] {{ background: {theme.good}; }}
QFrame[role="dot"][state="paused"], QFrame[role="mark"] {{ background: {theme.validation}; }}
QFrame[role="dot"][state="finished"] {{ background: {theme.accent}; }}
QFrame[role="dot"][state="failed"] {{ background: {theme.bad}; }}
QFrame[role="mark"] {{ border: none; border-radius: 3px; min-width: 6px; max-width: 6px; min-height: 6px; max-height: 6px; }}
QFrame[role="message"] {{ background: {theme.accent_ground}; border: none; }}
QFrame[role="message"][error="true"] {{ background: {mix(theme.panel, theme.bad, 0.14)}; }}
QFrame[role="drop"] {{ background: {theme.panel}; border: 1px dashed {theme.faint}; border-radius: {PANEL_RADIUS}px; }}
QFrame[role="drop"][active="true"] {{ background: {theme.accent_ground}; border: 1px solid {theme.accent}; }}
QTableView, QTreeView {{ background: transparent; border: none; outline: none; }}
QTreeView {{ selection-background-color: transparent; }}
QTreeView::item {{ color: {theme.muted}; border-radius: 4px; padding: 3px 4px; border: none; }}
QTreeView::item:hover {{ color: {theme.text}; }}
QTreeView::item:selected {{ background: {theme.accent_ground}; color: {theme.accent_text}; }}
QTreeView::branch, QTreeView::branch:selected {{ background: transparent; image: none; }}
QTreeView#branch_tree {{ border-top: 1px solid {theme.hairline}; padding-top: 2px; }}
QTreeView#run_library::item {{ color: {theme.text}; border-radius: 0; }}
QTreeView#run_library::indicator {{ width: {scaled(11)}px; height: {scaled(11)}px; border: none; background: transparent; image: none; }}
QTreeView#run_library::branch:selected {{ background: {theme.accent_ground}; }}
QTreeView#run_library::branch:has-children:closed {{ image: url("{icon_file("chevron_right")}"); }}
QTreeView#run_library::branch:has-children:open {{ image: url("{icon_file("chevron")}"); }}
QHeaderView, QTableCornerButton::section {{ background: transparent; border: none; }}
QHeaderView::section {{ background: transparent; color: {theme.muted}; border: none; padding: 0; }}
QTreeView QHeaderView::section {{ padding: 0 2px 4px 2px; font-size: {scaled(SMALL_PX)}px; }}
QScrollArea, QScrollArea > QWidget > QWidget[role="plain"] {{ background: transparent; border: none; }}
QToolTip {{ background: {theme.raised}; color: {theme.text}; border: 1px solid {theme.hairline}; padding: 4px 6px; }}
"""


def _labels(theme: Theme) -> str:
    small, title, figure = scaled(SMALL_PX), scaled(TITLE_PX), scaled(FIGURE_PX)
    return f"""
QLabel {{ background: transparent; color: {theme.text}; }}
QLabel:disabled {{ color: {theme.faint}; }}
QLabel[role="title"], QLabel[role="value"] {{ font-weight: 600; }}
QLabel[role="heading"] {{ font-size: {title}px; font-weight: 600; }}
QLabel[role="wordmark"], QLabel[role="wordmark_accent"] {{ font-size: {title}px; font-weight: 600; }}
QLabel[role="wordmark_accent"] {{ color: {theme.accent}; }}
QLabel[role="figure"] {{ font-size: {figure}px; font-weight: 600; }}
QLabel[role="muted"] {{ color: {theme.muted}; }}
QLabel[role="small"] {{ color: {theme.muted}; font-size: {small}px; }}
QLabel[role="small_value"] {{ font-size: {small}px; font-weight: 600; }}
QLabel[role="card_title"] {{ color: {theme.muted}; font-size: {small}px; font-weight: 600; }}
QLabel[role="warning"] {{ color: {theme.validation}; font-size: {small}px; }}
QLabel[role="problem"] {{ color: {theme.bad}; font-size: {small}px; }}
QLabel[role="accent_plain"] {{ color: {theme.accent}; }}
QLabel[role="accent"] {{ color: {theme.accent_text}; }}
"""


def _buttons(theme: Theme) -> str:
    height = scaled(30)
    hover = mix(theme.raised, theme.text, 0.06)
    return f"""
QPushButton, QToolButton {{ background: {theme.raised}; color: {theme.text}; border: 1px solid {theme.hairline};
    border-radius: {BUTTON_RADIUS}px; padding: 0 14px; min-height: {height}px; }}
QPushButton:hover, QToolButton:hover {{ background: {hover}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {theme.hairline}; }}
QPushButton:focus, QToolButton:focus {{ border-color: {theme.accent}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {theme.faint}; background: {theme.panel}; }}
QPushButton:checked, QToolButton:checked {{ background: {theme.accent_ground}; color: {theme.accent_text}; }}
QPushButton[role="primary"] {{ background: {theme.accent}; color: {theme.on_accent};
    border-color: {theme.accent}; font-weight: 600; }}
QPushButton[role="primary"]:hover {{ background: {mix(theme.accent, theme.text, 0.12)}; }}
QPushButton[role="primary"]:pressed {{ background: {mix(theme.accent, theme.panel, 0.2)}; }}
QPushButton[role="primary"]:focus {{ border-color: {theme.text}; }}
QPushButton[role="primary"]:disabled {{ background: {theme.raised}; color: {theme.faint};
    border-color: {theme.hairline}; }}
QPushButton[role="primary_small"] {{ background: {theme.accent}; color: {theme.on_accent}; border-color: {theme.accent};
    border-radius: {FIELD_RADIUS}px; min-height: {scaled(22)}px; padding: 0 12px; font-weight: 600; }}
QPushButton[role="primary_small"]:hover {{ background: {mix(theme.accent, theme.text, 0.12)}; }}
QPushButton[role="primary_small"]:focus {{ border-color: {theme.text}; }}
"""


def _quiet_buttons(theme: Theme) -> str:
    """Buttons that look like text until the pointer or the focus is on them."""
    small = scaled(SMALL_PX)
    return f"""
QPushButton[role="flat"] {{ background: transparent; color: {theme.muted}; border-color: transparent;
    padding: 0 10px; }}
QPushButton[role="link"] {{ background: transparent; color: {theme.muted}; border-color: transparent;
    border-radius: 4px; padding: 0 3px; min-height: {scaled(18)}px; }}
QPushButton[role="small_link"] {{ background: transparent; color: {theme.muted};
    border-color: transparent; border-radius: 4px; padding: 0 1px 0 3px; min-height: {scaled(16)}px; font-size: {small}px; font-weight: 600; }}
QPushButton[role="chip"] {{ color: {theme.muted}; border-radius: 5px; padding: 0 8px; min-height: {scaled(18)}px; font-size: {small}px; }}
QPushButton[role="card"] {{ background: {theme.raised}; border-radius: {PANEL_RADIUS}px; padding: 0; text-align: left; }}
QPushButton[role="card"]:hover {{ border-color: {theme.accent}; }}
QPushButton[role="flat"]:hover {{ color: {theme.text}; background: {theme.raised}; }}
QPushButton[role="link"]:hover, QPushButton[role="small_link"]:hover, QPushButton[role="chip"]:hover {{ color: {theme.text}; }}
QPushButton[role="flat"]:focus, QPushButton[role="link"]:focus,
QPushButton[role="small_link"]:focus, QPushButton[role="chip"]:focus,
QPushButton[role="card"]:focus {{ border-color: {theme.accent}; }}
QPushButton[role="flat"]:disabled, QPushButton[role="link"]:disabled, QPushButton[role="small_link"]:disabled,
QPushButton[role="chip"]:disabled {{ color: {theme.faint}; background: transparent; }}
QPushButton[role="link"]:checked {{ color: {theme.accent}; background: transparent; }}
QPushButton::menu-indicator {{ image: none; width: 0; }}
"""


def _fields(theme: Theme) -> str:
    height = scaled(24)
    fields = "QAbstractSpinBox, QComboBox, QLineEdit"
    return f"""
{fields} {{ background: {theme.field}; color: {theme.text}; border: 1px solid {theme.hairline}; border-radius: {FIELD_RADIUS}px;
    padding: 0 8px; min-height: {height}px; selection-background-color: {theme.accent}; selection-color: {theme.on_accent}; }}
QTextEdit, QPlainTextEdit {{ background: {theme.field}; color: {theme.text}; border: 1px solid {theme.hairline};
    border-radius: {FIELD_RADIUS}px; padding: 4px 6px;
    selection-background-color: {theme.accent}; selection-color: {theme.on_accent}; }}
QTextEdit[role="plain"], QPlainTextEdit[role="plain"] {{ background: transparent; border-color: transparent; padding: 0; }}
QAbstractSpinBox:hover, QComboBox:hover, QLineEdit:hover {{ border-color: {mix(theme.hairline, theme.text, 0.15)}; }}
QAbstractSpinBox:focus, QComboBox:focus, QLineEdit:focus, QTextEdit:focus, QPlainTextEdit:focus {{ border-color: {theme.accent}; }}
QAbstractSpinBox:disabled, QComboBox:disabled, QLineEdit:disabled, QTextEdit:disabled, QPlainTextEdit:disabled {{
    color: {theme.muted}; background: {theme.panel}; }}
QAbstractSpinBox[invalid="true"], QComboBox[invalid="true"], QLineEdit[invalid="true"], QPlainTextEdit[invalid="true"] {{
    border-color: {theme.bad}; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ width: 0; height: 0; border: none; }}
QAbstractSpinBox QLineEdit {{ border: none; background: transparent; padding: 0 8px; min-height: 0; }}
QComboBox::drop-down {{ border: none; width: 22px; subcontrol-origin: border; subcontrol-position: center right; }}
QComboBox::down-arrow {{ image: url("{icon_file("chevron")}"); width: 14px; height: 14px; }}
QComboBox[role="link"] {{ background: transparent; color: {theme.muted}; border: 1px solid transparent; border-radius: 4px;
    padding: 0 0 0 4px; min-height: {scaled(16)}px; font-size: {scaled(SMALL_PX)}px; font-weight: 600; }}
QComboBox[role="link"]:hover {{ color: {theme.text}; }}
QComboBox[role="link"]:focus {{ border-color: {theme.accent}; }}
QComboBox[role="link"]:disabled {{ color: {theme.faint}; }}
QComboBox[role="link"]::drop-down {{ width: 14px; }}
QComboBox QAbstractItemView {{ background: {theme.raised}; color: {theme.text}; border: 1px solid {theme.hairline}; padding: 4px;
    outline: none; font-weight: 400; selection-background-color: {theme.accent_ground}; selection-color: {theme.accent_text}; }}
QComboBox QAbstractItemView::item {{ min-height: {height}px; padding: 0 8px; border-radius: 4px; }}
QComboBox QAbstractItemView::item:disabled {{ color: {theme.faint}; }}
"""


def _choices(theme: Theme) -> str:
    check = icon_file("check_dark" if theme.is_dark else "check_light")
    return f"""
QCheckBox {{ color: {theme.text}; background: transparent; spacing: 8px; }}
QCheckBox[role="muted"] {{ color: {theme.muted}; }}
QCheckBox:disabled {{ color: {theme.faint}; }}
QCheckBox::indicator {{ width: 16px; height: 16px; border: 1px solid {mix(theme.hairline, theme.text, 0.25)}; border-radius: 4px;
    background: {theme.field}; }}
QCheckBox::indicator:hover, QCheckBox::indicator:focus {{ border-color: {theme.accent}; }}
QCheckBox::indicator:checked {{ background: {theme.accent}; border-color: {theme.accent}; image: url("{check}"); }}
QCheckBox::indicator:checked:focus {{ border-color: {theme.text}; }}
QCheckBox::indicator:disabled {{ background: {theme.panel}; border-color: {theme.hairline}; }}
QCheckBox::indicator:checked:disabled {{ background: {theme.faint}; border-color: {theme.faint}; }}
"""


def _docks(theme: Theme) -> str:
    return f"""
QTabBar {{ background: transparent; border: none; }}
QTabBar::tab {{ background: transparent; color: {theme.muted}; border: none; padding: 6px 12px; margin: 2px 2px 4px 0;
    border-radius: {FIELD_RADIUS}px; }}
QTabBar::tab:hover {{ color: {theme.text}; }}
QTabBar::tab:selected {{ background: {theme.panel}; color: {theme.text}; }}
QTabBar::tab:focus {{ color: {theme.accent}; }}
QTabBar::scroller {{ width: 44px; }}
QTabBar QToolButton {{ background: {theme.ground}; border: none; border-radius: 0; padding: 0; min-height: 0; margin: 2px 0 4px 0; }}
QTabBar QToolButton:disabled {{ background: {theme.ground}; }}
QTabBar QToolButton::left-arrow {{ image: url("{icon_file("chevron_left")}"); width: 14px; height: 14px; }}
QTabBar QToolButton::right-arrow {{ image: url("{icon_file("chevron_right")}"); width: 14px; height: 14px; }}
QTabBar QToolButton::left-arrow:disabled, QTabBar QToolButton::right-arrow:disabled {{ image: none; }}
"""


def _scroll_bars(theme: Theme) -> str:
    return f"""
QScrollBar {{ background: transparent; border: none; margin: 0; }}
QScrollBar:vertical {{ width: 8px; }}
QScrollBar:horizontal {{ height: 8px; }}
QScrollBar::handle {{ background: {mix(theme.hairline, theme.text, 0.08)}; border-radius: 3px; margin: 1px; }}
QScrollBar::handle:vertical {{ min-height: 28px; }}
QScrollBar::handle:horizontal {{ min-width: 28px; }}
QScrollBar::handle:hover {{ background: {theme.faint}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; border: none; background: none; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}
QAbstractScrollArea::corner {{ background: transparent; border: none; }}
"""


def _sliders(theme: Theme) -> str:
    return f"""
QFrame[role="time"] {{ background: {theme.panel}; border: none; border-top: 1px solid {theme.hairline}; }}
QProgressBar {{ background: {theme.hairline}; border: none; border-radius: 2px; }}
QProgressBar::chunk {{ background: {theme.accent}; border-radius: 2px; }}
QSlider {{ background: transparent; }}
QSlider::groove:horizontal {{ background: {theme.hairline}; height: 4px; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {theme.accent}; height: 4px; border-radius: 2px; }}
QSlider::sub-page:horizontal:disabled {{ background: {theme.hairline}; }}
QSlider::handle:horizontal {{ background: {theme.text}; border: 3px solid {theme.accent}; width: 10px; height: 10px; margin: -6px 0;
    border-radius: 8px; }}
QSlider::handle:horizontal:focus {{ border-color: {theme.text}; background: {theme.accent}; }}
QSlider::handle:horizontal:disabled {{ background: {theme.faint}; border-color: {theme.hairline}; }}
QPushButton[role="pill"] {{ background: {theme.raised}; color: {theme.muted}; border: 1px solid {theme.hairline};
    border-radius: {scaled(22) // 2 + 1}px; padding: 0 12px; min-height: {scaled(22)}px; }}
QPushButton[role="pill"][active="true"] {{ background: {theme.accent_ground}; color: {theme.accent_text};
    border-color: {theme.accent_ground}; }}
QPushButton[role="pill"]:focus, QPushButton[role="icon"]:focus {{ border-color: {theme.accent}; }}
QPushButton[role="pill"]:disabled {{ color: {theme.faint}; background: transparent; }}
QPushButton[role="icon"] {{ background: transparent; border: 1px solid transparent; padding: 0; min-height: 0; }}
QPushButton[role="icon"]:hover {{ background: {theme.raised}; }}
"""


def _menus(theme: Theme) -> str:
    return f"""
QMenu {{ background: {theme.raised}; color: {theme.text}; border: 1px solid {theme.hairline}; padding: 4px; }}
QMenu::item {{ padding: 5px 24px 5px 12px; border-radius: 4px; }}
QMenu::item:selected {{ background: {theme.accent_ground}; color: {theme.accent_text}; }}
QMenu::item:disabled {{ color: {theme.faint}; }}
QMenu::separator {{ height: 1px; background: {theme.hairline}; margin: 4px 6px; }}
"""


def mix(color: str, other: str, share: float) -> str:
    """The colour that lies `share` of the way from one colour to another."""
    channels = (round((1 - share) * int(color[i : i + 2], 16) + share * int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{channel:02X}" for channel in channels)
