"""A folder's model, as procedures: models made at once and refined, refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from underdrawing.picture.files import write_picture

from .conftest import Host, test_picture
from .folder_model import NAME, dusk
from .test_single import PASTED


@pytest.fixture(scope="module")
def maker(shared_host: Host, learnt_folder: tuple[str, Path]) -> str:
    """A folder's model in the engine that GIMP talks to, and another picture beside the first."""
    write_picture(shared_host.folder / "dusk.png", dusk(test_picture()))
    return learnt_folder[0]


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
refined = call("vary", image, count=1, iterations=2, **by)[2]
image.remove_layer(image.get_layers()[0])
kept = call("vary", image, count=1, iterations=2, **by)[2]
image.remove_layer(image.get_layers()[0])
plain = call("vary", image, count=1, **by)[2]
image.remove_layer(image.get_layers()[0])
tell(refined=refined, kept=kept == refined, plain=plain == model)
learnt = call("vary", image, count=1, **few)[2]
image.remove_layer(image.get_layers()[0])
tell(learnt=learnt not in (model, refined))
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
    assert told["learnt"], "a picture that is to be learnt is learnt, whatever was made of it"
    assert told["harmonized"] == ["Harmonized", 0, True, True]
    assert "cannot be fine-tuned" in told["fine"]
    assert "700" in told["large"]
    assert told["blended"], "an edit in place goes on from what was made of the picture before"
    assert "“nobody” is not there" in told["unknown"]
    assert "makes no models" in told["one_picture"]
    assert "too narrow" in told["narrow"]
    assert told["layers"] == ["Background"]
    with gimp.engine() as engine:
        known = {model["id"]: model for model in engine.models()}
        made = [known[told[name]] for name in ("model", "refined")]
        assert [model["base"] for model in made] == [maker, told["model"]]
        assert [model["name"] for model in made] == [f"Untitled, by {NAME}", f"Untitled, by {NAME}, refined"]
