"""A document of one colour space: made, drafted, applied; outside the edit every bit is as it was."""


def case(t):
    yield from t.prepare()
    space = t.given["space"]
    source = t.krita.openDocument(t.given["picture"])
    source.setBatchmode(True)
    source.setColorSpace(*space)
    source.waitForDone()
    t.krita.activeWindow().addView(source)
    document = t.document
    yield t.until(lambda: t.stage == "EMPTY", "the docker to see the picture")
    t.measure()
    ground = document.rootNode().childNodes()[0]
    before, merged = t.pixels(ground), t.merged()
    t.seen["space"] = [document.colorModel(), document.colorDepth(), document.colorProfile()]
    t.find("regions").setValue(4)
    t.press("make")
    yield t.idle()
    if t.stage != "DRAWN":
        t.seen["refused"] = t.message
        return
    areas = t.layer("Areas")
    t.seen["areas"] = [areas.colorModel(), areas.colorDepth()]
    t.seen["undo_after_make"] = t.krita.action("edit_undo").text()
    t.press("draft")
    yield t.until(lambda: t.stage == "READY", "the draft", 120)
    t.press("view_picture")
    yield 0.5
    t.seen["picture_seen"] = t.merged() == merged
    # The whole picture, not edited: what comes back has the colours that went in.
    t.find("whole").setChecked(True)
    t.press("apply")
    yield t.idle()
    t.merged()  # waits until Krita has drawn it
    t.seen["shift"] = shift(document, t.layer("Result"), ground)
    t.find("whole").setChecked(False)
    t.paint(areas, t.given["stroke"], t.ws.record.palette[0].rgb)
    t.press("apply")
    yield t.idle()
    t.seen["message"] = [t.message, t.ws.message.bad]
    result = t.layer("Result")
    t.seen["result"] = [result.colorModel(), result.colorDepth(), result.colorProfile()]
    box = result.bounds()
    after = t.merged()
    width, height = document.width(), document.height()
    pixel = len(after) // (width * height)
    t.seen["untouched"] = t.pixels(ground) == before
    inside = {(x, y) for x in range(box.left(), box.right() + 1) for y in range(box.top(), box.bottom() + 1)}
    changed = [
        i for i in range(width * height) if after[i * pixel : (i + 1) * pixel] != merged[i * pixel : (i + 1) * pixel]
    ]
    outside = [i for i in changed if (i % width, i // width) not in inside]
    t.seen["changed"] = len(changed)
    t.seen["changed_outside"] = len(outside)
    t.press("live")
    areas = t.layer("Areas")
    yield t.until(lambda: t.ws.split.total > 0, "Live", 90)
    t.seen["live"] = any(t.pixels(t.layer("Live preview")))
    t.press("live")
    yield t.until(lambda: t.ws.live.name == "OFF", "Live to end")


def shift(document, result, ground):
    """The largest difference of two layers' colours in Krita's own 8-bit view of them."""
    views = [node.thumbnail(document.width(), document.height()) for node in (result, ground)]
    most = 0
    for y in range(0, document.height(), 3):
        for x in range(0, document.width(), 3):
            one, two = (view.pixelColor(x, y) for view in views)
            most = max(most, abs(one.red() - two.red()), abs(one.green() - two.green()), abs(one.blue() - two.blue()))
    return most
