"""A photograph: strokes of a real pointer under Live, each measured from its end to the refreshed layer; pictures."""

import time


def case(t):
    yield from t.prepare()
    t.open(t.given["picture"])
    yield t.until(lambda: t.stage == "EMPTY", "the docker to see the picture")
    yield t.until(lambda: t.panel.make_page.preview.image is not None, "a preview", 90)
    t.measure()
    yield 0.5
    t.shot("make")
    t.press("make")
    yield t.idle()
    yield 0.5
    t.shot("underdrawing")
    t.press("draft")
    yield t.until(lambda: t.stage == "READY", "the draft", 120)
    t.press("live")
    yield t.until(lambda: t.layer("Live preview") is not None, "the preview layer")
    preview = t.layer("Live preview")
    yield 1.0
    t.press("colour_%d" % t.given["colour"])
    yield 0.3
    areas = t.layer("Areas")
    t.krita.activeWindow().activeView().setBrushSize(t.given["brush"])
    splits, times = [], []
    before = b""
    for number, (x, y, to_x, to_y) in enumerate(t.given["strokes"]):
        yield t.until(lambda: t.ws.live.name == "WATCHING", "Live to rest")
        before, shown, t.ws.split = t.pixels(areas), t.pixels(preview), type(t.ws.split)()
        yield from t.drag(x, y, to_x, to_y)
        began = time.monotonic()
        yield t.until(lambda old=before: t.pixels(areas) != old, "the stroke to be on the layer", 20)
        stroke = time.monotonic() - began
        yield t.until(lambda old=shown: t.ws.split.total > 0 and t.pixels(preview) != old, "Live to follow", 60)
        times.append([round((time.monotonic() - began) * 1000), round(stroke * 1000)])
        splits.append({name: round(value * 1000) for name, value in t.ws.split.__dict__.items()})
        if number == 0:
            yield 0.5
            t.shot("live")
    t.seen["times"], t.seen["splits"] = times, splits
    # Ten strokes or one: Live leaves no steps of its own in the history.
    t.action("edit_undo")
    yield t.until(lambda: t.pixels(areas) == before, "one undo to take the last stroke back", 30)
    t.action("edit_redo")
    yield t.until(lambda: t.pixels(areas) != before, "redo to bring it back", 30)
    yield t.until(lambda: t.ws.live.name == "WATCHING", "Live to rest")
    t.press("live")
    yield t.until(lambda: t.ws.live.name == "OFF", "Live to end")
    t.press("apply")
    yield t.idle()
    t.seen["applied"] = [t.layer("Result") is not None, t.message]
    yield 0.5
    t.press("view_picture")
    t.panel.edit_page.tools.folds[1].unfold()
    yield 1.0
    t.shot("applied")
