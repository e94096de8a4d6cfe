"""Harmonize, blend, repaint: what a single-image GAN makes of a picture that was changed, where it was changed."""

from __future__ import annotations

import time
from dataclasses import dataclass

import cv2
import numpy as np

from underdrawing.client.messages import EngineError
from underdrawing.picture.composite import flattened, poisson
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import Picture
from underdrawing.picture.light_transfer import Light, light_at, recognisable
from underdrawing.picture.mask import differing, dilate, feather
from underdrawing.picture.patch_texture import painted, repainted, stroked
from underdrawing.picture.resize import signed, small_copy
from underdrawing.render.apply import Applied, network_note, reduced_note
from underdrawing.render.generate import GenerateOptions, GraphRun
from underdrawing.render.model import Model
from underdrawing.render.onnx_sessions import SessionStore
from underdrawing.store.crop_placement import inside
from underdrawing.store.manifest import Task

# By how much of the longer side a mask is widened (ConSinGAN's program: 7 and 20 of 250 pixels).
REACH = {Task.HARMONIZE: 7 / 250, Task.BLEND: 20 / 250, Task.REPAINT: 20 / 250}
RIM = 0.6  # of that: so far the picture's own brushwork goes, further out the given picture is only led over
NEAR = np.ones((9, 9), np.uint8)
HALF = 0.4  # of a small pixel: so much of it was changed where it counts as changed


@dataclass(frozen=True, eq=False)
class Small:
    """What the network made, at the size trained on.

    Attributes:
        made: (h, w, 3) float32 in [0, 1].
        change: (h, w, 3), what that adds to the given picture.
        light: in which something pasted was shown to the network; None: as it was given.
    """

    made: np.ndarray
    change: np.ndarray
    device: str
    light: Light | None = None


def on_picture(
    model: Model, wishes: GenerateOptions, given: Picture, mask: np.ndarray | None, sessions: SessionStore
) -> tuple[Applied, Picture]:
    """What becomes of a picture that was changed, where it was changed.

    Args:
        given: the whole picture, or the trained region, with what was pasted or painted in it. Where it is transparent
            the training picture shows.
        mask: (H, W) float32 of the same size, above 0 where it was changed; None: where it differs, or
            everywhere to repaint.

    Returns:
        the result, and the flattened picture that it belongs to.

    Raises:
        EngineError: sizes that do not fit, or nothing was changed.
    """
    begun = time.perf_counter()
    info, plan = model.manifest.picture, model.manifest.plan
    area, full = Bounds(*plan.region), (info.full_width, info.full_height)
    if mask is not None:
        mask = mask[inside((mask.shape[1], mask.shape[0]), area, full, "mask").slices()]
    given = flattened(model.picture, given.crop(inside(given.size, area, full, "picture")))
    rgb = given.to_float(info.white)
    changed = _changed(model, wishes, rgb, mask)
    reach = _reach(model, wishes)
    widened = dilate(changed, reach)
    wanted = Bounds.of_mask(widened)
    small = _small(model, wishes, rgb, changed, sessions)
    around = wanted.expand(8, given.bounds)  # what poisson looks at
    made = _at_full_size(model, wishes, rgb, changed, small, round(RIM * reach), around)
    inner = wanted.translate(-around.x, -around.y).slices()
    if wishes.blend == "poisson":
        part = around.slices()
        made = poisson(rgb[part], made, widened[part].astype(np.float32))
    soft = feather(widened, float(reach) if wishes.feather is None else wishes.feather, wanted)
    picture = Picture.from_float(made[inner], given.crop(wanted), info.white)
    note = network_note if wishes.as_made(model) else reduced_note
    notes = () if model.small_size == given.size else (note(plan.scale),)
    seconds = time.perf_counter() - begun
    bounds = wanted.translate(area.x, area.y)
    return Applied(bounds, picture, soft.astype(np.float32), small.device, seconds, notes), given


def _reach(model: Model, wishes: GenerateOptions) -> int:
    """Pixels by which a mask is widened."""
    if wishes.grow is not None:
        return wishes.grow
    info = model.manifest.picture
    return max(1, round(REACH[wishes.task] * max(info.width, info.height)))


