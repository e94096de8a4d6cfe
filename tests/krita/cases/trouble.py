"""The engine is killed in mid-work; a document without its picture; an engine that cannot be started."""

import json
import os
import signal
from pathlib import Path


def case(t):
    yield from t.prepare()
    document = t.open(t.given["picture"])
    yield t.until(lambda: t.stage == "EMPTY", "the docker to see the picture")
    t.find("regions").setValue(4)
    t.press("make")
    yield t.idle()
    t.press("draft")
    yield t.until(lambda: t.stage == "READY", "the draft", 120)
    t.paint(t.layer("Areas"), t.given["stroke"], t.ws.record.palette[0].rgb)
    # Killed while it is asked: the next one is started, and asked again. Who answers is held, or it would be too quick.
    hold_renderer(t)
    t.press("apply")
    yield t.until(lambda: t.ws.doing.startswith("Painting"), "the request to be on its way")
    first = kill(t)
    yield t.idle()
    t.seen["killed"] = [t.layer("Result") is not None, t.message, pid(t) != first]
    # Killed under Live.
    t.press("live")
    yield t.until(lambda: t.ws.split.total > 0, "Live", 90)
    kill(t)
    x, y, w, h = t.given["stroke"]
    t.paint(t.layer("Areas"), (x, y - 6, w, h), t.ws.record.palette[1].rgb)
    preview = t.layer("Live preview")
    shown = t.pixels(preview)
    yield t.until(lambda: t.pixels(preview) != shown, "Live to go on with the next engine", 120)
    t.press("live")
    yield t.until(lambda: t.ws.live.name == "OFF", "Live to end")
    # An engine that is not there: said, and nothing is changed.
    install = Path(os.environ["UNDERDRAWING_HOME"]) / "install.json"
    kept = install.read_bytes()
    install.unlink()
    kill(t)
    layers = t.layers()
    t.press("apply")
    yield t.idle()
    t.seen["not_installed"] = [t.message, t.ws.message.bad, t.layers() == layers]
    t.shot("not-installed")
    install.write_bytes(kept)
    t.press("apply")
    yield t.idle()
    t.seen["back"] = [t.message, t.ws.message.bad]
    # The picture's layer is deleted.
    document.rootNode().childNodes()[0].remove()
    yield 1.0
    t.press("apply")
    yield t.idle()
    t.seen["no_picture"] = [t.message, t.ws.message.bad]
    # The engine line.
    t.panel.engine.free()
    yield t.until(lambda: "freed" in t.message, "the memory to be freed")
    t.seen["freed"] = t.message
    t.seen["diagnostics"] = t.panel.engine.diagnostics()
    t.panel.engine.stop()
    yield t.until(lambda: "stopped" in t.message, "the engine to stop")
    t.seen["stopped"] = t.message


def pid(t):
    file = Path(os.environ["UNDERDRAWING_HOME"]) / "run" / "engine.json"
    return json.loads(file.read_text(encoding="utf-8"))["pid"]


def hold_renderer(t):
    for process in Path("/proc").iterdir():
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            parent = (process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]
        except (OSError, IndexError):
            continue
        if b"underdrawing.render.worker" in words and int(parent) == pid(t):
            os.kill(int(process.name), signal.SIGSTOP)


def kill(t):
    found = pid(t)
    # The process ids are those of the machine, in the folder with Debian 13 too.
    os.kill(found, signal.SIGKILL)
    return found
