"""Region tools, own layers, another picture's layout, frames, groups, vectors, hidden layers, selections."""


def case(t):
    yield from t.prepare()
    document = t.open(t.given["picture"])
    yield t.until(lambda: t.stage == "EMPTY", "the docker to see the picture")
    # Too early: a clear word, not a grey button.
    t.panel.commands.perform("apply")
    t.seen["too_early"] = [t.message, t.ws.message.bad]
    yield from t.drafted()
    # Nothing painted.
    t.press("apply")
    yield t.idle()
    t.seen["nothing"] = [t.message, t.ws.message.bad]

    # A region tool wants a selection.
    areas = t.layer("Areas")
    before = t.pixels(areas)
    t.panel.commands.perform("region", "move")
    yield t.idle()
    t.seen["no_selection"] = [t.message, t.ws.message.bad]
    select(t, t.given["thing"])
    t.find("dx").setValue(12)
    t.panel.commands.perform("region", "move")
    yield t.idle()
    moved = t.layer("Areas")
    t.seen["moved"] = [t.message, t.pixels(moved) != before, names(t).count("Underdrawing")]
    document.setSelection(None)
    t.action("edit_undo")
    yield 1.5
    t.seen["move_undone"] = [t.pixels(t.layer("Areas")) == before, names(t).count("Underdrawing")]
    t.action("edit_redo")
    yield 1.5
    t.seen["move_redone"] = [t.pixels(t.layer("Areas")) != before, names(t).count("Underdrawing")]
    for operation in ("copy", "scale", "mirror", "flip"):
        select(t, t.given["thing"])
        held = t.pixels(t.layer("Areas"))
        t.panel.commands.perform("region", operation)
        yield t.idle()
        t.seen["region_" + operation] = [not t.ws.message.bad, t.pixels(t.layer("Areas")) != held]
    document.setSelection(None)

    # A selection limits the edit.
    select(t, (0, 0, document.width() // 2, document.height()))
    t.press("apply")
    yield t.idle()
    box = t.layer("Result").bounds()
    t.seen["limited"] = [box.left(), box.right(), t.message]
    document.setSelection(None)

    # Another picture's layout, out of a file.
    t.panel.commands.layout_of_file(t.ws, t.given["other"])
    yield t.idle()
    t.seen["layout"] = [t.message, t.ws.message.bad]
    t.find("whole").setChecked(True)
    t.press("apply")
    yield t.idle()
    box = t.layer("Result").bounds()
    t.seen["layout_applied"] = [box.width(), box.height(), t.message]
    t.find("whole").setChecked(False)
    t.shot("layout")

    # Out of another open document.
    other = t.krita.openDocument(t.given["other"])
    yield 0.5
    t.panel.refresh()
    t.seen["documents"] = t.find("layout_document").count()
    t.press("layout_open")
    yield t.idle()
    t.seen["layout_open"] = [t.message, t.ws.message.bad]
    t.find("layout_fold").setChecked(True)
    yield 0.5
    boxes = [t.find("part_%d" % number) for number in range(len(t.ws.other.parts))]
    kept = t.pixels(t.layer("Areas"))
    t.seen["parts"] = [len(boxes), boxes[0].itemText(0), all(box.count() == 4 for box in boxes)]
    t.choose("part_0", boxes[0].itemData(1))
    yield t.idle()
    t.seen["matched"] = [t.message, t.ws.message.bad, t.pixels(t.layer("Areas")) != kept]
    yield 0.5
    t.shot("parts")
    t.choose("part_0", "")
    yield t.idle()
    t.seen["as_found"] = t.pixels(t.layer("Areas")) == kept
    t.find("layout_fold").setChecked(False)
    other.close()

    # Frames: the picture's own layer becomes animated, with a second key.
    ground = document.rootNode().childNodes()[0]
    document.setActiveNode(ground)
    yield 0.5
    ground.enableAnimation()
    document.setCurrentTime(2)
    t.action("add_duplicate_frame")
    yield 1.0
    t.choose("frames_of", True)
    t.find("first_frame").setValue(1)
    t.find("last_frame").setValue(3)
    known, active = set(t.ws.layers), document.activeNode().name()
    t.press("frames")
    yield t.idle()
    made = [node for key, node in t.ws.layers.items() if key not in known]
    t.seen["frames"] = [t.message, [node.animated() for node in made], [node.name() for node in made]]
    keys = [[time for time in range(5) if node.hasKeyframeAtTime(time)] for node in made]
    painted = [[any(at(node, time, document)[3::4]) for time in range(5)] for node in made]
    t.seen["keys"] = [keys, painted, document.activeNode().name() == active]
    t.shot("frames")
    # Krita's own command is one step, putting the layers in is the other.
    for _ in range(2):
        t.action("edit_undo")
        yield 1.0
    t.seen["frames_undone"] = set(t.ws.layers) == known


def at(node, time, document):
    while time > 0 and not node.hasKeyframeAtTime(time):
        time -= 1
    return bytes(node.pixelDataAtTime(0, 0, document.width(), document.height(), time))


def select(t, bounds):
    selection = t.api.Selection()
    selection.select(*bounds, 255)
    t.document.setSelection(selection)


def names(t):
    return [name if isinstance(name, str) else name[0] for name in t.layers()]
