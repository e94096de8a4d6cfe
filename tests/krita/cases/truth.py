"""Painted before the training, the edit is still an edit; a moved area is painted although it was selected."""


def case(t):
    yield from t.prepare()
    document = t.open(t.given["picture"])
    yield t.until(lambda: t.stage == "EMPTY", "the docker to see the picture")
    t.choose("kind", "segments")
    t.find("regions").setValue(4)
    t.press("make")
    yield t.idle()
    areas = t.layer("Areas")
    before = t.pixels(areas)
    t.paint(areas, t.given["stroke"], t.ws.record.palette[0].rgb)
    t.seen["painted"] = t.pixels(areas) != before
    t.press("draft")
    yield t.until(lambda: t.stage == "READY", "the draft", 120)
    t.press("apply")
    yield t.idle()
    t.seen["applied"] = [t.message, t.ws.message.bad, t.layer("Result") is not None]
    areas.setPixelData(t.QByteArray(before), 0, 0, document.width(), document.height())
    select(t, t.given["thing"])
    t.find("dx").setValue(t.given["dx"])
    t.panel.commands.perform("region", "move")
    yield t.idle()
    t.seen["moved"] = [t.message, document.selection() is None]
    t.press("apply")
    yield t.idle()
    t.seen["right"] = [t.layer("Result").bounds().right(), t.message, t.ws.message.bad]
    select(t, (0, 0, document.width() // 2, document.height()))
    t.press("apply")
    yield t.idle()
    t.seen["limited"] = t.message


def select(t, bounds):
    selection = t.api.Selection()
    selection.select(*bounds, 255)
    t.document.setSelection(selection)
