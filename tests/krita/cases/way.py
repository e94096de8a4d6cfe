"""The whole way: make, draft, paint, live, apply, undo, redo, apply again, keep, history, save, close, open, go on."""

PICTURE_LAYER = 0


def case(t):
    yield from t.prepare()
    document = t.open(t.given["picture"])
    yield t.until(lambda: t.stage == "EMPTY", "the docker to see the picture")
    t.measure()
    before = t.pixels(document.rootNode().childNodes()[0])
    merged = t.merged()
    yield t.until(lambda: t.panel.make_page.preview.image is not None, "a preview", 90)
    t.shot("1-make")
    t.find("regions").setValue(4)
    t.press("make")
    yield t.idle()
    t.seen["made"] = [t.stage, t.layers(), t.message]
    t.seen["palette"] = len(t.ws.record.palette)
    t.seen["active"] = document.activeNode().name()
    t.shot("2-made")
    t.press("draft")
    yield t.until(lambda: t.stage == "READY", "the draft", 120)
    yield 0.5
    t.shot("3-ready")
    t.seen["models"] = len(t.ws.record.models)

    # A stroke with a colour of the palette.
    t.press("colour_0")
    areas = t.layer("Areas")
    colour = t.ws.record.palette[0].rgb
    t.seen["brush"] = [round(v * 255) for v in t.krita.activeWindow().activeView().foregroundColor().components()[:3]]
    t.seen["colour"] = list(colour)
    t.press("live")
    yield t.until(lambda: t.layer("Live preview") is not None, "the preview layer")
    yield 1.0
    areas_before = t.pixels(areas)
    t.paint(areas, t.given["stroke"], colour)
    yield t.until(lambda: t.ws.split.total > 0, "the first refresh", 90)
    t.seen["split"] = dict(t.ws.split.__dict__, total=t.ws.split.total)
    preview = t.layer("Live preview")
    t.seen["active_live"] = document.activeNode().name()
    t.seen["preview"] = [preview.locked(), preview.visible(), preview.bounds().width() > 0]
    yield 0.5
    t.shot("4-live")
    # Painted back: nothing is edited any more, and the preview is empty.
    areas.setPixelData(t.QByteArray(areas_before), 0, 0, document.width(), document.height())
    yield t.until(lambda: not any(t.pixels(preview)), "the preview to be empty again")
    t.paint(areas, t.given["stroke"], colour)
    yield t.until(lambda: any(t.pixels(preview)), "the preview to come again")
    t.press("live")
    yield t.until(lambda: t.ws.live.name == "OFF", "Live to end")
    t.seen["preview_after"] = [preview.visible(), any(t.pixels(preview))]

    t.press("apply")
    yield t.idle()
    t.seen["active_applied"] = document.activeNode().name()
    t.seen["applied"] = [t.stage, t.layers(), t.message]
    result = t.layer("Result")
    t.seen["result_at"] = [result.bounds().x(), result.bounds().y(), result.bounds().width(), result.bounds().height()]
    t.seen["mask_layer"] = [c.type() for c in result.childNodes()]
    first = result.uniqueId().toString()
    yield 0.5
    t.press("view_picture")
    yield 1.0
    t.shot("5-applied")
    after = t.merged()
    t.seen["picture_untouched"] = t.pixels(document.rootNode().childNodes()[0]) == before
    changed = [i // 4 for i in range(0, len(after), 4) if after[i : i + 4] != merged[i : i + 4]]
    xs = [p % document.width() for p in changed]
    ys = [p // document.width() for p in changed]
    t.seen["changed"] = [len(changed), min(xs), min(ys), max(xs) + 1, max(ys) + 1] if changed else [0]

    t.action("edit_undo")
    yield t.until(lambda: t.layer("Result") is None, "one undo to take the result away")
    t.action("edit_redo")
    yield t.until(lambda: t.layer("Result") is not None, "redo to bring it back")
    yield 0.5
    t.seen["redone"] = t.merged() == after

    # Again: takes the place of the last one, and one undo brings that back.
    x, y, w, h = t.given["stroke"]
    t.paint(areas, (x, y, w // 2, h), t.ws.record.palette[1].rgb)
    t.press("apply")
    yield t.idle()
    t.seen["replaced"] = [names(t).count("Result"), t.layer("Result").uniqueId().toString() != first]
    yield 0.5
    t.action("edit_undo")
    yield 1.5
    t.seen["undone_replacement"] = [names(t).count("Result"), t.layer("Result").uniqueId().toString() == first]
    t.action("edit_redo")
    yield 1.5
    t.seen["redone_replacement"] = [names(t).count("Result"), t.layer("Result").uniqueId().toString() != first]

    # Kept.
    t.find("keep").setChecked(True)
    t.press("apply")
    yield t.idle()
    t.seen["kept"] = names(t).count("Result")

    # The history.
    t.panel.edit_page.tools.folds[1].unfold()
    yield 0.3
    history = t.find("history")
    t.seen["history"] = [history.count(), len(t.ws.history)]
    t.shot("6-history")
    oldest = history.item(history.count() - 1)
    history.setCurrentItem(oldest)
    history.itemDoubleClicked.emit(oldest)
    yield t.idle()
    back = t.layer("Result, brought back")
    t.seen["brought_back"] = back is not None and back.bounds().width() > 0

    # Saved, closed, opened again: everything is known.
    file = str(t.folder / "Größe, mit Leerzeichen.kra")
    document.setBatchmode(True)
    t.seen["saved"] = document.saveAs(file)
    document.setModified(False)
    document.close()
    yield t.until(lambda: t.ws is None, "the docker to see that it is closed")
    document = t.open(file)
    yield t.until(lambda: t.stage == "READY", "the document to be known again")
    t.seen["reopened"] = [len(t.ws.record.palette), len(t.ws.history), len(t.ws.record.models)]
    t.press("apply")
    yield t.idle()
    t.seen["applied_again"] = [names(t).count("Result"), t.ws.message.bad, t.message]
    t.shot("7-reopened")


def names(t):
    return [name if isinstance(name, str) else name[0] for name in t.layers()]
