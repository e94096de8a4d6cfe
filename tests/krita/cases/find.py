"""Opens what the case before left, and finds the learning or the model again."""


def case(t):
    yield from t.prepare()
    t.open(t.given["file"])
    yield t.until(lambda: t.stage in ("LEARNING", "READY"), "the learning to be found again", 60)
    t.seen["found"] = t.stage
    yield t.until(lambda: t.stage == "READY", "the model", 240)
    t.paint(t.layer("Areas"), t.given["stroke"], t.ws.record.palette[0].rgb)
    t.press("apply")
    yield t.idle()
    t.seen["applied"] = [t.layer("Result") is not None, t.message]
