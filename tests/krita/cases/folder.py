"""A folder's model: models that it makes at once, refined and used again, and the way between two pictures."""


def case(t):
    yield from t.prepare()
    document = t.open(t.given["picture"])
    yield t.until(lambda: t.stage == "EMPTY", "the docker to see the picture")
    t.press("alone_open")
    t.choose("alone_use", "vary")
    start = t.find("alone_from")
    yield t.until(lambda: start.count() == 2, "the folder's model to be offered", 90)
    t.seen["offered"] = [start.itemText(i) for i in range(start.count())]
    t.choose("alone_use", "enlarge")
    t.seen["enlarge"] = start.isHidden() and t.panel.alone_page.wish.maker == ""
    t.choose("alone_use", "vary")
    yield from at_once(t, document)
    yield from refined(t)
    yield from between(t)
    yield from trouble(t)


def at_once(t, document):
    t.choose("alone_from", t.given["model"])
    t.find("alone_count").setValue(2)
    known = set(t.models())
    yield 0.4
    t.shot("at-once")
    t.press("alone")
    yield ended(t)
    group = t.layer("Variations")
    t.seen["varied"] = [t.message, t.ws.message.bad, [c.name() for c in group.childNodes()] if group else []]
    listed = yield from asked(t, "models.list")
    made = [m for m in listed["models"] if m["id"] in set(t.models()) - known]
    t.seen["made"] = [[m["name"], m["base"], m["tasks"]] for m in made]
    t.action("edit_undo")
    yield t.until(lambda: t.layer("Variations") is None, "the undo of the variations")
    models = len(t.models())
    t.choose("alone_use", "resize")
    t.find("alone_width").setValue(90)
    t.find("alone_height").setValue(44)
    ws = t.ws
    t.press("alone")
    yield t.until(lambda: not ws.running("alone"), "the end of it", 90)
    yield 0.5
    others = [d for d in t.krita.documents() if d != document]
    sizes = [[d.width(), d.height()] for d in others]
    t.seen["resized"] = [sizes[0] if sizes else None, len(t.models()) - models, ws.message.text]
    yield from close(t, others, ws)


def refined(t):
    """Harmonized by a model made at once, which then goes on training: found again where it was closed meanwhile."""
    document = t.document
    paste = document.createNode("Eingefügt", "paintlayer")
    document.rootNode().addChildNode(paste, None)
    yield 0.5
    document.setActiveNode(paste)
    t.paint(paste, (20, 12, 12, 10), (40, 230, 60))
    t.choose("alone_use", "harmonize")
    t.seen["fine_tune"] = t.find("alone_fine_tune").isHidden()
    models = len(t.models())
    t.press("alone")
    yield ended(t)
    top = t.document.rootNode().childNodes()[-1].name()
    t.seen["harmonized"] = [t.message, t.ws.message.bad, len(t.models()) - models, top]
    # The model knows what the picture was before, so no layer has to be it.
    document.setActiveNode(paste)
    t.choose("alone_original", "trained")
    t.press("alone")
    yield ended(t)
    t.seen["as_trained"] = [t.message, t.ws.message.bad, len(t.models()) - models]
    t.choose("alone_original", "")
    document.setActiveNode(paste)
    t.choose("alone_time", 60.0)
    yield t.until(lambda: t.find("alone_device").count() > 1, "the engine's word about devices", 120)
    t.choose("alone_device", "cpu")
    yield 0.3
    t.shot("refine")
    t.train_little(100000)
    t.press("alone")
    yield t.until(lambda: training(t), "progress", 120)
    t.seen["refining"] = [t.find("alone_state").text(), t.ws.record.alone_job != "", t.trains_on()]
    t.press("alone_pause")
    yield t.until(lambda: t.ws.going.job.state == "paused", "the pause", 120)
    document.setBatchmode(True)
    assert document.saveAs(t.given["file"])
    document.close()
    yield t.until(lambda: t.ws is None or not t.ws.open, "the document to be closed")
    document = t.open(t.given["file"])
    yield t.until(lambda: t.ws is not None and t.ws.going is not None, "the refinement to be found", 60)
    t.press("alone_open")
    yield 0.2
    t.seen["found"] = t.find("alone_state").text()
    t.press("alone_cancel")
    yield ended(t)
    start = t.find("alone_from")
    yield t.until(lambda: not start.isHidden(), "the folder's model to be offered again")
    t.seen["cancelled"] = [t.message, start.currentData() == t.given["model"]]
    t.train_little(2)
    for name in ("refined", "refined_again"):
        document.setActiveNode(t.layer("Eingefügt"))
        t.choose("alone_time", 60.0)
        models = len(t.models())
        t.press("alone")
        yield ended(t)
        t.seen[name] = [t.message, t.ws.message.bad, len(t.models()) - models]
    # Without the folder's model nothing of this counts: the picture itself is trained.
    t.choose("alone_from", "")
    document.setActiveNode(t.layer("Eingefügt"))
    t.press("alone")
    yield t.until(lambda: t.ws.going is not None and t.ws.going.job is not None, "the training to begin", 60)
    t.seen["trained_anew"] = True
    t.press("alone_cancel")
    yield ended(t)
    document.setModified(False)
    document.close()
    yield t.until(lambda: t.ws is None or not t.ws.open, "the document to be closed")


