"""The steps in another order than the document has them: nothing that was painted is lost or taken for the truth."""

from __future__ import annotations

import pytest

from .conftest import Host

# Whether a place of the picture is changed by a result, and the planes that a model was trained on.
LOOK = """
def covered(layer, x, y):
    left, top = layer.get_offsets()[1:]
    inside = 0 <= x - left < layer.get_width() and 0 <= y - top < layer.get_height()
    return inside and native(layer.get_mask(), rect(x - left, y - top, 1, 1))[0] > 200
def original():
    fresh = opened()
    group, _, model, _ = call("make", fresh)
    return model, {title: native(layer) for title, layer in planes(group).items()}
"""


@pytest.mark.long
def test_apply_without_a_model_and_train_afterwards(gimp: Host) -> None:
    told = gimp.case(
        LOOK
        + """
image = opened()
paint(image.get_layers()[0], 90, 60, 2, 2, (1, 2, 3))  # a picture that no other test has
source = image.get_layers()[0]
group = call("make", image, regions=5, known=False)[0]
made = {title: native(layer) for title, layer in planes(group).items()}
edited(group, 20, 16, 16, 12)
layer, count, unseen, notes = call("apply", image)
first = native(layer, rect(4, 4, 4, 4))
tell(count=count, notes=notes, first=covered(layer, 28, 22),
     active=[one.get_name() for one in image.get_selected_layers()])
model, job, state, notes = call("train", image, method="sia", budget=2.0, again=True)
tell(state=state)
layer = call("apply", image)[0]
tell(again=covered(layer, 28, 22))
edited(group, 60, 40, 16, 12)
layer = call("apply", image)[0]
tell(both=[covered(layer, 28, 22), covered(layer, 68, 46)], results=len(image.get_layers()))
fresh = source.copy()
other = Gimp.Image.new(96, 64, Gimp.ImageBaseType.RGB)
copied = Gimp.Layer.new_from_drawable(source, other)
other.insert_layer(copied, None, 0)
group, _, known, _ = call("make", other, [copied])
tell(known=known == model, truth={title: native(layer) for title, layer in planes(group).items()} == made)
"""
    )
    assert told["count"] == 1
    assert "instant draft" in told["notes"]
    assert told["first"]
    assert told["active"] == ["Result"]
    assert told["state"] == "done"
    assert told["again"], "the edit is no part of what the model was trained on"
    assert told["both"] == [True, True], "the first edit stays in later results"
    assert told["results"] == 3
    assert told["known"]
    assert told["truth"], "the model has the underdrawing as it was made"


@pytest.mark.long
def test_a_draft_serves_while_a_model_is_trained(gimp: Host) -> None:
    told = gimp.case("""
image = opened()
group = call("make", image, regions=5, known=False)[0]
model, job = call("train", image, method="deepsim", budget=600.0, again=True, wait=False)[:2]
edited(group)
layer, count, unseen, notes = call("apply", image)
tell(count=count, notes=notes)
models = [one["name"] for one in json.loads(call("engine", action="models"))]
call("apply", image)
tell(once=models == [one["name"] for one in json.loads(call("engine", action="models"))])
state = json.loads(call("training", action="state", job=job))
tell(still=state["model"] == model and state["state"], names=len(set(models)) == len(models))
call("training", action="cancel", job=job)
""")
    assert told["count"] == 1
    assert "Training is at" in told["notes"]
    assert told["still"] in ("queued", "running")
    assert told["once"], "one draft serves until training is done"
    assert told["names"], "no two models have one name"


def test_the_underdrawing_as_made_follows_a_mirrored_and_turned_picture(gimp: Host) -> None:
    told = gimp.case(
        LOOK
        + """
image = opened()
group = call("make", image, regions=5, known=False)[0]
edited(group, 20, 16, 16, 12)
image.flip(Gimp.OrientationType.HORIZONTAL)
image.rotate(Gimp.RotationType.DEGREES90)
layer, count, unseen, notes = call("apply", image)
y, x = 96 - 1 - 28, 64 - 1 - 22
tell(edit=covered(layer, x, y), width=layer.get_width(), height=layer.get_height())
"""
    )
    assert told["edit"]
    assert told["width"] < 40, "nothing but what was painted is an edit"
    assert told["height"] < 40


@pytest.mark.long
def test_make_again(gimp: Host) -> None:
    told = gimp.case("""
image = opened()
source = image.get_layers()[0]
first = call("make", image, regions=5, known=False)[0]
def shown():
    return [[one.get_name().split(" #")[0], one.get_visible()] for one in image.get_layers()]
second = call("make", image, image.get_selected_layers(), regions=4, known=False)[0]
tell(replaced=shown(), gone=not first.is_valid() or first.get_id() == second.get_id())
edited(second)
call("apply", image)
third = call("make", image, [source], regions=6, known=False)[0]
tell(painted=shown(), top=image.get_layers()[0].get_id() == third.get_id())
edited(third, 60, 40, 16, 12)
call("apply", image, [planes(third)["Segments"]])
tell(results=shown())
""")
    assert told["replaced"] == [["Underdrawing", True], ["Background", True]]
    assert told["painted"] == [
        ["Underdrawing", True],
        ["Underdrawing", False],
        ["Result", True],
        ["Background", True],
    ], "what was painted on stays, hidden below"
    assert told["top"]
    assert [name for name, _ in told["results"]] == ["Underdrawing", "Underdrawing", "Result", "Result", "Background"]
    assert [seen for _, seen in told["results"]] == [False, False, True, True, True]


@pytest.mark.long
def test_a_moved_region_is_applied_in_both_places(gimp: Host) -> None:
    told = gimp.case(
        LOOK
        + """
image = opened()
group = call("make", image, regions=5, known=False)[0]
image.select_rectangle(Gimp.ChannelOps.REPLACE, 57, 3, 26, 26)
call("move", image, dx=-40, dy=0)
layer, _, _, notes = call("apply", image)
tell(old=covered(layer, 70, 16), new=covered(layer, 30, 16), notes=notes)
image.select_rectangle(Gimp.ChannelOps.REPLACE, 57, 3, 26, 26)
layer, _, _, limited = call("apply", image)
tell(limited=limited, only=[covered(layer, 70, 16), covered(layer, 30, 16)])
group.set_visible(False)
call("move", image, dx=0, dy=4)
tell(seen=group.get_visible())
tell(switched=[[call("switch", image), group.get_visible()] for _ in range(2)])
"""
    )
    assert told["old"]
    assert told["new"]
    assert "selection" not in told["notes"]
    assert told["only"] == [True, False]
    assert "The selection limits this edit" in told["limited"]
    assert told["seen"], "what a tool changes is shown"
    assert told["switched"] == [[False, False], [True, True]]
