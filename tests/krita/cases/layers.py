"""Pictures that are groups, offset, hidden; the user's own layers as underdrawing, in two documents at once."""


def case(t):
    yield from t.prepare()
    first = t.open(t.given["picture"])
    yield t.until(lambda: t.stage == "EMPTY", "the docker to see the picture")
    root = first.rootNode()
    ground = root.childNodes()[0]
    ground.setVisible(False)
    group = first.createGroupLayer("Bild")
    root.addChildNode(group, None)
    copy = ground.duplicate()
    copy.setVisible(True)
    group.addChildNode(copy, None)
    vector = first.createVectorLayer("Vektor")
    group.addChildNode(vector, None)
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="96" height="80"><rect x="4" y="4" width="20" height="12" '
    vector.addShapesFromSvg(svg + 'fill="#102030"/></svg>')
    yield 1.0
    t.panel.look()
    yield 0.5
    # The group as the picture: all that is in it.
    t.choose("picture", group.uniqueId().toString())
    t.find("regions").setValue(4)
    t.press("make")
    yield t.idle()
    t.seen["group"] = [t.stage, t.message]
    t.press("draft")
    yield t.until(lambda: t.stage == "READY", "the draft", 120)
    t.edit(t.layer("Areas"), t.given["stroke"])
    t.press("apply")
    yield t.until(lambda: t.ws.busy, "work")
    # To another document in the middle of it, and back.
    second = t.open(t.given["other"])
    yield t.until(lambda: t.ws is not None and t.ws.stage.name == "EMPTY", "the other document")
    t.seen["second"] = [t.stage, t.document.fileName() == second.fileName()]
    ws = next(w for w in t.panel.plugin.workspaces.values() if w.document == first)
    yield t.until(lambda: not ws.busy, "the first document's work", 120)
    t.seen["first_applied"] = [n.name() for n in first.rootNode().childNodes()]
    t.seen["second_untouched"] = [n.name() for n in second.rootNode().childNodes()]

    # In the second one, layers that the user drew.
    width, height = second.width(), second.height()
    drawn = second.createNode("meine Flächen", "paintlayer")
    second.rootNode().addChildNode(drawn, None)
    t.paint(drawn, (0, 0, width, height), (200, 180, 150))
    t.paint(drawn, (10, 10, 40, 40), (180, 40, 40))
    yield 0.5
    t.choose("picture", second.rootNode().childNodes()[0].uniqueId().toString())
    t.choose("use_segments", drawn.uniqueId().toString())
    t.panel.make_page.findChild(type(t.find("use_fold")), "underdrawing_use_fold").setChecked(True)
    yield 0.3
    t.press("use_layers")
    yield t.idle()
    t.seen["own"] = [t.stage, t.message]
    t.press("draft")
    yield t.until(lambda: t.stage == "READY", "the draft of the own layers", 120)
    t.seen["own_palette"] = len(t.ws.record.palette)
    t.paint(drawn, (50, 20, 20, 20), (180, 40, 40))
    t.press("apply")
    yield t.until(lambda: t.ws.busy, "work")
    # Closed in the middle of a request: nothing happens, and the other document goes on.
    second.setModified(False)
    second.close()
    yield t.until(lambda: t.ws is not None and t.ws.document == first, "the first document again")
    yield 2.0
    t.press("apply")
    yield t.idle()
    t.seen["first_again"] = [t.message, t.ws.message.bad]

    # A hidden group is no picture.
    group.setVisible(False)
    yield 0.5
    t.panel.make_other(True)
    yield 0.5
    t.choose("picture", group.uniqueId().toString())
    t.press("make")
    yield t.idle()
    t.seen["hidden"] = [t.message, t.ws.message.bad]
