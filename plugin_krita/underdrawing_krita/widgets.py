"""Small widgets that the docker is made of. Sizes follow the font, colours the theme: both are Krita's."""

from __future__ import annotations

from typing import Any, Callable

from .qt import Qt, QtCore, QtGui, QtWidgets

Policy = QtWidgets.QSizePolicy.Policy
PREFIX = "underdrawing_"  # of all object names, so that they are found from outside


def named(widget: Any, name: str, tip: str = "") -> Any:
    """Give a widget its object name and its tooltip."""
    widget.setObjectName(PREFIX + name)
    if tip:
        widget.setToolTip(tip)
        widget.setAccessibleName(tip)
    return widget


def button(name: str, text: str, tip: str, pressed: Callable[[], Any], main: bool = False) -> Any:
    """A button; the main one of a page is bold and higher."""
    made = named(QtWidgets.QPushButton(text), name, tip)
    made.clicked.connect(lambda *_: pressed())
    made.setSizePolicy(Policy.Expanding if main else Policy.Preferred, Policy.Fixed)
    if main:
        font = made.font()
        font.setBold(True)
        made.setFont(font)
        made.setMinimumHeight(int(made.fontMetrics().height() * 2.1))
    return made


def toggle(name: str, text: str, tip: str) -> Any:
    """A button that stays down; that it is down is seen in dark themes, too."""
    made = named(QtWidgets.QPushButton(text), name, tip)
    made.setCheckable(True)
    made.setStyleSheet("QPushButton:checked { background: palette(highlight); color: palette(highlighted-text); }")
    return made


def gone(widget: Any) -> bool:
    """Whether Qt has deleted a widget: its window was closed while something was asked for it."""
    try:
        widget.objectName()
    except RuntimeError:
        return True
    return False


def label(text: str = "", name: str = "", faint: bool = False, wrap: bool = True) -> Any:
    """A text that is broken into lines where it is long."""
    made = QtWidgets.QLabel(text)
    made.setWordWrap(wrap)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    # A label that breaks its lines must not decide how narrow the docker can be.
    made.setMinimumWidth(1)
    if name:
        named(made, name)
    if faint:
        # A role, not a colour: it follows the theme, dark or light.
        made.setForegroundRole(QtGui.QPalette.ColorRole.PlaceholderText)
    return made


def row(*widgets: Any, stretch: int = -1) -> Any:
    """Widgets beside each other, as a layout; the one of this number takes what is left."""
    made = QtWidgets.QHBoxLayout()
    made.setSpacing(4)
    for number, widget in enumerate(widgets):
        add = made.addLayout if isinstance(widget, QtWidgets.QLayout) else made.addWidget
        add(widget, 1 if number == stretch else 0)
    return made


def column(parent: Any, *widgets: Any, margin: int = 0) -> Any:
    """Widgets below each other, as the layout of `parent`."""
    made = QtWidgets.QVBoxLayout(parent)
    made.setContentsMargins(margin, margin, margin, margin)
    made.setSpacing(6)
    for widget in widgets:
        add = made.addLayout if isinstance(widget, QtWidgets.QLayout) else made.addWidget
        add(widget)
    return made


