"""A person's way through the menu, as procedures: every entry once, with the real engine."""

from __future__ import annotations

import json

import pytest

from .conftest import ROOT, Host


def test_make_train_paint_apply(gimp: Host) -> None:
    told = gimp.case("""
image = opened()
before = native(image.get_layers()[0])
group, palette, model, notes = call("make", image, regions=4, known=False)
drawn = planes(group)
tell(made=[group.get_name(), [layer.get_name() for layer in group.get_children()], model],
     modes=[layer.get_mode() == Gimp.LayerMode.MULTIPLY for layer in drawn.values()],
     locks=[layer.get_lock_position() for layer in drawn.values()],
     alpha=[layer.has_alpha() for layer in drawn.values()],
     opacity=[layer.get_opacity() for layer in (group, *drawn.values())],
     colours=Gimp.Palette.get_by_name(palette).get_color_count(),
     selected=[layer.get_name() for layer in image.get_selected_layers()])
model, job, state, notes = call("train", image, method="draft", again=True)
tell(state=state, model=model, job=job)
edited(group)
layer, count, unseen, notes = call("apply", image)
tell(still=[one.get_name() for one in image.get_selected_layers()])
mask = native(layer.get_mask())
tell(layers=[one.get_name() for one in image.get_layers()], visible=[one.get_visible() for one in image.get_layers()],
     mask=[min(mask), max(mask)], count=count, unseen=unseen, size=[layer.get_width(), layer.get_height()],
     at=layer.get_offsets()[1:], untouched=native(image.get_layers()[-1]) == before)
x, y = layer.get_offsets()[1:]
inside = rect(x, y, layer.get_width(), layer.get_height())
tell(changed=native(layer) != native(image.get_layers()[-1], inside))
call("apply", image)
tell(replaced=len(image.get_layers()))
call("apply-options", image, keep=True, feather=0.0, grow=2)
tell(kept=[[one.get_name(), one.get_visible()] for one in image.get_layers()])
""")
    assert told["made"] == ["Underdrawing", ["Edges", "Segments"], ""]
    assert told["modes"] == [True, False], "white paper of the edges must let the areas through"
    assert told["locks"] == [True, True]
    assert told["alpha"] == [False, False], "a rubber must draw paper, not holes"
    assert told["opacity"] == [100.0] * 3
    assert told["colours"] == 4
    assert told["selected"] == ["Segments"]
    assert told["still"] == ["Result"], "nothing may be pasted into the hidden underdrawing"
    assert told["state"] == "done"
    assert told["layers"] == ["Underdrawing", "Result", "Background"]
    assert told["visible"] == [False, True, True]
    assert told["mask"] == [0, 255]
    assert (told["count"], told["unseen"]) == (1, "")
    assert told["size"][0] < 96
    assert told["at"][0] > 0
    assert told["untouched"]
    assert told["changed"]
    assert told["replaced"] == 3
    assert [name for name, shown in told["kept"] if shown] == ["Result #1", "Background"]


def test_the_picture_remembers_its_model_in_its_file(gimp: Host) -> None:
    told = gimp.case("""
image = opened()
group = call("make", image, regions=5, known=False)[0]
call("train", image, method="deepsim", budget=1.0, again=True)
edited(group)
path = Gio.File.new_for_path(GIVEN["folder"] + "/a picture with ü.xcf")
Gimp.file_save(QUIET, image, path, None)
again = Gimp.file_load(QUIET, path)
state = call("train", again)
layer = call("apply", again)[0]
tell(state=state[2], job=state[1], note=state[3], name=layer.get_name())
fresh = opened()
group, _, model, notes = call("make", fresh)
tell(known=model, notes=notes, planes=sorted(planes(group)))
edited(group)
tell(applied=call("apply", fresh)[0].get_name())
""")
    assert (told["state"], told["job"], told["name"]) == ("done", "", "Result")
    assert "trained on this picture already" in told["note"]
    assert told["known"]
    assert "A trained model knows this underdrawing." in told["notes"]
    assert told["planes"] == ["Edges", "Segments"]
    assert told["applied"] == "Result"


