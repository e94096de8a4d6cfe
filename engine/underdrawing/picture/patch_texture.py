"""A picture's own brushwork for something new in it: coherent pieces of it, chosen by how alike they look from afar.

Image analogies (Hertzmann et al. 2001), coherence after Ashikhmin (2001), votes of overlapping pieces (Wexler et
al. 2007): what is looked for is compared without fine detail, what is taken has it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from scipy.spatial import cKDTree

from underdrawing.picture.detail_transfer import restore_detail
from underdrawing.picture.geometry import Bounds, scaled, unscaled
from underdrawing.picture.resize import reduced, sized, small_copy

PIECE = 7  # pixels that are compared around each pixel
DETAIL_MARGIN = 48  # pixels around that the finest detail may come from, at least
COMPONENTS = 16  # of the pieces' principal components
MOST_PLACES = 60_000  # candidates in the picture
MOST_KNOWN = 500_000  # pixels of a picture whose pieces are looked through; of larger ones only detail is taken
MOST_PAINTED = 100_000  # pixels that are painted so; more are painted smaller, and their finest detail is added
SOFT = 0.7  # blur that takes the fine detail away, in pixels of the size trained on
OWN_COLOUR = 0.6  # so much of the pieces' own colour is taken with them: ink stays ink
STROKES = 0.7  # of broad strokes where something was pasted
STEP = 1.6  # how much larger each step of `raised` makes a result
FROM_AFAR = 32  # pixels of the longer side of what a network made at full freedom that are kept; the rest is brushwork
COHERENCE = 1.5  # a piece that goes on where its neighbour's ended may be so much worse
ROUNDS = 4
REACH = 2  # pixels around each that its piece is voted for
HELD, LOOSE = 64, 26  # pixels of the longer side at which a rough painting is taken up: closely, freely
GRAIN = 0.75  # of the picture's swings at that size is strewn in: flat colour would find the flattest piece for ever
AROUND = 2.0  # pixels of that size over which colours and swings are averaged
ALIKE = 16  # places of the same colour whose swings are averaged


@dataclass(frozen=True, eq=False)
class TextureLevel:
    """A picture at one size, ready to be looked up in: made once for many results.

    Attributes:
        picture: (H, W, 3) float32 in [0, 1].
        fine: (H, W, 3), what `picture` has and a soft copy of it lacks.
        known: (H * W, k) principal components of the soft copy's pieces.
        mean, axes: how others are described so.
        chosen: (m,) the pieces that are in the tree.
    """

    picture: np.ndarray
    fine: np.ndarray
    known: np.ndarray
    mean: np.ndarray
    axes: np.ndarray
    chosen: np.ndarray
    tree: cKDTree

    @classmethod
    def of(cls, soft: np.ndarray, picture: np.ndarray) -> TextureLevel:
        """From a picture and a copy without fine detail, (H, W, 3) both."""
        known, mean, axes = _described(soft)
        chosen = np.arange(len(known))
        if len(chosen) > MOST_PLACES:
            chosen = np.random.default_rng(0).permutation(chosen)[:MOST_PLACES]
        return cls(picture, picture - soft, known, mean, axes, chosen, cKDTree(known[chosen]))

    def nearest(self, asked: np.ndarray) -> np.ndarray:
        """(n, 2) row and column of the pieces that are most alike."""
        found = self.chosen[self.tree.query(asked, eps=0.5, workers=2)[1]]
        return np.stack(np.divmod(found, self.picture.shape[1]), 1)


def painted(
    full: np.ndarray, small_size: tuple[int, int], small_result: np.ndarray, where: np.ndarray, wanted: Bounds
) -> np.ndarray:
    """A part of a reduced result at full size, in the picture's own brushwork.

    Args:
        full: (H, W, 3) float32 in [0, 1], the training picture.
        small_size: width and height of what the network saw of it.
        small_result: (h, w, 3) what the network made.
        where: (H, W) bool, what of it is painted; the rest is soft.
        wanted: the part.

    Returns:
        (wanted.height, wanted.width, 3) float32 in [0, 1].
    """
    height, width = where.shape
    scale = min(1.0, float(np.sqrt(MOST_PAINTED / max(1, int(where.sum())))))
    scale = max(scale, min(1.0, small_size[0] / width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    middle = small_copy(full, *size)
    whole = size == (width, height)
    chosen = where if whole else small_copy(where.astype(np.float32), *size) > 0
    sigma = SOFT * size[0] / small_size[0]
    soft = cv2.GaussianBlur(middle, (0, 0), sigma)
    given = cv2.GaussianBlur(cv2.resize(small_result, size, interpolation=cv2.INTER_CUBIC), (0, 0), sigma)
    made = brushed(TextureLevel.of(soft, middle), given, chosen)
    if whole:
        return made[wanted.slices()]
    # The finest detail is looked for around what is painted: pictures may have many million pixels.
    ratio = (size[0] / width, size[1] / height)
    margin = max(DETAIL_MARGIN, max(wanted.size) // 4)
    coarse = scaled(wanted.expand(margin, (width, height)), ratio, Bounds.of_size(size))
    around = unscaled(coarse, ratio, (width, height))
    part = coarse.slices()
    detailed = restore_detail(full[around.slices()], middle[part], made[part], chosen[part])
    return detailed[wanted.translate(-around.x, -around.y).slices()]


def stroked(picture: np.ndarray, made: np.ndarray, share: np.ndarray, reduced: float = 0.5) -> np.ndarray:
    """Broader strokes: what is seen at half the size is painted in the picture's brushwork of this size, and mixed in.

    Smooth things get the picture's hatching and canvas, which a network trained for two minutes leaves out.

    Args:
        picture, made: (h, w, 3) float32 in [0, 1], the picture and what a network made, at the size that it trained on.
        share: (h, w) in [0, 1], where.
        reduced: size of the picture trained on by the picture's own: strokes that are broad already at full size
            take the form from small things.
    """
    size = (picture.shape[1], picture.shape[0])
    half = (max(1, size[0] // 2), max(1, size[1] // 2))
    soft, given = (cv2.resize(small_copy(p, *half), size, interpolation=cv2.INTER_CUBIC) for p in (picture, made))
    broad = brushed(TextureLevel.of(soft, picture), given, share > 0)
    amount = STROKES * min(1.0, max(0.4, 1 / reduced - 1))
    return np.asarray(made + amount * share[..., None] * (broad - made), np.float32)


@dataclass(frozen=True, eq=False)
class Hand:
    """A picture that has a part in the brushwork of a result.

    Attributes:
        full: (H, W, 3) float32 in [0, 1].
        share: of the result; those of all hands sum to 1.
        levels: what is kept of the picture from one result to the next, as making it takes a while.
    """

    full: np.ndarray
    share: float = 1.0
    levels: dict[float, TextureLevel] = field(default_factory=dict)


def raised(
    hands: Sequence[Hand], small_result: np.ndarray, size: tuple[int, int], where: np.ndarray | None = None
) -> np.ndarray:
    """A much reduced result at full size, step by step, each in the brushwork that the pictures have at that size.

    Granot et al., *Drop the GAN* (2022), make whole pictures so; here a network has decided the layout. Several
    pictures agree at every step before the next.

    Args:
        hands: the training picture as a rule.
        small_result: (h, w, 3) what the network made; its shape may be another than the picture's.
        size: width and height of what is wanted.
        where: (h, w) bool, what must be made; elsewhere it is made soft. None: everything.

    Returns:
        (size[1], size[0], 3) float32 in [0, 1].
    """
    # How much smaller than the picture the result is; both sides may differ a little by rounding.
    scale = max(small_result.shape[:2]) / max(size)
    chosen = np.ones(small_result.shape[:2], bool) if where is None else where
    current, before = small_result, scale
    while scale < 1:
        scale = min(1.0, scale * STEP)
        goal = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
        wide = cv2.resize(chosen.view(np.uint8), goal, interpolation=cv2.INTER_NEAREST).astype(bool)
        largest = max(math.prod(sized(hand.full, scale)) for hand in hands)
        if int(wide.sum()) > MOST_PAINTED or largest > MOST_KNOWN:
            softer = [(hand.full, reduced(hand.full, before)) for hand in hands]
            return _mixed(hands, [restore_detail(full, soft, current, chosen, size) for full, soft in softer])
        given = cv2.resize(current, goal, interpolation=cv2.INTER_CUBIC)
        made = [brushed(_level(hand, scale, before), given, wide) for hand in hands]
        current, before, chosen = _mixed(hands, made), scale, wide
    return current


def _level(hand: Hand, scale: float, before: float) -> TextureLevel:
    """A picture at a scale, beside what is left of it at the scale before."""
    if scale not in hand.levels:
        picture, softer = (reduced(hand.full, s) for s in (scale, before))
        soft = cv2.resize(softer, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        hand.levels[scale] = TextureLevel.of(soft, picture)
    return hand.levels[scale]


def _mixed(hands: Sequence[Hand], made: Sequence[np.ndarray]) -> np.ndarray:
    return np.asarray(sum(hand.share * one for hand, one in zip(hands, made, strict=True)), np.float32)


def repainted(
    full: np.ndarray, painting: np.ndarray, where: np.ndarray, freedom: float, random: np.random.Generator
) -> np.ndarray:
    """A rough painting made of the picture's pieces: its forms as they are seen from afar, everything finer is new.

    SinGAN (2019) hands a painting to a coarse stage for the same end; here pieces take it up, as in `raised`.

    Args:
        full: (H, W, 3) float32 in [0, 1], the training picture.
        painting: (h, w, 3) of the same shape, at any size.
        where: (H, W) bool, what is repainted; elsewhere the result is of no use.
        freedom: 0 keeps the painting's forms as closely as looks natural, 1 takes them as hints.

    Returns:
        (H, W, 3) float32 in [0, 1].
    """
    length = HELD * (LOOSE / HELD) ** freedom
    # A small part keeps more of its forms than it would as a part of the whole, and less than a whole picture would.
    scale = min(1 / STEP, length / float(np.sqrt(max(where.shape) * max(Bounds.of_mask(where).size))))
    scale = min(scale, float(np.sqrt(MOST_PAINTED / where.size)))
    own = reduced(full, scale)
    size = (own.shape[1], own.shape[0])
    rough = small_copy(painting, *size)
    chosen = small_copy(where.astype(np.float32), *size) > 0
    part = Bounds.of_mask(chosen).slices()
    noise = random.standard_normal((*chosen[part].shape, 1), np.float32)
    rough = rough.copy()
    rough[part] = (rough[part] + GRAIN * _swings(own, rough[part])[..., None] * noise).clip(0, 1)
    return raised([Hand(full)], rough, (full.shape[1], full.shape[0]), chosen)


def _swings(picture: np.ndarray, painting: np.ndarray) -> np.ndarray:
    """(h, w): how much a picture's lightness swings where it has the colours of a part of a painting."""
    around, coloured = (cv2.GaussianBlur(p, (0, 0), AROUND) for p in (picture, painting))
    light = picture.mean(2)
    swing = np.sqrt(cv2.GaussianBlur((light - around.mean(2)) ** 2, (0, 0), AROUND)).reshape(-1)
    # Points that are equal would make the tree slow.
    apart = np.random.default_rng(0).normal(0, 1e-4, (light.size, 3)).astype(np.float32)
    tree = cKDTree(around.reshape(-1, 3) + apart)
    alike = tree.query(coloured.reshape(-1, 3), k=min(ALIKE, light.size))[1]
    return np.asarray(swing[alike].reshape(*painting.shape[:2], -1).mean(2), np.float32)


