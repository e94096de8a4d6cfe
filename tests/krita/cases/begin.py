"""Begins to learn and paints meanwhile, saves, and leaves Krita: what goes on is for the next case to find."""


def case(t):
    yield from t.prepare()
    document = t.open(t.given["picture"])
    yield t.until(lambda: t.stage == "EMPTY", "the docker to see the picture")
    t.choose("kind", "segments")
    t.press("make")
    yield t.idle()
    yield t.until(lambda: t.panel.learn_page.asked, "the engine's word about methods and devices")
    methods, devices = t.find("method"), t.find("device")
    t.seen["methods"] = [methods.itemData(i) for i in range(methods.count())]
    t.seen["devices"] = [[devices.itemData(i) for i in range(devices.count())], t.find("devices").text()]
    t.panel.learn_page.time.setItemData(0, ("", t.given["seconds"]))
    t.panel.learn_page.time.setCurrentIndex(0)
    yield 0.3
    t.shot("learn")
    t.press("learn")
    yield t.until(lambda: t.stage == "LEARNING", "learning to begin")
    yield t.until(lambda: t.ws.job.phase == "training" and t.ws.job.fraction > 0, "progress", 120)
    yield 0.3
    t.shot("learning")
    # What is being learnt is painted with at once, and Live paints anew by itself when it has become better.
    t.press("meanwhile")
    yield t.until(lambda: t.stage == "READY", "the page to paint on")
    t.seen["meanwhile"] = [t.find("learning").text(), t.find("learn_more").text(), t.ws.job.alive]
    t.press("live")
    yield t.until(lambda: t.ws.live.name == "WATCHING", "Live")
    t.paint(t.layer("Areas"), t.given["stroke"], t.ws.record.palette[0].rgb)
    yield t.until(lambda: t.ws.split.total > 0 and t.ws.live.name == "WATCHING", "the first refresh", 90)
    usable, t.ws.split = t.ws.usable, type(t.ws.split)()
    yield t.until(lambda: t.ws.usable > usable, "something better to be learnt", 90)
    yield t.until(lambda: t.ws.split.total > 0, "Live to paint anew by itself", 90)
    yield 0.3
    t.shot("meanwhile")
    t.press("live")
    yield t.until(lambda: t.ws.live.name == "OFF", "Live to end")
    t.press("learn_more")
    yield t.until(lambda: t.stage == "LEARNING", "the page of learning again")
    document.setBatchmode(True)
    t.seen["saved"] = document.saveAs(t.given["file"])
    t.seen["job"] = t.ws.job.id
