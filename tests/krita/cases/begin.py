"""Begins to learn, saves, and leaves Krita: what goes on without it is for the next case to find."""


def case(t):
    yield from t.prepare()
    document = t.open(t.given["picture"])
    yield t.until(lambda: t.stage == "EMPTY", "the docker to see the picture")
    t.choose("kind", "segments")
    t.press("make")
    yield t.idle()
    t.panel.learn_page.time.setItemData(0, ("", t.given["seconds"]))
    t.panel.learn_page.time.setCurrentIndex(0)
    t.press("learn")
    yield t.until(lambda: t.stage == "LEARNING", "learning to begin")
    yield t.until(lambda: t.ws.job.phase == "training" and t.ws.job.fraction > 0, "progress", 120)
    document.setBatchmode(True)
    t.seen["saved"] = document.saveAs(t.given["file"])
    t.seen["job"] = t.ws.job.id
