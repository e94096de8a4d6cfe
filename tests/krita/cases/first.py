"""The first picture of a new Krita: the docker opens beside the layers, in front, and tall enough."""


def case(t):
    t.open(t.given["picture"])
    yield t.until(lambda: t.panel is not None, "the docker")
    dock = next(d for d in t.krita.dockers() if d.objectName() == "underdrawing_docker")
    layers = next(d for d in t.krita.dockers() if d.objectName() == "KisLayerBox")
    yield t.until(lambda: seen(dock) and not seen(layers), "the docker in front of the layers")
    yield 1.0
    t.seen["beside"] = [d.objectName() for d in t.window.tabifiedDockWidgets(dock)]
    t.seen["share"] = dock.height() / t.window.height()
    t.shot("first")


def seen(dock):
    return not dock.visibleRegion().isEmpty()
