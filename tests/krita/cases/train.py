"""Training: begun, seen, paused, gone on with, finished, used; a second one is cancelled."""


def case(t):
    yield from t.prepare()
    t.open(t.given["picture"])
    yield t.until(lambda: t.stage == "EMPTY", "the docker to see the picture")
    t.choose("kind", "segments")
    t.press("make")
    yield t.idle()
    quick(t, iterations=150)
    t.press("train")
    yield t.until(lambda: t.stage == "TRAINING", "training to begin")
    yield t.until(lambda: t.ws.job.phase == "training" and t.ws.job.fraction > 0, "progress", 120)
    yield t.until(lambda: t.ws.sample is not None, "a sample", 120)
    t.shot("training")
    t.seen["bar"] = t.find("progress").value()
    t.seen["state"] = t.find("train_state").text()
    t.press("pause")
    yield t.until(lambda: t.ws.job is not None and t.ws.job.state == "paused", "the pause", 120)
    t.seen["paused"] = [t.stage, t.find("pause").text(), t.find("train_state").text()]
    t.shot("paused")
    # Painting is possible meanwhile, and saving too.
    areas = t.layer("Areas")
    before = t.pixels(areas)
    t.paint(areas, (1, 1, 3, 3), (1, 2, 3))
    t.seen["editable"] = t.pixels(areas) != before
    areas.setPixelData(t.QByteArray(before), 0, 0, t.document.width(), t.document.height())
    t.press("pause")
    yield t.until(lambda: t.ws.job.state == "running" or t.stage == "READY", "training to go on", 60)
    yield t.until(lambda: t.stage == "READY", "the model", 240)
    yield t.until(lambda: "Trained in" in t.message, "the word that it is trained")
    t.seen["ready"] = [t.message, [m.method for m in t.ws.record.models]]
    t.paint(areas, t.given["stroke"], t.ws.record.palette[0].rgb)
    t.press("apply")
    yield t.idle()
    t.seen["applied"] = [t.layer("Result") is not None, t.message]
    # A second training, with a colour that the palette has no class for yet, is cancelled.
    t.press("train_more")
    yield 0.3
    t.seen["again"] = t.stage
    quick(t, iterations=100000)
    t.press("train")
    yield t.until(lambda: t.stage == "TRAINING" and t.ws.job.state == "running", "the second training", 60)
    t.press("cancel")
    yield t.until(lambda: t.stage == "READY", "the end of the second training", 60)
    t.seen["cancelled"] = [t.message, len(t.ws.record.models)]
    # A third one is found in the list of all trainings, and cancelled there.
    t.press("train_more")
    yield 0.3
    quick(t, iterations=100000)
    t.press("train")
    yield t.until(lambda: t.stage == "TRAINING" and t.ws.job.state == "running", "the third training", 60)
    job, trainings = t.ws.job.job, t.panel.trainings
    yield t.until(
        lambda: trainings.findChild(t.QWidget, "underdrawing_training_" + job) is not None, "the list of trainings", 60
    )
    yield t.until(lambda: "Training" in t.find("training_" + job).text(), "its progress", 120)
    t.press("trainings_fold")
    t.scroll_to("training_cancel_" + job)
    yield 0.5
    t.shot("trainings")
    t.seen["listed"] = [t.find("training_" + job).text(), t.find("trainings_fold").text()]
    t.press("training_cancel_" + job)
    yield t.until(lambda: t.stage == "READY", "the end of the third training", 60)
    yield t.until(trainings.isHidden, "an empty list", 60)
    t.seen["cancelled_there"] = [t.message, len(t.ws.record.models)]
    if t.given["analogy"]:
        yield from analogy(t, areas)
    # A colour that the model never saw is warned of.
    t.paint(areas, (50, 20, 20, 20), (255, 0, 255))
    t.press("apply")
    yield t.idle()
    t.seen["unseen"] = [t.message, t.ws.message.bad]
    t.shot("unseen")


def analogy(t, areas):
    # Another way of training is a choice, no more.
    t.press("train_more")
    yield 0.3
    quick(t, iterations=6, method="sia")
    t.shot("train-analogy")
    t.press("train")
    yield t.until(lambda: t.stage == "TRAINING", "the fourth training", 60)
    yield t.until(lambda: t.stage == "READY", "its model", 240)
    t.paint(areas, (4, 4, 16, 12), t.ws.record.palette[1].rgb)
    t.press("apply")
    yield t.idle()
    t.seen["analogy"] = [t.message, t.ws.message.bad, t.ws.record.models[-1].method, t.find("model").currentText()]


def quick(t, iterations, method="deepsim"):
    """The smallest training there is, in place of minutes."""
    import dataclasses

    t.choose("method", method)
    page = t.panel.train_page
    figures = t.given["figures"][method]
    chosen = dataclasses.replace(page.options, seconds=0.0, figures=tuple(figures.items()))
    body = dict(chosen.body(), iterations=iterations)

    class Quick:
        def body(self):
            return body

    training = t.modules["training"]
    t.panel.commands._known["train"] = (
        t.panel.commands._known["train"][0],
        lambda ws: t.panel.commands._begin(ws, training.train(ws, Quick()), "training"),
    )
