"""Begins to train and paints meanwhile, saves, and leaves Krita: what goes on is for the next case to find."""


def case(t):
    yield from t.prepare()
    document = t.open(t.given["picture"])
    yield t.until(lambda: t.stage == "EMPTY", "the docker to see the picture")
    t.choose("kind", "segments")
    t.press("make")
    yield t.idle()
    yield t.until(lambda: t.panel.train_page.asked, "the engine's word about methods and devices")
    methods, devices = t.find("method"), t.find("device")
    t.seen["methods"] = [methods.itemData(i) for i in range(methods.count())]
    t.seen["devices"] = [[devices.itemData(i) for i in range(devices.count())], t.find("devices").text()]
    t.panel.train_page.time.setItemData(0, ("", t.given["seconds"]))
    t.panel.train_page.time.setCurrentIndex(0)
    yield 0.3
    t.shot("train")
    t.press("train")
    yield t.until(lambda: t.stage == "TRAINING", "training to begin")
    yield t.until(lambda: t.ws.job.phase == "training" and t.ws.job.fraction > 0, "progress", 120)
    yield 0.3
    t.shot("training")
    if t.given["seconds"] == 30:
        yield from meanwhile(t)
    document.setBatchmode(True)
    t.seen["saved"] = document.saveAs(t.given["file"])
    t.seen["job"] = t.ws.job.job


def meanwhile(t):
    # What is being trained is painted with at once, and Live paints anew by itself when it has become better.
    t.press("meanwhile")
    yield t.until(lambda: t.stage == "READY", "the page to paint on")
    t.seen["meanwhile"] = [t.find("training").text(), t.find("train_more").text(), t.ws.job.under_way]
    t.press("live")
    yield t.until(lambda: t.ws.live.name == "WATCHING", "Live")
    t.edit(t.layer("Areas"), t.given["stroke"])
    yield t.until(lambda: t.ws.split.total > 0 and t.ws.live.name == "WATCHING", "the first refresh", 90)
    usable, t.ws.split = t.ws.usable, type(t.ws.split)()
    yield t.until(lambda: t.ws.usable > usable, "something better to be trained", 90)
    yield t.until(lambda: t.ws.split.total > 0, "Live to paint anew by itself", 90)
    yield 0.3
    t.shot("meanwhile")
    t.press("live")
    yield t.until(lambda: t.ws.live.name == "OFF", "Live to end")
    t.press("train_more")
    yield t.until(lambda: t.stage == "TRAINING", "the page of training again")