def brushed(level: TextureLevel, soft_given: np.ndarray, where: np.ndarray) -> np.ndarray:
    """What is given, painted with pieces of the picture.

    Args:
        level: the picture.
        soft_given: (h, w, 3) float32, what is to be painted, as soft as the level's soft copy.
        where: (h, w) bool, what of it.

    Returns:
        (h, w, 3) float32 in [0, 1]; `soft_given` where nothing is to be painted.
    """
    if not where.any():
        return soft_given
    rows, columns = np.nonzero(where)
    here = np.stack([rows, columns], 1).astype(np.int32)
    asked = (_pieces(soft_given, here) - level.mean) @ level.axes
    source = _coherent(level, asked, level.nearest(asked), here, where)
    fine, whole = (_voted(values, here, source, where) for values in (level.fine, level.picture))
    made = OWN_COLOUR * whole + (1 - OWN_COLOUR) * (soft_given + fine)
    return np.where(where[..., None], made, soft_given).clip(0, 1).astype(np.float32)


def _pieces(picture: np.ndarray, places: np.ndarray | None = None) -> np.ndarray:
    """(n, PIECE * PIECE * 3): what is around places (all pixels where None), the nearer the weightier."""
    half = PIECE // 2
    padded = cv2.copyMakeBorder(picture, half, half, half, half, cv2.BORDER_REFLECT_101)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (PIECE, PIECE), axis=(0, 1))
    chosen = windows.reshape(-1, *windows.shape[2:]) if places is None else windows[places[:, 0], places[:, 1]]
    weight = np.outer(*[np.exp(-(np.arange(-half, half + 1) ** 2) / 8.0)] * 2).astype(np.float32)
    return (chosen * weight).reshape(len(chosen), -1).astype(np.float32)


