"""Two painted edits, a removed thing and a lifted one: listed in the docker, taken back one by one with the mouse."""


def case(t):
    yield from t.prepare()
    document = t.open(t.given["picture"])
    yield t.until(lambda: t.stage == "EMPTY", "the docker to see the picture")
    yield from t.drafted()
    t.press("view_picture")
    before = t.merged()
    strokes, box = t.given["strokes"], t.given["box"]

    def changed():
        """By place: whether anything of it is seen to differ from the picture as it was opened."""
        now = t.merged()
        return [cut(t, now, place) != cut(t, before, place) for place in (*strokes, box)]

    for stroke in strokes:
        t.edit(t.layer("Areas"), stroke)
    t.press("apply")
    yield t.idle()
    t.seen["applied"] = [t.message, t.ws.message.bad, changed()]
    t.press("edits_fold")
    yield listed(t, 2)
    selection = t.api.Selection()
    selection.select(*box, 255)
    document.setSelection(selection)
    t.press("remove")
    yield t.idle()
    yield listed(t, 3)
    t.seen["listed"] = [titles(t), t.find("take_back").isEnabled(), changed()]

    # One painted edit, with the mouse; the other one and the thing stay as they are.
    kept, others = t.pixels(t.layer("Areas"), strokes[1]), len(t.history())
    first = next(n for n, edit in enumerate(t.ws.edits) if edit.place.endswith("at %d, %d" % tuple(strokes[0][:2])))
    yield from take_back(t, first, "painted")
    yield listed(t, 2)
    t.seen["painted"] = [t.message, t.ws.message.bad, changed(), t.pixels(t.layer("Areas"), strokes[1]) == kept]
    t.seen["names"] = [t.layers(), len(t.history()) - others]

    # The removed thing; undo brings its removal back, redo takes it back again.
    yield from take_back(t, 1, "removed")
    yield listed(t, 1)
    t.seen["removed"] = [t.message, t.ws.message.bad, changed()]
    for name, count in (("undo", 2), ("redo", 1)):
        t.action("edit_" + name)
        yield 1.5
        yield listed(t, count)
        t.seen["removal_" + name] = changed()

    # A lifted thing: its layer goes, and the group with it.
    document.setSelection(selection)
    t.press("lift")
    yield t.idle()
    thing = t.layer("Thing 2")
    thing.move(thing.position().x() - 12, thing.position().y() - 12)
    t.press("apply")
    yield t.idle()
    yield listed(t, 2)
    t.seen["lifted"] = [titles(t)[1], changed()]
    yield from take_back(t, 1, "lifted")
    yield listed(t, 1)
    t.seen["lift_taken_back"] = [t.message, t.ws.message.bad, changed(), t.layers()]

    # The last one: the picture is as it was, without a result; one undo brings the result back.
    yield from take_back(t, 0, "last")
    yield listed(t, 0)
    t.seen["last"] = [t.message, t.ws.message.bad, t.merged() == before, t.layers()]
    yield 0.5
    t.shot("nothing-left")
    t.action("edit_undo")
    yield 1.5
    t.seen["undone"] = [changed(), t.layers()]


def listed(t, count):
    def holds():
        t.panel.catch_up()
        return not t.ws.busy and t.ws.edits is not None and len(t.ws.edits) == t.find("edits").count() == count

    return t.until(holds, "%d edits to be listed; there are %r" % (count, t.ws.edits), 120)


def titles(t):
    box = t.find("edits")
    return [box.item(row).text() for row in range(box.count())]


def take_back(t, row, name):
    """Click on an entry, then on the button."""
    box, button = t.find("edits"), t.find("take_back")
    t.scroll_to("take_back")
    yield 0.5
    t.click_on("edits", box.visualItemRect(box.item(row)).center())
    yield t.until(lambda: box.currentRow() == row and button.isEnabled(), "the entry to be chosen")
    yield 0.3
    t.shot("take-back-" + name)
    t.click_on("take_back")
    yield t.until(lambda: t.ws.busy, "the edit to be taken back", 20)
    yield t.idle()


def cut(t, data, place):
    x, y, w, h = place
    width = t.document.width()
    return [data[4 * (row * width + x) : 4 * (row * width + x + w)] for row in range(y, y + h)]
