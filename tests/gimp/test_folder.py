"""A folder's model, as procedures: models made at once and refined, what lies between two pictures, refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from underdrawing.picture.files import write_picture

from .conftest import Host, test_picture
from .folder_model import NAME, dusk
from .test_single import PASTED


@pytest.fixture(scope="module")
def maker(shared_host: Host, folder_model_file: tuple[str, Path]) -> str:
    """A folder's model in the engine that GIMP talks to, and another picture beside the first."""
    write_picture(shared_host.folder / "dusk.png", dusk(test_picture()))
    return folder_model_file[0]


@pytest.mark.long
def test_models_made_at_once_are_used_again_and_refined(gimp: Host, maker: str) -> None:
    told = gimp.case(
        PASTED
        + """
image = opened()
by = {"maker": GIVEN["name"]}
group, count, model, notes = call("vary", image, count=2, freedom=40.0, **by)
tell(first=[count, [one.get_name() for one in image.get_layers()]])
image.remove_layer(group)
resized, again, _ = call("resize", image, width=80, height=40, maker=GIVEN["maker"])
clip, frames, same, _ = call("animate-picture", image, frames=2, **by)
tell(model=model, free=[again == model, same == model, resized.get_width(), frames])
refused = failure("vary", image.duplicate(), count=1, iterations=2, device="cuda", **by)
refined = call("vary", image, count=1, iterations=2, device="cpu", **by)[2]
image.remove_layer(image.get_layers()[0])
kept = call("vary", image, count=1, iterations=2, **by)[2]
image.remove_layer(image.get_layers()[0])
plain = call("vary", image, count=1, **by)[2]
image.remove_layer(image.get_layers()[0])
tell(refused=refused, refined=refined, kept=kept == refined, plain=plain == model)
trained_on = call("vary", image, count=1, **few)[2]
image.remove_layer(image.get_layers()[0])
tell(trained=trained_on not in (model, refined))
layer = pasted(image)
before = seen(image)
made, painted, _ = call("harmonize", image, [layer], **by)
tell(harmonized=[made.get_name(), outside(image, made, before), seen(image) != before, painted != model])
image.remove_layer(made)
layer.set_visible(True)
tell(fine=failure("harmonize", image, [layer], fine_tune=True, **by))
tell(large=failure("harmonize", image, [layer], large=True, **by))
image.remove_layer(layer)
source = image.get_layers()[0]
paint(source, 60, 30, 12, 12, (250, 250, 0))
tell(blended=call("blend", image, [source], **by)[1] == painted, unknown=failure("vary", image, maker="nobody"),
     one_picture=failure("vary", image, maker=model), undo=len(image.get_layers()))
image.remove_layer(image.get_layers()[0])
Gimp.Image.scale(image, 400, 24)
tell(narrow=failure("vary", image, **by), layers=[one.get_name() for one in image.get_layers()])
""",
        maker=maker,
        name=NAME,
    )
    assert told["first"] == [2, ["Variations", "Background"]]
    assert told["free"] == [True, True, 80, 2], "one model serves all that is made freely"
    assert told["kept"], "a refined model is used again"
    assert told["plain"], "without refining the model is as it was made"
    assert told["trained"], "a picture that is to be trained on is trained on, whatever was made of it"
    assert told["harmonized"] == ["Harmonized", 0, True, True]
    assert "cannot be fine-tuned" in told["fine"]
    assert "700" in told["large"]
    assert told["blended"], "an edit in place goes on from what was made of the picture before"
    assert "The folder model is not there any more" in told["unknown"]
    assert "makes no models" in told["one_picture"]
    assert "too narrow" in told["narrow"]
    assert told["layers"] == ["Background"]
    assert ("did not fail" if gimp.has_card() else "The graphics card cannot be used: ") in told["refused"]
    with gimp.engine() as engine:
        known = {model["id"]: model for model in engine.models()}
        made = [known[told[name]] for name in ("model", "refined")]
        assert [model["base"] for model in made] == [maker, told["model"]]
        assert [model["name"] for model in made] == [f"Untitled, from {NAME}", f"Untitled, from {NAME}, refined"]


@pytest.mark.long
def test_between_two_pictures(gimp: Host, maker: str) -> None:
    told = gimp.case(
        """
image, other = opened(), Gimp.file_load(QUIET, Gio.File.new_for_path(GIVEN["other"]))
def mean(layer):
    data = layer.get_buffer().get(rect(0, 0, 96, 64), 1.0, "R'G'B' u8", Gegl.AbyssPolicy.NONE)
    return sum(data) / len(data)
layer, none, count, model, notes = call("between", image, other=other, at=100.0)
tell(one=[layer.get_name(), none is None, count, model == GIVEN["maker"], layer.get_width(), layer.get_height()])
end = mean(layer)
image.remove_layer(layer)
group, _, count, _, _ = call("between", image, other=other, count=3, model=GIVEN["name"], **{"as": "layers"})
sheets = group.get_children()
tell(way=[group.get_name(), [one.get_name() for one in sheets], [one.get_visible() for one in sheets]],
     names=[one.get_name() for one in image.get_layers()], same_end=abs(mean(sheets[2]) - end) < 0.5,
     darker=mean(sheets[0]) > mean(sheets[2]))
image.get_layers()[0].set_visible(True)
coarse = call("between", image, file=Gio.File.new_for_path(GIVEN["other"]), at=100.0, scales="coarse")[0]
tell(coarse=abs(mean(coarse) - end) > 0.01, several=len(image.get_layers()))
image.convert_precision(Gimp.Precision.FLOAT_LINEAR)
linear = call("between", image, other=other, at=100.0)[0]
tell(linear=abs(mean(linear) - end))
grey = opened()
grey.convert_grayscale()
tell(grey=call("between", grey, other=other, at=0.0)[0].is_gray())
_, clip, count, _, _ = call("between", image, other=other, count=2, **{"as": "clip"})
tell(clip=[count, [one.get_name() for one in clip.get_layers()], clip.get_width(), clip.get_height()])
image.select_rectangle(Gimp.ChannelOps.REPLACE, 30, 10, 50, 40)
part = call("between", image, other=other)[0]
tell(part=[part.get_width(), part.get_height(), *part.get_offsets()[1:]])
before = len(image.get_layers())
tell(alone=failure("between", image), single=failure("between", image, other=other, count=1, **{"as": "layers"}),
     gone=failure("between", image, other=other, model="nobody"), left=len(image.get_layers()) - before)
""",
        maker=maker,
        name=NAME,
        other=str(gimp.folder / "dusk.png"),
    )
    assert told["one"] == ["Between, 100 %", True, 1, True, 96, 64]
    assert told["way"] == ["Between", ["0 %", "50 %", "100 %"], [True, False, False]]
    assert told["names"] == ["Between", "Background"]
    assert told["same_end"], "results that lie above the picture are no part of it"
    assert told["darker"]
    assert told["coarse"]
    assert told["linear"] < 1.5, "whatever the picture's depth and curve"
    assert told["grey"]
    assert told["clip"] == [2, [f"Frame {number} (80ms) (replace)" for number in (2, 1)], 96, 64]
    assert told["part"] == [50, 40, 30, 10]
    assert "No other picture was given" in told["alone"]
    assert "one picture is too few" in told["single"]
    assert "The folder model is not there any more" in told["gone"]
    assert told["left"] == 0