def between(t):
    document = t.open(t.given["picture"])
    yield t.until(lambda: t.ws is not None and t.ws.document == document, "the docker to see the picture")
    t.press("alone_open")
    t.choose("alone_use", "between")
    yield 0.4
    t.shot("between-nothing")
    page = t.panel.alone_page
    view, place = page.between.view, t.find("between_place")
    page.between.take_file(t.given["other"])
    yield t.until(lambda: view.image is not None, "a look at the way", 90)
    seen = set()
    for percent in range(0, 101, 10):
        place.setValue(percent)
        seen.add(view.image.cacheKey())
    t.seen["places"] = len(seen)
    place.setValue(30)
    yield t.until(lambda: page.between.sharp(page.seen[0], 30), "the place itself", 90)
    before = view.image.cacheKey()
    yield 0.4
    t.shot("between")
    t.choose("between_scales", "coarse")
    yield t.until(lambda: view.image.cacheKey() != before, "a look at the large forms", 90)
    t.seen["coarse"] = True
    t.choose("between_scales", "all")
    t.find("between_scales")
    t.seen["back_at_once"] = view.image.cacheKey() == before

    steps = document.rootNode().childNodes()[0]
    t.press("alone")
    yield ended(t)
    made = document.rootNode().childNodes()[-1]
    box = made.bounds()
    t.seen["place"] = [t.message, t.ws.message.bad, made.name(), [box.width(), box.height()]]
    yield 0.4
    t.shot("between-made")
    t.action("edit_undo")
    yield t.until(lambda: len(document.rootNode().childNodes()) == 1, "the undo of the place")
    t.seen["undone"] = document.rootNode().childNodes()[0] == steps

    # To another document, as layers.
    other = t.krita.openDocument(t.given["document"])
    yield 0.5
    t.panel.refresh()
    t.choose("between_other", "document:" + other.rootNode().uniqueId().toString())
    t.choose("between_way", "layers")
    t.find("between_count").setValue(3)
    yield 0.4
    t.shot("between-layers")
    t.press("alone")
    yield ended(t)
    group = document.rootNode().childNodes()[-1]
    t.seen["way"] = [t.message, t.ws.message.bad, [[c.name(), c.visible()] for c in group.childNodes()]]
    t.action("edit_undo")
    yield t.until(lambda: len(document.rootNode().childNodes()) == 1, "the undo of the way")
    t.seen["way_undone"] = True
    t.choose("between_way", "clip")
    t.find("between_frames").setValue(3)
    ws = t.ws
    t.press("alone")
    yield t.until(lambda: not ws.running("alone"), "the end of it", 90)
    yield 0.5
    made = [d for d in t.krita.documents() if d not in (document, other)]
    if made:
        node, size = made[0].rootNode().childNodes()[0], (made[0].width(), made[0].height())
        keys = [time for time in range(9) if node.hasKeyframeAtTime(time)]
        frames = {bytes(node.pixelDataAtTime(0, 0, *size, time)) for time in keys}
        t.seen["clip"] = [ws.message.text, ws.message.bad, [node.animated(), len(keys), len(frames)]]
    else:
        t.seen["clip"] = [ws.message.text, ws.message.bad, None]
    yield from close(t, [*made, other], ws)
    t.choose("between_way", "place")


def trouble(t):
    """What the engine refuses is told, and nothing is half done."""
    document = t.document
    narrow = t.krita.createDocument(400, 9, "schmal", "RGBA", "U8", "", 96.0)
    t.krita.activeWindow().addView(narrow)
    yield t.until(lambda: t.ws is not None and t.ws.document == narrow, "the docker to see the narrow picture")
    t.press("alone_open")
    t.choose("alone_use", "vary")
    t.choose("alone_from", t.given["model"])
    models = t.models()
    yield from refused(t, "narrow", narrow, models)
    yield from close(t, [narrow], t.panel.plugin.workspace(document))
    # The folder's model is deleted behind the docker's back, which hears of it a moment too late.
    t.panel.ask_makers = lambda: None
    t.choose("alone_use", "harmonize")
    t.choose("alone_use", "vary")
    t.choose("alone_from", t.given["model"])
    t.paint(document.rootNode().childNodes()[0], (0, 0, 9, 9), (40, 230, 60))  # nothing was made of this one yet
    yield from asked(t, "models.delete", {"model": t.given["model"]})
    models = t.models()
    yield from refused(t, "no_model", document, models)
    t.panel.alone_page.between.take_file(t.given["other"])
    t.choose("alone_use", "between")
    yield from refused(t, "no_way", document, models)
    del t.panel.ask_makers
    t.panel.show_alone(True)
    t.choose("alone_use", "vary")
    start = t.find("alone_from")
    yield t.until(start.isHidden, "the folder's model to be gone from the list")
    t.choose("alone_use", "between")
    yield 0.4
    t.shot("between-no-folder")
    t.seen["nothing_offered"] = [start.isHidden(), not t.find("between_missing").isHidden()]


def refused(t, name, document, models):
    before = len(document.rootNode().childNodes())
    t.press("alone")
    yield ended(t)
    same = len(document.rootNode().childNodes()) == before and t.models() == models
    t.seen[name] = [t.message, t.ws.message.bad, same]


def asked(t, verb, body=None):
    """The engine's own word."""
    found = []

    def steps():
        reply = yield t.panel.plugin.service.ask(verb, body or {}, (), 60.0)
        found.append(reply.body)

    t.panel.plugin.service.start(steps(), "test")
    yield t.until(lambda: found, "the engine's answer")
    return found[0]


def close(t, documents, ws):
    for document in documents:
        document.setBatchmode(True)
        document.setModified(False)
        document.close()
    yield t.until(lambda: t.ws is ws, "the first document to be in front again")
    t.press("alone_open")
    yield 0.3


def ended(t):
    return t.until(lambda: t.ws is not None and not t.ws.running("alone") and not t.ws.busy, "the end of it", 150)


def training(t):
    job = t.ws.going.job if t.ws.going is not None else None
    return job is not None and job.state == "running" and job.phase == "training" and job.fraction > 0
