"""A picture of 2048 x 2048: how long the plug-in holds Krita's window, and how long Krita's own calls do."""

import time


def case(t):
    yield from t.prepare()
    document = t.open(t.given["picture"])
    yield t.until(lambda: t.stage == "EMPTY", "the docker to see the picture")
    yield t.until(lambda: t.panel.make_page.preview.image is not None, "a preview", 90)
    # Krita's own: an empty layer is put in and taken away again.
    own = []
    for _ in range(3):
        node = document.createNode("leer", "paintlayer")
        document.waitForDone()
        began = time.perf_counter()
        document.rootNode().addChildNode(node, None)
        added = time.perf_counter()
        document.waitForDone()
        between = time.perf_counter()
        node.remove()
        own.append([round((added - began) * 1000, 1), round((time.perf_counter() - between) * 1000, 1)])
        yield 0.3
    t.seen["krita"] = own
    t.measure()
    yield from t.drafted()
    areas = t.layer("Areas")
    t.press("live")
    yield t.until(lambda: t.ws.live.name == "WATCHING" and t.layer("Live preview") is not None, "Live")
    yield 0.5
    t.edit(areas, t.given["stroke"])
    yield t.until(lambda: t.ws.split.total > 0, "Live (%s) to follow" % t.ws.live.name, 120)
    t.seen["split"] = {name: round(value * 1000) for name, value in t.ws.split.__dict__.items()}
    t.press("live")
    yield t.until(lambda: t.ws.live.name == "OFF", "Live to end")
    t.press("apply")
    yield t.idle()
    t.seen["applied"] = [t.layer("Result") is not None, t.message]
