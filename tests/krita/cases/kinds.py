"""A file layer as the picture, one pixel, a soft selection, a vector layer as underdrawing, a second window."""


def case(t):
    yield from t.prepare()
    document = t.open(t.given["picture"])
    yield t.until(lambda: t.stage == "EMPTY", "the docker to see the picture")
    root = document.rootNode()
    ground = root.childNodes()[0]
    linked = document.createFileLayer("verknüpft", t.given["linked"], "None")
    root.addChildNode(linked, None)
    yield t.until(lambda: any(linked.projectionPixelData(0, 0, 8, 8)), "the file layer's picture")
    ground.setVisible(False)
    document.refreshProjection()
    yield 0.5
    t.panel.refresh()
    t.choose("picture", linked.uniqueId().toString())
    t.choose("kind", "segments")
    t.find("regions").setValue(4)
    t.press("make")
    yield t.idle()
    t.seen["file"] = [linked.type(), t.stage, t.message]
    t.press("draft")
    yield t.until(lambda: t.stage == "READY", "the draft", 120)

    # One pixel: nothing but what its mask covers is another one.
    t.press("view_picture")
    yield 0.3
    merged = t.merged()
    areas = t.layer("Areas")
    trained = t.pixels(areas)
    x, y = t.given["pixel"]
    here = bytes(areas.pixelData(x, y, 1, 1))[2::-1]
    other = next(colour.rgb for colour in t.ws.record.palette if bytes(colour.rgb) != here)
    t.paint(areas, (x, y, 1, 1), other)
    t.find("grow").setValue(0)
    t.find("feather").setValue(0)
    t.press("apply")
    yield t.idle()
    box = t.layer("Result").bounds()
    t.seen["pixel"] = [box.x(), box.y(), box.width(), box.height()]
    t.seen["pixel_changed"] = changed(merged, t.merged(), document.width())
    t.find("grow").setValue(-1)
    t.find("feather").setValue(3)
    restore(t, areas, trained)

    # A selection with soft edges: outside of it nothing, at its edge a part of the edit.
    t.edit(areas, t.given["stroke"])
    selection = t.api.Selection()
    selection.select(*t.given["selected"], 255)
    selection.feather(5)
    document.setSelection(selection)
    soft = bytes(selection.pixelData(0, 0, document.width(), document.height()))
    t.seen["soft"] = len(set(soft))
    merged = t.before
    t.press("apply")
    yield t.idle()
    document.setSelection(None)
    yield 0.3
    t.seen["soft_changed"] = [
        soft[py * document.width() + px] for px, py in changed(merged, t.merged(), document.width())
    ]
    mask = levels(t, t.layer("Result"))
    t.seen["soft_mask"] = [max(mask), sum(1 for value in mask if 0 < value < 255)]
    t.seen["soft_over"] = max(counts - selected for counts, selected in zip(mask, soft, strict=True))
    restore(t, areas, trained)

    # A vector layer as areas.
    t.panel.make_other(True)
    vector = document.createVectorLayer("Formen")
    root.addChildNode(vector, None)
    draw(vector, (0, 0, 96, 80), "#c8b496")
    draw(vector, (10, 10, 40, 40), "#b42828")
    yield 1.0
    document.refreshProjection()
    t.panel.refresh()
    t.choose("picture", ground.uniqueId().toString())
    t.choose("use_segments", vector.uniqueId().toString())
    t.panel.make_page.findChild(type(t.find("use_fold")), "underdrawing_use_fold").setChecked(True)
    yield 0.3
    t.press("use_layers")
    yield t.idle()
    t.seen["vector"] = [t.stage, t.message]
    t.press("draft")
    yield t.until(lambda: t.stage == "READY", "the draft of the vector layer", 120)
    draw(vector, (50, 20, 20, 20), "#b42828")
    yield 1.0
    t.press("apply")
    yield t.idle()
    t.seen["vector_applied"] = [t.message, t.ws.message.bad, len(t.ws.record.palette)]

    # The same commands as menu entries, which Krita gives shortcuts to.
    t.seen["scripts"] = [name for name in t.given["scripts"] if t.krita.action("underdrawing_" + name) is None]
    t.action("underdrawing_apply")
    yield t.until(lambda: t.ws.busy, "the menu's entry to do what the button does")
    yield t.idle()
    t.seen["by_menu"] = [t.message, t.ws.message.bad]

    # A key does what the button does, and Krita offers all of them where keys are given to commands.
    t.krita.action("underdrawing_apply").setShortcut("Ctrl+Alt+U")
    t.xdo("key", "ctrl+alt+u")
    yield t.until(lambda: t.ws.busy, "the key to do what the button does", 30)
    yield t.idle()
    t.seen["by_key"] = [t.message, t.ws.message.bad]
    texts = [t.krita.action("underdrawing_" + name).text() for name in t.given["scripts"]]
    t.seen["offered"] = [sorted(texts), sorted((yield from offered(t)))]

    # A second window has a docker of its own, for the document in front there.
    plugin, first = t.panel.plugin, t.krita.activeWindow()
    count, ws = len(plugin.panels), t.ws
    window = t.krita.openWindow()
    yield 1.0
    window.addView(document)
    yield t.until(lambda: len(plugin.panels) == count + 1, "the second window's docker")
    yield t.until(lambda: any(p.ws is ws for p in plugin.panels[count:]), "the second docker to see the document")
    panel = plugin.panels[count]
    layers = len(t.ws.layers)
    panel.commands.perform("apply")
    yield t.until(lambda: not ws.busy, "the work of the second window", 120)
    t.seen["second"] = [panel.header.text(), ws.message.text, ws.message.bad, len(ws.layers) == layers]
    document.setBatchmode(True)  # or Krita asks whether it is to be saved
    document.setModified(False)
    window.qwindow().close()
    yield t.until(lambda: len(plugin.panels) == count, "the second window's docker to go")
    first.activate()
    yield t.until(lambda: t.panel is not None and t.ws is ws, "the first window to be in front again")
    t.press("apply")
    yield t.idle()
    t.seen["first"] = [t.message, t.ws.message.bad]