def test_layers_that_were_drawn_by_hand(gimp: Host) -> None:
    told = gimp.case("""
image = opened()
source = image.get_layers()[0]
drawn = Gimp.Layer.new(image, "my areas", 96, 64, Gimp.ImageType.RGBA_IMAGE, 100, Gimp.LayerMode.NORMAL)
image.insert_layer(drawn, None, 0)
paint(drawn, 0, 0, 96, 64, (200, 30, 30))
paint(drawn, 0, 40, 96, 24, (30, 200, 30))
before = native(drawn)
call("use-layers", image, [source], segments=drawn)
tell(unchanged=native(drawn) == before, none=failure("use-layers", image, [source]),
     same=failure("use-layers", image, [source], segments=drawn, edges=drawn),
     itself=failure("use-layers", image, [source], segments=source))
call("train", image, [source], method="draft", again=True)
paint(drawn, 30, 10, 20, 20, (30, 200, 30))
tell(applied=call("apply", image, [source])[1])
paint(drawn, 60, 10, 12, 12, (20, 20, 220))
tell(unseen=call("apply", image, [source])[2])
""")
    assert told["unchanged"]
    assert "No layer was chosen" in told["none"]
    assert "cannot stand for two things" in told["same"]
    assert "both the picture and its underdrawing" in told["itself"]
    assert told["applied"] == 1
    assert told["unseen"], "the model was not trained on blue"


def test_region_tools_change_all_planes_and_nothing_else(gimp: Host) -> None:
    told = gimp.case("""
image = opened()
source = image.get_layers()[-1]
group = trained(image)
picture = native(source)
tell(nothing=failure("move", image))
changed = {}
kept = [layer.get_id() for layer in group.get_children()]
for name, figures in (("move", {"dx": 12, "dy": -4}), ("scale", {"width": 130.0}), ("mirror", {"axis": "vertical"}),
                      ("copy", {"dx": -14}), ("remove", {})):
    before = {title: native(layer) for title, layer in planes(group).items()}
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 24, 24, 26, 26)
    call(name, image, **figures)
    changed[name] = {title: native(layer) != before[title] for title, layer in planes(group).items()}
tell(changed=changed, names=[layer.get_name() for layer in group.get_children()],
     locks=[layer.get_lock_position() for layer in group.get_children()],
     selected=not Gimp.Selection.is_empty(image), picture=native(source) == picture,
     same=[layer.get_id() for layer in group.get_children()] == kept)
tell(applied=call("apply", image)[1])
""")
    assert "No region is selected" in told["nothing"]
    for name in ("move", "copy", "remove", "scale"):
        assert told["changed"][name]["Segments"], name
    assert any(told["changed"]["mirror"].values())
    assert told["names"] == ["Edges", "Segments"]
    assert told["locks"] == [True, True]
    assert not told["selected"], "it would limit the edit to where the region was"
    assert told["same"], "a script goes on with the layers that it has"
    assert told["picture"]
    assert told["applied"] == 1


def test_live_refreshes_one_layer_in_place(gimp: Host) -> None:
    told = gimp.case("""
image = opened()
group = trained(image)
tell(first=call("live", image))
live = image.get_layers()[1]
tell(selected=[one.get_name() for one in image.get_selected_layers()])
tell(empty=max(native(live.get_mask())))
edited(group)
call("live", image)
tell(name=live.get_name(), painted=max(native(live.get_mask())), layers=len(image.get_layers()))
call("live", image)
tell(still=len(image.get_layers()), same=image.get_layers()[1].get_id() == live.get_id())
""")
    assert told["first"][0] == 1
    assert told["empty"] == 0
    assert told["selected"] == ["Segments"]
    assert told["name"] == "Live result"
    assert told["painted"] == 255
    assert told["layers"] == told["still"] == 3
    assert told["same"]


@pytest.mark.long
def test_the_method_is_a_choice(gimp: Host) -> None:
    told = gimp.case("""
image = opened()
group = call("make", image, regions=5, known=False)[0]
model, _, state, notes = call("train", image, method="sia", budget=4.0, again=True)
edited(group)
layer, count, unseen, notes = call("apply", image)
tell(state=state, count=count, unseen=unseen, size=[layer.get_width(), layer.get_height()], changed=native(layer)
     != native(image.get_layers()[-1], rect(*layer.get_offsets()[1:], layer.get_width(), layer.get_height())))
""")
    assert told["state"] == "done"
    assert (told["count"], told["unseen"]) == (1, "")
    assert told["size"][0] < 96, "outside of the edit nothing is painted"
    assert told["changed"]


