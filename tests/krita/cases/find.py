"""Opens what the case before left, and finds the training or the model again; on a dense screen, in a light theme."""


def case(t):
    yield from t.prepare()
    t.open(t.given["file"])
    yield t.until(lambda: t.stage in ("TRAINING", "READY"), "the training to be found again", 60)
    t.seen["found"] = t.stage
    t.seen["dense"] = t.panel.devicePixelRatioF()
    yield 0.5
    t.shot("found")
    yield t.until(lambda: t.stage == "READY" and not t.ws.meanwhile, "the model", 240)
    t.edit(t.layer("Areas"), t.given["stroke"])
    t.press("apply")
    yield t.idle()
    t.seen["applied"] = [t.layer("Result") is not None, t.message]
    for number in (0, 1):
        t.panel.edit_page.tools.folds[number].unfold()
    t.panel.edit_page.options_fold.unfold()
    yield 0.5
    t.shot("dense")
