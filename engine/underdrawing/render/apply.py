"""Apply a model to an edited underdrawing, as the model's apply plan says. Runs in the renderer process."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import cv2
import numpy as np

from underdrawing.client.messages import EngineError
from underdrawing.draft.dependent_edits import along, hanging_together
from underdrawing.draft.draft import Draft, Filler, draft
from underdrawing.picture.composite import poisson
from underdrawing.picture.detail_transfer import restore_detail
from underdrawing.picture.geometry import Bounds, scaled, unscaled
from underdrawing.picture.image import Picture
from underdrawing.picture.lossy_edit import settled
from underdrawing.picture.mask import combine, edit_mask, feather
from underdrawing.picture.primitive import Primitive
from underdrawing.render.graph_runner import Made, run
from underdrawing.render.model import Model
from underdrawing.render.onnx_sessions import SessionStore
from underdrawing.render.quality_notes import confidence_notes
from underdrawing.store.crop_placement import inside as inside_of
from underdrawing.store.manifest import Composite, Procedure

DETAIL_MARGIN = 24  # pixels of the picture around an edit that restored detail may come from, at least


@dataclass(frozen=True)
class Options:
    """How an edit becomes a result.

    Attributes:
        mask_mode: how a given mask and the difference of the primitives go together: "limit", "only" or "add".
        grow: pixels by which the difference is widened, without dependent changes; None: a default that fits the
            picture, and what a draft moves along with the edit.
        feather: width in pixels of the soft inner border of the result's mask.
        blend: "none", or "poisson" for the gradient domain.
        whole: the whole trained region instead of the edit alone.
        seed: chooses the rng: of fills of uncovered ground, and of methods that take noise.
        filler: fills uncovered ground in place of the draft's patches.
    """

    mask_mode: str = "limit"
    grow: int | None = None
    feather: float = 3.0
    blend: str = "none"
    whole: bool = False
    seed: int = 0
    filler: Filler | None = None


@dataclass(frozen=True)
class Applied:
    """A result: unblended pixels of an area of the whole picture, and where they count.

    Attributes:
        bounds: the area, in pixels of the whole picture.
        picture: its pixels, at the depth of the picture trained on.
        mask: (height, width) float32, 0 outside the edit.
        device: what really ran the model.
        notes: sentences for the user.
        confidence: (height, width) float32 in [0, 1], how sure each pixel is; None where the method cannot tell.
    """

    bounds: Bounds
    picture: Picture
    mask: np.ndarray
    device: str
    seconds: float
    notes: tuple[str, ...]
    confidence: np.ndarray | None = None

    def moved(self, dx: int, dy: int) -> Applied:
        """The same, as a picture sees it whose corner lies elsewhere."""
        return replace(self, bounds=self.bounds.translate(dx, dy))


def apply(
    model: Model,
    edited: Primitive,
    sessions: SessionStore,
    options: Options,
    given: np.ndarray | None = None,
    current: Picture | None = None,
) -> Applied:
    """The picture that follows from an edited underdrawing.

    Args:
        model: what was trained on.
        edited: the edited primitive, of the whole picture or of the trained region, in the model's palette.
        sessions: where loaded graphs are kept.
        options: see there.
        given: a mask (H, W) of the same size as `edited`, float32 in [0, 1]: what is above 0 belongs to it, and counts
            so much where the mask limits the edit or takes its place.
        current: the picture as it is now, of the whole picture or of the trained region; None: the training picture.

    Raises:
        EngineError: sizes that do not fit, or nothing was edited.
    """
    start = time.perf_counter()
    info, plan = model.manifest.picture, model.manifest.plan
    if plan.composite is Composite.WHOLE:
        options = replace(options, whole=True)
    area = Bounds(*plan.region)
    inside = inside_of(edited.size, area, (info.full_width, info.full_height), "underdrawing")
    if given is not None:
        given = given[inside_of((given.shape[1], given.shape[0]), area, edited.size, "mask").slices()]
    edited = settled(model.primitive, edited.crop(inside))
    for name in (p.name for p in model.manifest.planes):
        if getattr(edited, name) is None:
            text = f"The model was trained with {name}, which this underdrawing lacks."
            raise EngineError("plane_missing", text, f"Give the {name} too, edited or as they were.")
    small = edited if edited.size == model.small_size else edited.resized(model.small_size)
    found, rest = None, None
    if plan.procedure is not Procedure.NONE:
        found = draft(model.small_picture, model.small_primitive, small, options.seed, options.filler)
        if options.grow is None and not options.whole:
            rest = along(found, model.small_primitive, small)
    mask, wanted = _mask(model.primitive, edited, None if given is None else given > 0, options, rest)
    if options.blend == "poisson":
        wanted = wanted.expand(1, edited.size)  # what lies along the mask's border must be made, too
    made, notes = _render(model, edited.size, small, wanted, sessions, options, found)
    if options.filler is not None and found is None:
        notes.append("This model's network paints uncovered ground itself; only drafts take another fill.")
    result = made.picture
    original = (
        model.picture
        if current is None
        else current.crop(inside_of(current.size, area, (info.full_width, info.full_height), "picture"))
    )
    if options.blend == "poisson":
        result = poisson(original.crop(wanted).to_float(info.white), result, mask[wanted.slices()])
    soft = mask[wanted.slices()] if options.whole else feather(mask, options.feather, wanted)
    if given is not None and not options.whole and options.mask_mode != "add":
        soft = soft * given[wanted.slices()]
    picture = Picture.from_float(result, original.crop(wanted), info.white)
    bounds = wanted.translate(area.x, area.y)
    if made.confidence is not None:
        notes += confidence_notes(made.confidence, soft > 0, model.primitive, edited)
    seconds = time.perf_counter() - start
    return Applied(bounds, picture, soft.astype(np.float32), made.device, seconds, tuple(notes), made.confidence)


def _mask(
    before: Primitive, after: Primitive, given: np.ndarray | None, options: Options, rest: np.ndarray | None
) -> tuple[np.ndarray, Bounds]:
    """What is edited, as a bool mask of the trained region, and its bounds.

    Args:
        rest: (h, w) bool of any size, where dependent changes may be; None: nowhere.
    """
    if options.whole:
        mask = np.ones((after.size[1], after.size[0]), bool)
        return mask, Bounds(0, 0, *after.size)
    grown = {} if options.grow is None else {"grow": options.grow}
    changed = edit_mask(before, after, **grown)
    if rest is not None:
        changed |= hanging_together(rest, changed)
    mask = changed if given is None else combine(changed, given, options.mask_mode)
    bounds = Bounds.of_mask(mask)
    if bounds.is_empty:
        raise EngineError(
            "nothing_edited",
            "Nothing is edited: the underdrawing is unchanged since training"
            + ("." if given is None else ", or the mask leaves nothing of the edit."),
            "Paint on the underdrawing first, or ask for the whole picture.",
        )
    return mask, bounds


def _render(
    model: Model,
    size: tuple[int, int],
    small: Primitive,
    wanted: Bounds,
    sessions: SessionStore,
    options: Options,
    found: Draft | None,
) -> tuple[Made, list[str]]:
    """What is made of `wanted`, at the picture's own resolution, and what is to be said about it.

    Args:
        size: width and height of the trained region, of which `wanted` is a part.
        small: the edited primitive at the size trained on.
        found: its draft, where the method drafts.
    """
    plan = model.manifest.plan
    ratio = (small.size[0] / size[0], small.size[1] / size[1])
    everything = Bounds(0, 0, *small.size)
    if ratio == (1.0, 1.0):
        return run(model, small, wanted, sessions, options.seed, found), []
    # What the network makes is coarser than the picture: bring back the picture's own fine detail.
    margin = max(DETAIL_MARGIN, round(DETAIL_MARGIN / ratio[0]))
    around = wanted.expand(margin, Bounds(0, 0, *size))
    coarse = scaled(around, ratio, everything)
    around = unscaled(coarse, ratio, size)
    made = run(model, small, coarse, sessions, options.seed, found)
    generated = made.picture
    target = scaled(wanted, ratio, everything).translate(-coarse.x, -coarse.y)
    changed = np.zeros(generated.shape[:2], bool)
    changed[target.slices()] = True
    cut = wanted.translate(-around.x, -around.y).slices()
    if plan.network_picture:
        enlarged = cv2.resize(generated, (around.width, around.height), interpolation=cv2.INTER_CUBIC)
        return Made(enlarged[cut].clip(0, 1), made.device, None), [network_note(plan.scale)]
    full = model.picture.crop(around).to_float(model.manifest.picture.white)
    detailed = restore_detail(full, model.small_picture[coarse.slices()], generated, changed)
    sure = made.confidence
    if sure is not None:
        sure = cv2.resize(sure, (around.width, around.height), interpolation=cv2.INTER_LINEAR)[cut]
    return Made(detailed[cut], made.device, sure), [reduced_note(plan.scale)]


def network_note(scale: float) -> str:
    """What a person should know about the picture of a network that works at a reduced size."""
    return f"The network works at {scale:.0%} of the picture's size; what it makes is enlarged smoothly."


def reduced_note(scale: float) -> str:
    """What a person should know about a model of a reduced picture."""
    return f"The model works at {scale:.0%} of the picture's size; fine detail comes from the picture itself."