@pytest.mark.long
def test_layout_of_an_open_picture_and_of_a_file(gimp: Host) -> None:
    broken = gimp.folder / "no picture ü.png"
    broken.write_bytes(b"not a PNG")
    told = gimp.case(
        """
image = opened()
group = trained(image)
other = opened(80, 80)
other.flip(Gimp.OrientationType.HORIZONTAL)
before = native(planes(group)["Segments"])
tell(none=failure("layout", image))
call("layout", image, other=other)
first = native(planes(group)["Segments"])
told = call("layout", image, other=other, areas=4).splitlines()
match = "0=" + told[1].rsplit(": ", 1)[1]
call("layout", image, other=other, areas=4, match=match)
tell(parts=told, matched=native(planes(group)["Segments"]) != first,
     nonsense=failure("layout", image, other=other, match="0 sky"),
     unknown=failure("layout", image, other=other, match="0=castle"))
call("layout", image, file=Gio.File.new_for_path(GIVEN["picture"]))
tell(changed=first != before, differs=native(planes(group)["Segments"]) != first,
     missing=failure("layout", image, file=Gio.File.new_for_path(GIVEN["broken"])),
     left=len(Gimp.get_images()), applied=call("apply-options", image, whole=True)[1])
""",
        broken=str(broken),
    )
    assert "No other picture" in told["none"]
    assert len(told["parts"]) > 1
    assert told["matched"]
    assert "matches nothing" in told["nonsense"]
    assert "No class is named 'castle'" in told["unknown"]
    assert told["changed"]
    assert told["differs"]
    assert "cannot be read" in told["missing"]
    assert told["left"] == 2
    assert told["applied"] == 1


@pytest.mark.long
def test_frames_become_painted_frames(gimp: Host) -> None:
    told = gimp.case("""
image = opened()
group = trained(image)
source = image.get_layers()[-1]
tell(none=failure("animate", image))
def frames(layer, name):
    made = Gimp.GroupLayer.new(image, name)
    image.insert_layer(made, None, 0)
    for number in range(3):
        image.insert_layer(layer.copy(), made, 0)
    return made
drawn = frames(planes(group)["Segments"], "drawn")
paint(drawn.get_children()[0], 20, 20, 30, 20, colour_at(drawn.get_children()[0], 2, 2))
made, count, notes = call("animate", image, [drawn])
names = [layer.get_name() for layer in made.get_children()]
sheets = [native(layer) for layer in made.get_children()]
tell(count=count, names=names, last_differs=sheets[0] != sheets[2], first_two=sheets[1] == sheets[2])
shots = frames(source, "shots")
tell(photographs=call("animate", image, [shots], frames="photographs")[1])
whole = Gimp.GroupLayer.new(image, "nested")
image.insert_layer(whole, None, 0)
inner = Gimp.GroupLayer.new(image, "frame")
image.insert_layer(inner, whole, 0)
tell(empty=failure("animate", image, [whole]))
for layer in planes(group).values():
    image.insert_layer(layer.copy(), inner, 0)
tell(nested=call("animate", image, [whole])[1])
""")
    assert "No group of frames" in told["none"]
    assert told["count"] == 3
    assert told["names"] == ["Frame 3", "Frame 2", "Frame 1"]
    assert told["last_differs"]
    assert told["first_two"]
    assert told["photographs"] == 3
    assert "no layer whose name begins" in told["empty"]
    assert told["nested"] == 1


def test_the_library_is_looked_after(gimp: Host) -> None:
    told = gimp.case("""
image = opened()
trained(image)
model = call("train", image)[0]
def ask(action, **more):
    return json.loads(call("engine", action=action, **more))
path = Gio.File.new_for_path(GIVEN["folder"] + "/mödel for you.underdrawing")
tell(status=ask("status"), renamed=ask("rename", model=model, new_name="Häuschen")["name"],
     exported=ask("export", model="Häuschen", file=path)["note"], deleted=ask("delete", model=model)["id"] == model,
     imported=ask("import", file=path)["name"], free=ask("free"), told=ask("diagnostics")["text"],
     models=[one["name"] for one in ask("models")], unknown=failure("engine", action="delete", model="none of them"),
     nobody=failure("engine", action="export"))
""")
    assert told["status"]["version"]
    assert told["renamed"] == told["imported"] == "Häuschen"
    assert "contains the picture" in told["exported"]
    assert told["deleted"]
    assert "freed" in told["free"]
    assert "Häuschen" in told["models"]
    assert "no model" in told["unknown"]
    assert "No model was given" in told["nobody"]
    report = json.loads(told["told"])
    assert report["gimp"].startswith("3.")
    secrets = [path.read_text().split()[-1] for path in (gimp.home / "keys").glob("*.secret")]
    assert secrets
    assert not any(secret in told["told"] for secret in secrets)
    assert str(gimp.folder) not in told["told"]


def test_the_repository_has_one_link_and_the_plugin_a_copy(gimp: Host) -> None:
    copy = gimp.profile / "plug-ins" / "underdrawing-gimp" / "underdrawing_gimp" / "client"
    for file in (ROOT / "engine" / "underdrawing" / "client").glob("*.py"):
        assert (copy / file.name).read_bytes() == file.read_bytes()