def _described(soft: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Principal components of all pieces (H * W, k), and how to describe others: mean and axes."""
    height, width = soft.shape[:2]
    random = np.random.default_rng(0)
    sample = np.stack([random.integers(0, height, 4000), random.integers(0, width, 4000)], 1)
    some = _pieces(soft, sample)
    mean = some.mean(0)
    axes = np.linalg.svd(some - mean, full_matrices=False)[2][:COMPONENTS].T
    known = np.empty((height * width, axes.shape[1]), np.float32)
    columns = np.arange(width)
    for row in range(height):  # a row at a time: all pieces at once would take 147 times the picture's memory
        above = max(0, row - PIECE)
        places = np.stack([np.full(width, row - above), columns], 1)
        known[row * width : (row + 1) * width] = (_pieces(soft[above : row + PIECE + 1], places) - mean) @ axes
    return known, mean, axes


def _coherent(
    level: TextureLevel, asked: np.ndarray, source: np.ndarray, here: np.ndarray, where: np.ndarray
) -> np.ndarray:
    """Sources that go on where their neighbours' ended, as far as that is not much worse."""
    known, size = level.known, level.picture.shape[:2]
    number = np.full((where.shape[0] + 2, where.shape[1] + 2), -1)
    number[here[:, 0] + 1, here[:, 1] + 1] = np.arange(len(here))
    best = source.copy()
    cost = ((known[source[:, 0] * size[1] + source[:, 1]] - asked) ** 2).sum(1)
    plain = cost.copy()
    for turn in range(ROUNDS):
        for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1)):
            step = 1 << (ROUNDS - 1 - turn) if turn < ROUNDS - 1 else 1
            near = _at(number, here[:, 0] + 1 + dy * step, here[:, 1] + 1 + dx * step)
            there = near >= 0
            candidate = best[np.where(there, near, 0)] - [dy * step, dx * step]
            there &= (candidate >= 0).all(1) & (candidate[:, 0] < size[0]) & (candidate[:, 1] < size[1])
            candidate = np.where(there[:, None], candidate, best)
            other = ((known[candidate[:, 0] * size[1] + candidate[:, 1]] - asked) ** 2).sum(1)
            better = there & (other < np.minimum(cost, plain * COHERENCE + 1e-6))
            better |= there & (other < plain * COHERENCE) & (step == 1) & ~_follows(best, number, here)
            best[better], cost[better] = candidate[better], other[better]
    return best


