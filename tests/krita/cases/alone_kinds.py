"""Harmonized in documents of other colour spaces: pasted into a group, partly beyond the canvas, or partly selected."""


def case(t):
    yield from t.prepare()
    t.train_little(8)
    for number, space in enumerate(t.given["spaces"]):
        yield from one(t, space, selected=bool(number % 2))


def one(t, space, selected):
    document = t.krita.openDocument(t.given["picture"])
    document.setBatchmode(True)
    document.setColorSpace(*space)
    document.waitForDone()
    t.krita.activeWindow().addView(document)
    yield t.until(lambda: t.ws is not None and t.ws.document == document, "the docker to see the picture")
    t.press("alone_open")
    yield 0.2
    # A part of the picture itself, moved beyond the right edge, in a group with a hidden neighbour.
    ground = document.rootNode().childNodes()[0]
    group = document.createGroupLayer("Gruppe")
    document.rootNode().addChildNode(group, None)
    paste = document.createNode("Eingefügt", "paintlayer")
    group.addChildNode(paste, None)
    copied = ground.pixelData(20, 24, 30, 30)
    paste.setPixelData(copied, 0, 0, 30, 30)
    paste.move(document.width() - 20, 8)
    hidden = document.createNode("versteckt", "paintlayer")
    group.addChildNode(hidden, None)
    hidden.setPixelData(copied, 0, 0, 30, 30)
    hidden.setVisible(False)
    top = document.createNode("darüber", "paintlayer")
    document.rootNode().addChildNode(top, None)
    top.setPixelData(ground.pixelData(0, 70, 10, 10), 2, 2, 10, 10)
    if selected:
        selection = t.api.Selection()
        selection.select(80, 10, 10, 12, 255)
        document.setSelection(selection)
    yield 0.5
    document.setActiveNode(paste)
    before = t.merged()
    t.press("alone")
    yield t.until(lambda: not t.ws.running("alone") and not t.ws.busy, "the end of it", 150)
    after, result = t.merged(), t.layer("Harmonized")
    seen = {"message": [t.message, t.ws.message.bad], "paste": paste.visible()}
    seen["layers"] = [node.name() for node in document.rootNode().childNodes()]
    if result is not None:
        box = result.bounds()
        seen["space"] = [result.colorModel(), result.colorDepth()]
        seen["box"] = [box.left(), box.top(), box.right(), box.bottom()]
        pixel, width = len(after) // (document.width() * document.height()), document.width()
        places = [i for i in range(0, len(after), pixel) if after[i : i + pixel] != before[i : i + pixel]]
        seen["changed"] = len(places)
        outside = [i // pixel for i in places if not box.contains(i // pixel % width, i // pixel // width)]
        if document.colorDepth() == "F32":
            # Of a layer above, Krita itself rounds the last bit, one way or the other each time that it draws it.
            outside = [i for i in outside if not above(i % width, i // width)]
        seen["outside"] = len(outside)
    t.seen["-".join(space[:2])] = seen
    # Closed in the middle of a second one: nothing happens.
    t.press("alone")
    yield 0.2
    yield 0.4
    document.setModified(False)
    document.close()
    yield t.until(lambda: t.ws is None or not t.ws.open, "the document to be closed")


def above(x, y):
    return 2 <= x < 12 and 2 <= y < 12
