"""Engines with something wrong about them, one after the other: each is told in words, and nothing is changed."""

import os


def case(t):
    yield from t.prepare()
    t.open(t.given["picture"])
    yield t.until(lambda: t.stage == "EMPTY", "the docker to see the picture")
    t.find("regions").setValue(4)
    usual = os.environ["UNDERDRAWING_HOME"]
    for name, home in t.given["homes"].items():
        at(t, home)
        layers = t.layers()
        t.press("make")
        yield t.idle()
        t.seen[name] = [t.message, t.ws.message.bad, t.layers() == layers, t.stage]
        t.shot(name.replace(" ", "-"))
    # Where that was mended, the same button works, and so does everything without ZeroMQ: over a process of the engine.
    at(t, usual)
    import sys

    kept = {key: module for key, module in sys.modules.items() if key.split(".")[0] == "zmq"}
    try:
        for key in [*kept, "zmq"]:
            sys.modules[key] = None
        t.press("make")
        yield t.idle()
        assert t.stage == "DRAWN", t.message
        t.press("draft")
        yield t.until(lambda: t.stage == "READY", "the draft", 120)
        t.edit(t.layer("Areas"), t.given["stroke"])
        t.press("apply")
        yield t.idle()
        t.seen["bridge"] = [type(t.panel.plugin.service.engine.session.transport).__name__, t.message]
        t.seen["applied"] = t.layer("Result") is not None
        # Cancelled in the middle, over the bridge, too.
        t.press("live")
        yield t.until(lambda: t.ws.split.total > 0, "Live", 90)
        t.press("live")
        yield t.until(lambda: t.ws.live.name == "OFF", "Live to end")
    finally:
        sys.modules.pop("zmq", None)
        sys.modules.update(kept)
        at(t, usual)


def at(t, home):
    """From now on the engine of this home is asked."""
    service = t.panel.plugin.service
    if service.engine is not None:
        service.engine.close()
        service.engine = None
    os.environ["UNDERDRAWING_HOME"] = home
