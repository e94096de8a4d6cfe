"""Runs in a host's own Python, with the plug-in's own copy of `client`: a tiny training, and an edit applied."""

import importlib
import json
import os


def way(*_):
    """Make an underdrawing, train a draft, paint on it, apply: the size of what came back, written to $WAY_ANSWER."""
    package = os.environ["WAY_PACKAGE"]
    found = {}
    try:
        client = importlib.import_module(package + ".client.engine")
        pixels = importlib.import_module(package + ".client.frames")
        found["client"] = client.__file__
        width, height = 48, 32
        flat = b"".join(bytes((200, 60, 40) if x < 24 else (40, 90, 160)) for y in range(height) for x in range(width))
        picture = pixels.Frame(width, height, "RGB", "u8", flat)
        with client.Engine.connect(timeout=90) as engine:
            found["version"], found["bridged"] = engine.hello()["version"], engine.bridged
            made = engine.make_primitive(picture, "segments", regions=2)
            (plane,) = [plane for plane in made.body["planes"] if plane["name"] == "segments"]
            segments = engine.result(made, plane["hash"])
            begun = engine.train(picture, {"segments": segments}, method="draft", palette=made.body["palette"])
            found["state"] = engine.watch(begun["job"], deadline=120)["state"]
            data = bytearray(bytes(segments.data))
            colours = [bytes(entry["colour"]) for entry in made.body["palette"]]
            for row in range(10, 22):  # a block that is of the other colour, whatever is there
                for column in range(10, 30):
                    place = 3 * (row * width + column)
                    here = bytes(data[place : place + 3])
                    data[place : place + 3] = colours[0] if here != colours[0] else colours[1]
            edited = pixels.Frame(width, height, segments.order, segments.depth, bytes(data))
            reply = engine.apply(begun["model"], {"segments": edited}, picture)
            found["area"] = [reply.body[name] for name in ("x", "y", "width", "height")]
    except Exception as error:  # noqa: BLE001  The host would swallow it.
        found["error"] = repr(error)
    with open(os.environ["WAY_ANSWER"], "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(found, file)
