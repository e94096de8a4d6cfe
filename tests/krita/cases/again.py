"""The same picture opened anew is recognised; a thing is removed, and several results are there to choose from."""


def case(t):
    yield from t.prepare()
    first = t.open(t.given["picture"])
    yield t.until(lambda: t.stage == "EMPTY", "the docker to see the picture")
    yield from t.drafted()
    model, trained = t.ws.record.model, t.pixels(t.layer("Areas"))
    first.setModified(False)
    first.close()
    yield t.until(lambda: t.ws is None, "the docker to see that it is closed")

    # The same file as a new document, which has no note of it.
    document = t.open(t.given["picture"])
    yield t.until(lambda: t.stage == "EMPTY", "the docker to see the picture")
    yield t.until(lambda: any(k.id == model for k in t.ws.known), "the picture to be recognised")
    t.seen["told"] = [t.find("known_text").text(), t.find("known").isHidden() == (len(t.ws.known) == 1)]
    yield 0.3
    t.shot("recognised")
    # Another picture by now: refused, and nothing is changed.
    ground = document.rootNode().childNodes()[0]
    before = t.pixels(ground)
    t.paint(ground, (0, 0, 1, 1), (1, 2, 3))
    t.choose("known", model)
    t.press("use_known")
    yield t.idle()
    t.seen["changed"] = [t.message, t.ws.message.bad, t.layers()]
    ground.setPixelData(t.QByteArray(before), 0, 0, document.width(), document.height())
    t.panel.make_page.layer.currentIndexChanged.emit(0)
    t.ws.recognised = ""
    yield t.until(lambda: any(k.id == model for k in t.ws.known), "the picture to be recognised again")
    t.find("make")  # what is to be shown is shown
    t.choose("known", model)
    t.press("use_known")
    yield t.idle()
    assert t.stage == "READY", t.message
    t.seen["used"] = [t.stage, t.ws.record.model == model, t.pixels(t.layer("Areas")) == trained, t.message]
    t.seen["job"] = t.ws.job is None

    # A thing is removed: there are several ways to fill the ground.
    selection = t.api.Selection()
    selection.select(*t.given["thing"], 255)
    document.setSelection(selection)
    t.press("remove")
    yield t.idle()
    t.seen["applied"] = t.message
    layers = t.layers()
    t.panel.edit_page.tools.folds[1].unfold()
    t.press("others")
    yield t.idle()
    t.seen["others"] = [t.message, t.ws.message.bad, t.layers() == layers]
    history = t.find("history")
    t.seen["history"] = [history.count(), len({entry.header["hash"] for entry in t.ws.history})]
    yield 0.3
    t.shot("others")
    newest = history.item(0)
    history.setCurrentItem(newest)
    history.itemDoubleClicked.emit(newest)
    yield t.idle()
    back, applied = t.layer("Result, brought back"), t.layer("Result")
    t.seen["back"] = [back is not None, t.pixels(back) != t.pixels(applied)]
    # Once more: nothing that is there already comes a second time.
    t.press("others")
    yield t.idle()
    t.seen["once"] = [history.count(), t.message]