def form(*rows: tuple[str, Any]) -> Any:
    """Labels on the left, widgets on the right, as a layout."""
    made = QtWidgets.QFormLayout()
    made.setContentsMargins(0, 0, 0, 0)
    made.setSpacing(4)
    made.setRowWrapPolicy(QtWidgets.QFormLayout.RowWrapPolicy.DontWrapRows)
    made.setFieldGrowthPolicy(QtWidgets.QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
    for text, widget in rows:
        made.addRow(text, widget)
    return made


def choice(name: str, tip: str, entries: list[tuple[str, Any]]) -> Any:
    """A list to choose from; the data of the entries is what the choice means."""
    made = named(QtWidgets.QComboBox(), name, tip)
    # Long names of layers must not make the docker wide.
    made.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    made.setMinimumContentsLength(8)
    made.setSizePolicy(Policy.Expanding, Policy.Fixed)
    for text, data in entries:
        made.addItem(text, data)
    return made


def refill(box: Any, entries: list[tuple[str, Any]], chosen: Any = None) -> None:
    """Other entries for a list; what was chosen stays chosen where it is still there."""
    old = [(box.itemText(i), box.itemData(i)) for i in range(box.count())]
    if old == entries:
        return
    wanted = box.currentData() if chosen is None else chosen
    blocked = box.blockSignals(True)
    box.clear()
    for text, data in entries:
        box.addItem(text, data)
    index = next((i for i, (_, data) in enumerate(entries) if data == wanted), 0 if entries else -1)
    box.setCurrentIndex(index)
    box.blockSignals(blocked)


def spin(name: str, tip: str, low: float, high: float, value: float, unit: str = "", decimals: int = 0) -> Any:
    """A number to set."""
    made = QtWidgets.QDoubleSpinBox() if decimals else QtWidgets.QSpinBox()
    if decimals:
        made.setDecimals(decimals)
        made.setSingleStep(0.1)
    made.setRange(low, high) if decimals else made.setRange(int(low), int(high))
    made.setValue(value if decimals else int(value))
    made.setSuffix(unit)
    return named(made, name, tip)


class Slider(QtWidgets.QWidget):
    """A slider with its value beside it."""

    changed = QtCore.pyqtSignal()

    def __init__(self, name: str, tip: str, low: int, high: int, value: int, shown: Any = str) -> None:
        super().__init__()
        self._shown = shown
        self.slider = named(QtWidgets.QSlider(Qt.Orientation.Horizontal), name, tip)
        self.slider.setRange(low, high)
        self._value = label("", wrap=False)
        widest = max((self._value.fontMetrics().horizontalAdvance(shown(v)) for v in (low, high)), default=0)
        self._value.setMinimumWidth(widest + 4)
        line = row(self.slider, self._value, stretch=0)
        line.setContentsMargins(0, 0, 0, 0)
        self.setLayout(line)
        self.slider.valueChanged.connect(self._tell)
        self.slider.setValue(value)
        self._value.setText(shown(value))

    @property
    def value(self) -> int:
        """What is set."""
        return int(self.slider.value())

    def _tell(self, value: int) -> None:
        self._value.setText(self._shown(value))
        self.changed.emit()


def percent(name: str, tip: str, share: float) -> Slider:
    """A slider from 0 to 100 percent."""
    return Slider(name, tip, 0, 100, round(100 * share), lambda v: "%d %%" % v)


class Fold(QtWidgets.QWidget):
    """A heading that unfolds what lies below it. Emits `opened`."""

    opened = QtCore.pyqtSignal()

    def __init__(self, name: str, title: str, tip: str, *widgets: Any) -> None:
        super().__init__()
        self._head = named(QtWidgets.QToolButton(), name, tip)
        self._head.setText(title)
        self._head.setCheckable(True)
        self._head.setAutoRaise(True)
        self._head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._head.setSizePolicy(Policy.Expanding, Policy.Fixed)
        self._head.setArrowType(Qt.ArrowType.RightArrow)
        self._head.toggled.connect(self._turn)
        self.body = QtWidgets.QWidget()
        column(self.body, *widgets).setContentsMargins(14, 2, 0, 6)
        self.body.setVisible(False)
        column(self, self._head, self.body).setSpacing(0)

    def unfold(self, open_: bool = True) -> None:
        """Open or close it."""
        self._head.setChecked(open_)

    def rename(self, title: str) -> None:
        """Give it another heading."""
        self._head.setText(title)

    @property
    def is_open(self) -> bool:
        """Whether it is unfolded."""
        return bool(self._head.isChecked())

    def _turn(self, on: bool) -> None:
        self._head.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
        self.body.setVisible(on)
        if on:
            self.opened.emit()


class ImageView(QtWidgets.QWidget):
    """A picture that is as large as its place allows, sharp on screens of any density."""

    def __init__(self, name: str, tip: str, most: int = 260, empty: str = "") -> None:
        super().__init__()
        self.image: Any | None = None
        self._most, self._empty = most, empty
        self.setSizePolicy(Policy.Expanding, Policy.Preferred)
        named(self, name, tip)

    def set_image(self, image: Any | None) -> None:
        """Show another picture, or none."""
        self.image = image
        self.updateGeometry()
        self.update()

    def hasHeightForWidth(self) -> bool:
        """Qt's question: the height follows from the width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Qt's question."""
        if self.image is None or self.image.isNull():
            return self.fontMetrics().height() * 4
        return max(24, min(self._most, round(width * self.image.height() / self.image.width())))

    def sizeHint(self) -> Any:
        """Qt's question."""
        return QtCore.QSize(self._most, self.heightForWidth(self.width() or self._most))

    def minimumSizeHint(self) -> Any:
        """Qt's question."""
        return QtCore.QSize(60, 40)

    def paintEvent(self, _: Any) -> None:
        """Qt's call: draw."""
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
        if self.image is None or self.image.isNull():
            colour = self.palette().color(QtGui.QPalette.ColorGroup.Disabled, QtGui.QPalette.ColorRole.WindowText)
            painter.setPen(colour)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect(), int(flags) if isinstance(flags, int) else flags.value, self._empty)
            return
        size = QtCore.QSizeF(self.image.size()).scaled(QtCore.QSizeF(self.size()), Qt.AspectRatioMode.KeepAspectRatio)
        place = QtCore.QRectF(
            (self.width() - size.width()) / 2, (self.height() - size.height()) / 2, size.width(), size.height()
        )
        painter.drawImage(place, self.image, QtCore.QRectF(self.image.rect()))


class MessageBar(QtWidgets.QFrame):
    """What happened: a paragraph that stays until it is closed or something else happens."""

    closed = QtCore.pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.text = label("", "message")
        close = named(QtWidgets.QToolButton(), "message_close", "Close this message")
        close.setText("✕")
        close.setAutoRaise(True)
        close.clicked.connect(lambda *_: self.closed.emit())
        line = row(self.text, close, stretch=0)
        line.setAlignment(close, Qt.AlignmentFlag.AlignTop)
        line.setContentsMargins(8, 4, 2, 4)
        self.setLayout(line)
        self.setVisible(False)

    def tell(self, text: str, bad: bool) -> None:
        """Show a text, or nothing where it is empty."""
        self.setVisible(bool(text))
        if text == self.text.text() and self.property("bad") == bad:
            return
        self.text.setText(text)
        self.setProperty("bad", bad)
        colour = "#c0392b" if bad else "#3d8b5a"
        # Only the bar at the side is coloured: text and ground stay those of the theme, whichever it is.
        self.setStyleSheet(
            "MessageBar { border: none; border-left: 3px solid %s; background: palette(alternate-base); }" % colour
        )


class Scroll(QtWidgets.QScrollArea):
    """Scrolls up and down only. What is inside has the same width with and without a scroll bar: else texts and
    pictures, whose height follows from their width, would make the bar come and go without end."""

    def __init__(self, inside: Any) -> None:
        super().__init__()
        self.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.setWidget(inside)

    def resizeEvent(self, event: Any) -> None:
        """Qt's call."""
        bar = self.verticalScrollBar().sizeHint().width()
        self.widget().setFixedWidth(max(1, self.width() - bar))
        super().resizeEvent(event)