def _changed(model: Model, wishes: GenerateOptions, rgb: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """(H, W) bool: where the picture was changed.

    Raises:
        EngineError: nowhere.
    """
    if mask is not None:
        changed = mask > 0
    elif wishes.task is Task.REPAINT:
        return np.ones(rgb.shape[:2], bool)
    else:
        trained = model.picture.to_float(model.manifest.picture.white)
        changed = differing(trained, rgb)
    if not changed.any():
        text = "Nothing is changed: " + (
            "the mask is empty." if mask is not None else "the picture is the one that the model was trained on."
        )
        raise EngineError(
            "nothing_edited", text, "Give the picture with what was pasted or edited in it, and its mask."
        )
    return np.asarray(changed)


def _small(
    model: Model, wishes: GenerateOptions, rgb: np.ndarray, changed: np.ndarray, sessions: SessionStore
) -> Small:
    """The network's own work.

    What it cannot do with the unchanged picture (finest detail, a tint) is no part of the change: outside of what was
    changed its error on the picture itself is taken away again, so that borders stay as they were. Where the network's
    own picture is wanted, it is what the network makes of the given picture, and no more.
    """
    run, size = GraphRun(model, sessions), model.small_size
    small = small_copy(rgb, *size)
    share = cv2.resize(changed.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    as_made = wishes.as_made(model)
    pasted = share > HALF
    light = light_at(small, pasted, wishes.light) if wishes.task is Task.HARMONIZE and not as_made else None
    given = small if light is None else light.on(small, pasted)
    sizes = run.sizes(*size)

    def made_of(picture: np.ndarray) -> tuple[np.ndarray, str]:
        rng = np.random.default_rng(wishes.seed)
        first = signed(small_copy(picture, *sizes[0]))
        return run(first, sizes, lambda shape: rng.standard_normal(shape, np.float32))

    made, device = made_of(given)
    if as_made:
        return Small(made, made - small, device)
    if not changed.all():
        error = made_of(model.small_picture)[0] - model.small_picture
        outside = 1 - cv2.GaussianBlur(share, (0, 0), 1.0)[..., None].clip(0, 1)
        made = np.asarray((made - outside * error).clip(0, 1), np.float32)
        # Beside hard edges the network overshoots; nothing there is lighter or darker than what is near.
        free = 1 - outside if wishes.task is not Task.BLEND else 0.0
        made = np.asarray(free * made + (1 - free) * made.clip(cv2.erode(small, NEAR), cv2.dilate(small, NEAR)))
    if wishes.task is Task.HARMONIZE:
        made = stroked(model.small_picture, made, share, model.manifest.plan.scale)
    return Small(made, made - small, device, light)


def _at_full_size(
    model: Model, wishes: GenerateOptions, rgb: np.ndarray, changed: np.ndarray, small: Small, rim: int, wanted: Bounds
) -> np.ndarray:
    """(wanted.height, wanted.width, 3): what was changed in the picture's brushwork, its surroundings as they were
    given, with the network's change laid over."""
    if wishes.as_made(model):
        return small_copy(small.made, rgb.shape[1], rgb.shape[0])[wanted.slices()].clip(0, 1)
    core, part = dilate(changed, rim), wanted.slices()
    trained = model.picture.to_float(model.manifest.picture.white)
    if wishes.task is Task.REPAINT:
        rng = np.random.default_rng(wishes.seed)
        inner = repainted(trained, small.made, core, wishes.freedom, rng)[part]
    else:
        inner = painted(trained, model.small_size, small.made, core, wanted)
    if wishes.task is Task.HARMONIZE:
        pasted = rgb[part] if small.light is None else small.light.on(rgb[part], changed[part])
        inner = recognisable(inner, pasted, changed[part])
    if core.all():
        return inner
    raised = cv2.resize(small.change, (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_CUBIC)[part]
    outer = rgb[part] + raised
    share = feather(core, float(rim), wanted)[..., None]
    return np.asarray((outer + share * (inner - outer)).clip(0, 1), np.float32)