def changed(before, after, width):
    """Places of pixels that are other ones."""
    return [(i // 4 % width, i // 4 // width) for i in range(0, len(after), 4) if after[i : i + 4] != before[i : i + 4]]


def restore(t, areas, trained):
    """Without the edit and its result; the merged view of that is in `t.before`."""
    areas.setPixelData(t.QByteArray(trained), 0, 0, t.document.width(), t.document.height())
    result = t.layer("Result")
    result.remove()
    t.ws.look()
    t.before = t.merged()


def levels(t, result):
    """How much each pixel of a result counts: its mask, or its own alpha."""
    masks = [child for child in result.childNodes() if child.type() == "transparencymask"]
    width, height = t.document.width(), t.document.height()
    if masks:
        return list(bytes(masks[0].pixelData(0, 0, width, height)))
    return list(t.pixels(result)[3::4])


def draw(vector, bounds, colour):
    x, y, w, h = bounds
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="96px" height="80px" viewBox="0 0 96 80">'
    vector.addShapesFromSvg(
        '%s<rect x="%d" y="%d" width="%d" height="%d" fill="%s" stroke="none"/></svg>' % (svg, x, y, w, h, colour)
    )


def offered(t):
    """The texts of our commands in Krita's settings for keyboard shortcuts."""
    from PyQt5.QtCore import QTimer
    from PyQt5.QtWidgets import QApplication, QTreeWidget, QTreeWidgetItemIterator

    def dialog():
        tops = (w for w in QApplication.topLevelWidgets() if w.isVisible())
        return next((w for w in tops if w.metaObject().className() == "KisDlgPreferences"), None)

    QTimer.singleShot(0, t.krita.action("options_configure").trigger)
    yield t.until(dialog, "Krita's settings", 60)
    pages = next(w for w in dialog().findChildren(t.QWidget) if w.metaObject().className().endswith("KPageListView"))
    pages.setCurrentIndex(pages.model().index(1, 0))
    yield t.until(lambda: dialog().findChildren(QTreeWidget), "the page with the keys", 60)
    texts = []

    def read(tree):
        # The iterator must be gone before its tree is: Qt crashes otherwise.
        entries = QTreeWidgetItemIterator(tree)
        while entries.value():
            texts.append(entries.value().text(0))
            entries += 1

    for number in range(len(dialog().findChildren(QTreeWidget))):
        read(dialog().findChildren(QTreeWidget)[number])
    t.shot("keys")
    dialog().reject()
    yield t.until(lambda: dialog() is None, "the settings to close")
    return [text for text in texts if text.startswith("Underdrawing: ")]