def _at(number: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Values at places, -1 outside."""
    inside = (rows >= 0) & (columns >= 0) & (rows < number.shape[0]) & (columns < number.shape[1])
    return np.where(inside, number[rows.clip(0, number.shape[0] - 1), columns.clip(0, number.shape[1] - 1)], -1)


def _follows(source: np.ndarray, number: np.ndarray, here: np.ndarray) -> np.ndarray:
    """(n,) bool: places whose source goes on where at least three of their four neighbours' ended."""
    count = np.zeros(len(here), np.int32)
    for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        near = _at(number, here[:, 0] + 1 + dy, here[:, 1] + 1 + dx)
        same = (source[np.where(near >= 0, near, 0)] - [dy, dx] == source).all(1)
        count += (near >= 0) & same
    return count >= 3


def _voted(values: np.ndarray, here: np.ndarray, source: np.ndarray, where: np.ndarray) -> np.ndarray:
    """(h, w, 3): the mean of all pieces of `values` that lie over each pixel, the nearer its middle the weightier."""
    total, weight = np.zeros((*where.shape, 3), np.float32), np.zeros(where.shape, np.float32)
    height, width = values.shape[:2]
    for dy in range(-REACH, REACH + 1):
        for dx in range(-REACH, REACH + 1):
            part = np.exp(-(dy * dy + dx * dx) / 1.0)
            step = np.array([dy, dx])
            to, of = here + step, source + step
            good = (to >= 0).all(1) & (to[:, 0] < where.shape[0]) & (to[:, 1] < where.shape[1])
            good &= (of >= 0).all(1) & (of[:, 0] < height) & (of[:, 1] < width)
            rows, columns = to[good, 0], to[good, 1]
            total[rows, columns] += part * values[of[good, 0], of[good, 1]]
            weight[rows, columns] += part
    return np.asarray(total / np.maximum(weight, 1e-6)[..., None])
