"""Without an underdrawing: harmonized, blended, varied, resized, animated, enlarged, each by the docker's buttons."""

import os
import signal


def case(t):
    yield from t.prepare()
    document = t.open(t.given["picture"])
    yield t.until(lambda: t.stage == "EMPTY", "the docker to see the picture")
    t.press("alone_open")
    yield 0.2
    ground = document.rootNode().childNodes()[0]
    width = document.width()
    x, y, w, h = t.given["paste"]

    # Nothing was pasted yet.
    t.press("alone")
    yield ended(t)
    t.seen["nothing_below"] = [t.message, t.ws.message.bad]

    paste = document.createNode("Eingefügt", "paintlayer")
    document.rootNode().addChildNode(paste, None)
    yield 0.5
    document.setActiveNode(paste)
    yield 0.2
    t.press("alone")
    yield ended(t)
    t.seen["empty"] = [t.message, t.ws.message.bad]
    t.paint(paste, (x, y, w, h), (40, 230, 60))
    alone_pixels, before = t.pixels(paste), t.merged()
    t.ws.tell("")
    devices = t.find("alone_device")
    yield t.until(lambda: devices.count() > 1, "the engine's word about devices", 120)
    t.seen["devices"] = [devices.itemData(i) for i in range(devices.count())]
    yield 0.4
    t.shot("alone")
    t.choose("alone_device", "cpu")

    # Training is seen, survives the engine's death, is paused, goes on, and is cancelled.
    t.train_little(100000)
    t.press("alone")
    yield t.until(lambda: training(t), "progress", 120)
    t.seen["device"] = t.trains_on()
    os.kill(t.engine_pid(), signal.SIGKILL)
    yield t.until(lambda: not training(t) or t.ws.going.job.stopping == "", "the engine to be missed", 60)
    yield t.until(lambda: training(t) and t.ws.going.job.left is not None, "training to go on", 120)
    t.seen["training"] = [t.find("alone_state").text(), t.find("alone_progress").value()]
    yield 0.4
    t.shot("alone-training")
    t.press("alone_pause")
    yield t.until(lambda: t.ws.going.job.state == "paused", "the pause", 120)
    t.seen["paused"] = [t.find("alone_state").text(), t.find("alone_pause").text()]
    # Saved and closed meanwhile: opened again, it is found as it was, and goes on.
    file = str(t.folder / "mitten im Lernen.kra")
    document.setBatchmode(True)
    assert document.saveAs(file)
    document.close()
    yield t.until(lambda: t.ws is None or not t.ws.open, "the document to be closed")
    document = t.open(file)
    yield t.until(lambda: t.ws is not None and t.ws.going is not None, "the training to be found", 60)
    t.press("alone_open")
    yield 0.2
    t.seen["found"] = t.find("alone_state").text()
    ground, paste = document.rootNode().childNodes()
    t.press("alone_pause")
    yield t.until(lambda: training(t), "training to go on", 120)
    t.press("alone_cancel")
    yield ended(t)
    t.seen["cancelled"] = [t.message, t.ws.message.bad, t.merged() == before]

    # Trained in the smallest way, and harmonized.
    t.train_little(8)
    t.press("alone")
    yield ended(t)
    t.seen["harmonized"] = [t.message, t.ws.message.bad, names(document)]
    result = t.layer("Harmonized")
    box, after = result.bounds(), t.merged()
    yield 0.4
    t.shot("alone-harmonized")
    t.seen["kept"] = [t.pixels(paste) == alone_pixels, paste.visible()]
    places = [i for i in range(0, len(after), 4) if after[i : i + 4] != before[i : i + 4]]
    inside = [box.contains(i // 4 % width, i // 4 // width) for i in places]
    t.seen["changed"] = [len(places), all(inside), box.width(), box.height()]
    t.action("edit_undo")
    yield t.until(lambda: t.layer("Harmonized") is None and paste.visible(), "the undo, with the paste seen again")
    t.seen["undone"] = t.merged() == before
    t.action("edit_redo")
    yield t.until(lambda: t.layer("Harmonized") is not None and not paste.visible(), "the redo")
    t.seen["redone"] = t.merged() == after

    # Again, for this composite alone: the picture is not trained again, and the result takes the last one's place.
    document.setActiveNode(paste)
    t.find("alone_fine_tune").setChecked(True)
    # A graphics card that is not there is not trained on; the engine says why, and nothing is changed.
    t.panel.alone_page.show_devices([{"kind": "cpu"}, {"kind": "cuda"}])
    t.choose("alone_device", "cuda")
    t.press("alone")
    yield ended(t)
    t.seen["card"] = [t.message, t.ws.message.bad, names(document)]
    yield 0.4
    t.shot("alone-no-card")
    t.choose("alone_device", "cpu")
    document.setActiveNode(paste)
    models = len(t.models())
    t.press("alone")
    yield ended(t)
    t.find("alone_fine_tune").setChecked(False)
    t.seen["tuned"] = [t.message, t.ws.message.bad, names(document), len(t.models()) - models]

    # Variations, then sizes and frames by the same model.
    t.choose("alone_use", "vary")
    t.find("alone_count").setValue(2)
    yield 0.4
    t.shot("alone-vary")
    t.press("alone")
    yield ended(t)
    group = t.layer("Variations")
    children = group.childNodes() if group is not None else []
    t.seen["varied"] = [t.message, t.ws.message.bad, [(c.name(), c.visible()) for c in children]]
    t.seen["different"] = len({t.pixels(c) for c in children})
    t.action("edit_undo")
    yield t.until(lambda: t.layer("Variations") is None, "the undo of the variations")
    models = len(t.models())
    t.choose("alone_use", "resize")
    t.find("alone_width").setValue(150)
    t.find("alone_height").setValue(60)
    yield 0.4
    t.shot("alone-resize")
    yield from new_document(t, document, "resized")
    t.choose("alone_use", "animate")
    t.find("alone_frames").setValue(4)
    yield from new_document(t, document, "animated")
    t.seen["trained_once"] = len(t.models()) == models
    t.choose("alone_use", "enlarge")
    yield from new_document(t, document, "enlarged")

    # A rough edit on a copy of the picture, inside a selection; nothing is hidden.
    edited = ground.duplicate()
    edited.setName("bearbeitet")
    document.rootNode().addChildNode(edited, None)
    t.paint(edited, (60, 10, 20, 24), (186, 44, 38))
    yield 0.5
    document.setActiveNode(edited)
    t.choose("alone_use", "blend")
    before = t.merged()
    t.press("alone")
    yield ended(t)
    after = t.merged()
    box = t.layer("Blended").bounds() if t.layer("Blended") is not None else None
    places = [i for i in range(0, len(after), 4) if after[i : i + 4] != before[i : i + 4]]
    inside = box is not None and all(box.contains(i // 4 % width, i // 4 // width) for i in places)
    t.seen["blended"] = [t.message, t.ws.message.bad, edited.visible(), len(places), inside]

    # A rough painting: its own pixels alone.
    painting = document.createNode("gemalt", "paintlayer")
    document.rootNode().addChildNode(painting, None)
    t.paint(painting, (8, 50, 30, 20), (110, 74, 52))
    yield 0.5
    document.setActiveNode(painting)
    models = len(t.models())
    t.choose("alone_use", "repaint")
    t.choose("alone_original", ground.uniqueId().toString())
    t.press("alone")
    yield ended(t)
    t.choose("alone_original", "")
    t.seen["repainted"] = [t.message, t.ws.message.bad, painting.visible(), len(t.models()) - models]
    t.press("alone_back")
    yield 0.2
    t.seen["back"] = t.find("header").text()


def new_document(t, document, name):
    t.press("alone")
    ws = t.ws
    yield t.until(lambda: not ws.running("alone"), "the end of it", 150)
    yield 0.5
    made = [d for d in t.krita.documents() if d != document]
    if made:
        nodes = made[0].rootNode().childNodes()
        size = [made[0].width(), made[0].height()]
        full = bytes(made[0].pixelData(0, 0, *size))
        t.seen[name] = [size, [len(n.childNodes()) for n in nodes], min(full[3::4]), len(set(full)), ws.message.text]
        keys = [time for time in range(9) if nodes[0].hasKeyframeAtTime(time)]
        moves = {bytes(nodes[0].pixelDataAtTime(0, 0, *size, time)) for time in keys}
        t.seen[name + "_keys"] = [nodes[0].animated(), len(keys), len(moves)]
        t.shot(name)
    else:
        t.seen[name] = [None, ws.message.text]
    for other in made:
        other.setBatchmode(True)
        other.setModified(False)
        other.close()
    yield t.until(lambda: t.ws is ws, "the first document to be in front again")
    t.press("alone_open")
    yield 0.3


def ended(t):
    return t.until(lambda: t.ws is not None and not t.ws.running("alone") and not t.ws.busy, "the end of it", 150)


def names(document):
    return [node.name() for node in document.rootNode().childNodes()]


def training(t):
    job = t.ws.going.job if t.ws.going is not None else None
    return job is not None and job.state == "running" and job.phase == "training" and job.fraction > 0
