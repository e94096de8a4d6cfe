"""Ground that an edit uncovers: filled with patches of the same class from all over the picture, coarse to fine.

PatchMatch (Barnes et al. 2009) with votes (Wexler et al. 2007); the classes guide it, and what the pixels around the
hole came from is a candidate for the hole, so that the ground goes on as it lies there.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from underdrawing.draft.flow_ops import blur, continued, deep, resize

ROUNDS = (6, 4, 3, 1)  # of search and vote, coarsest level first
PATCH = 2  # cells to each side of a patch's centre
LEAST_SIDE = 24  # of the coarsest level
MARGIN = 8  # cells around the hole that are looked at
CLASS = 0.5  # cost of the wrong class; squared colour differences, summed over three channels, are mostly below 0.1
GUIDE = 0.12  # of the classes in the surroundings
AWAY = 0.02  # of a distance of the picture's longer side, squared
FOREIGN = 0.2  # weight in a patch of cells of another class than its centre
UNSURE = (0.05, 0.3, 0.5, 0.6)  # weight of the hole's own pixels in a patch, level by level
ROUGH = 0.6  # the same where the hole begins as a rough picture
USED = 0.004  # cost of a patch for each time that it is used more than all would be if they were used alike
MOST_USED = 10.0  # times that count
EXHAUSTIVE = 4_000_000  # pairs of cells at most that are all compared on the coarsest level
BLOCK = 4096  # cells that are compared together: what they need stays in the processor's cache
MIDDLE_ROW = slice((2 * PATCH + 1) * PATCH, (2 * PATCH + 1) * (PATCH + 1))  # of a patch
ROUNDING = 1.0001  # times: part of a cost that is so much higher than another cost exceeds it, however sums are rounded


@dataclass(frozen=True, eq=False)
class Sides:
    """What is filled and what from, on one grid.

    Attributes:
        target: (h, w, 3) float32, the result so far.
        hole: (h, w) bool.
        source: (h, w, 3) float32, the picture.
        valid: (h, w) bool, cells of the source that may be used.
        wanted: (h, w, G) float32, classes of the result: one-hot and blurred.
        known: (h, w, G), the same of the source.
        came: (h, w, 2) float32, x and y in the source where the target's cells outside of the hole came from.
        labels: (h, w) uint8, classes of the result; all 0 where there are none.
        given: (h, w) uint8, classes of the source.
        clear: (h, w) bool, cells outside of the hole whose colours are surely those of their class.
        rough: the hole of the target is a rough picture already, with which the search begins; where its cells came
            from is a guess that is tried.
        side: the longer side of the whole picture in cells, where this is a part of it; 0 where it is not.
    """

    target: np.ndarray
    hole: np.ndarray
    source: np.ndarray
    valid: np.ndarray
    wanted: np.ndarray
    known: np.ndarray
    came: np.ndarray
    labels: np.ndarray
    given: np.ndarray
    clear: np.ndarray
    rough: bool = False
    side: float = 0

    def at(self, size: tuple[int, int]) -> Sides:
        """On a grid of (height, width) cells."""
        if size == self.hole.shape:
            return self
        ratio = np.array([size[1] / self.hole.shape[1], size[0] / self.hole.shape[0]], np.float32)
        share = resize((~self.hole).astype(np.float32), size)
        # The hole's pixels must not leak into their neighbours.
        known = np.ones(self.hole.shape, bool) if self.rough else ~self.hole
        weight = np.ones(size, np.float32) if self.rough else np.maximum(share, 1e-3)
        target = resize(self.target * known[..., None], size) / weight[..., None]
        return Sides(
            target,
            share < 0.5,
            resize(self.source, size),
            resize(self.valid.astype(np.float32), size) > 0.95,
            resize(self.wanted, size),
            resize(self.known, size),
            (resize(self.came, size) + 0.5) * ratio - 0.5,
            np.asarray(cv2.resize(self.labels, size[::-1], interpolation=cv2.INTER_NEAREST)),
            np.asarray(cv2.resize(self.given, size[::-1], interpolation=cv2.INTER_NEAREST)),
            resize(self.clear.astype(np.float32), size) > 0.6,
            self.rough,
            self.side * float(ratio[0]),
        )


def fill_ground(sides: Sides, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Fill the hole.

    Returns:
        (h, w, 3) float32, the target with the hole filled; (h, w) float32 in [0, 1], how well the patches fit.
    """
    if not sides.hole.any() or not sides.valid.any():
        return sides.target, np.ones(sides.hole.shape, np.float32)
    random = np.random.default_rng(seed)
    height, width = sides.hole.shape
    levels = [sides]
    for times in (2, 4, 8):
        if min(height, width) // times >= LEAST_SIDE:
            small = sides.at((round(height / times), round(width / times)))
            if small.hole.any() and small.valid.any():
                levels.append(small)
    levels.reverse()
    search: _Search | None = None
    for number, level in enumerate(levels, 4 - len(levels)):
        search = _Search(level, ROUGH if sides.rough else UNSURE[number], random, search)
        for turn in range(ROUNDS[number]):
            search.improve(turn)
            search.vote(sharp=number == 3)
    return search.finish() if search is not None else (sides.target, np.ones(sides.hole.shape, np.float32))


class _Search:
    """Patches of one level: where each cell of the hole takes its surroundings from."""

    def __init__(self, level: Sides, unsure: float, random: np.random.Generator, coarser: _Search | None) -> None:
        self.level, self.random = level, random
        height, width = level.hole.shape
        self.shape = height, width
        self.hole = level.hole
        self.rows, self.columns = np.nonzero(level.hole)
        self.target = level.target.copy()
        weight = np.where(level.hole, np.float32(unsure), np.float32(1))
        self.place = np.clip(np.rint(level.came), 0, (width - 1, height - 1)).astype(np.int32)
        self.source = cv2.copyMakeBorder(level.source, PATCH, PATCH, PATCH, PATCH, cv2.BORDER_REFLECT).reshape(-1, 3)
        stride = width + 2 * PATCH
        self.stride = stride
        reach = range(-PATCH, PATCH + 1)
        self.steps = np.array([dy * stride + dx for dy in reach for dx in reach])
        self.guide = level.known.reshape(height * width, -1)
        self.wish = level.wanted[self.rows, self.columns]
        self.middle = ((self.rows + PATCH) * stride + self.columns + PATCH)[:, None] + self.steps
        weight = cv2.copyMakeBorder(weight, PATCH, PATCH, PATCH, PATCH, cv2.BORDER_CONSTANT, value=0).ravel()
        classes = cv2.copyMakeBorder(level.labels, PATCH, PATCH, PATCH, PATCH, cv2.BORDER_REFLECT).ravel()
        alike = classes[self.middle] == level.labels[self.rows, self.columns][:, None]
        share = weight[self.middle] * np.where(alike, np.float32(1), np.float32(FOREIGN))
        # How much each cell of a patch counts.
        self.patch_weight = (share / np.maximum(share.sum(1, keepdims=True), 1e-6)).astype(np.float32)
        self.bad = np.where(level.valid, np.float32(0), np.float32(10)).ravel()
        self.unit = np.float32(AWAY / (level.side or max(height, width)) ** 2)
        # Classes of the cells that may be used; what must not be used is of none.
        self.usable = np.where(level.valid, level.given, np.int16(-1)).ravel()
        self.colours = np.ascontiguousarray(level.source).reshape(-1, 3)
        self.cost = np.full(len(self.rows), np.inf, np.float32)
        self.used = np.zeros(height * width, np.float32)
        if coarser is None:
            self._begin()
        else:
            self._continue(coarser)

    def _begin(self) -> None:
        """The hole's cells as the mean of what is known near by; then all patches are compared, if they are few."""
        for label in () if self.level.rough else np.unique(self.level.labels[self.hole]):
            here = self.hole & (self.level.labels == label)
            self.target[here] = self._around(label)[here]
        self._patches()
        choices = np.flatnonzero(self.bad == 0)
        most = max(1, EXHAUSTIVE // max(1, len(self.rows)))
        if len(choices) > most:
            choices = np.sort(self.random.choice(choices, most, replace=False))
        y, x = np.divmod(choices, self.shape[1])
        patches = self.source[((y + PATCH) * self.stride + x + PATCH)[:, None] + self.steps].reshape(len(choices), -1)
        for start in range(0, len(self.rows), 256):
            part = slice(start, start + 256)
            weight3 = np.repeat(self.patch_weight[part], 3, axis=1)
            flat = self.patches[part].reshape(len(weight3), -1)
            cost = weight3 @ (patches * patches).T - 2 * (weight3 * flat) @ patches.T
            wish = self.wish[part]
            guide = self.guide[choices]
            cost += (guide * guide).sum(1) - 2 * wish @ guide.T
            rows, columns = self.rows[part], self.columns[part]
            dy, dx = y - rows[:, None], x - columns[:, None]
            cost += self.unit * (dy * dy + dx * dx)
            best = cost.argmin(1)
            self.place[rows, columns] = np.stack([x[best], y[best]], axis=1)

    def _around(self, label: int) -> np.ndarray:
        """(h, w, 3): colours of a class, as near as it is found; without any, those of all that is known."""
        level = self.level
        for known in (level.clear & (level.labels == label), ~self.hole & (level.labels == label), ~self.hole):
            if known.any():
                break
        return continued(self.target, known.astype(np.float32), (1.5, 4.0, 12.0, float(max(self.shape))))

    def _continue(self, coarser: _Search) -> None:
        """Places of the coarser level, each for the four cells that it stands for; then a first vote."""
        height, width = self.shape
        ratio_y, ratio_x = height / coarser.shape[0], width / coarser.shape[1]
        rows, columns = self.rows, self.columns
        above = np.minimum((rows / ratio_y).astype(np.intp), coarser.shape[0] - 1)
        left = np.minimum((columns / ratio_x).astype(np.intp), coarser.shape[1] - 1)
        found = coarser.place[above, left]
        x = found[:, 0] * ratio_x + columns - left * ratio_x
        y = found[:, 1] * ratio_y + rows - above * ratio_y
        self.place[rows, columns, 0] = np.clip(np.rint(x), 0, width - 1)
        self.place[rows, columns, 1] = np.clip(np.rint(y), 0, height - 1)
        self.vote(sharp=False)

    def _patches(self) -> None:
        """The target's patches around the hole's cells."""
        padded = cv2.copyMakeBorder(self.target, PATCH, PATCH, PATCH, PATCH, cv2.BORDER_REFLECT).reshape(-1, 3)
        self.patches = padded.take(self.middle, axis=0)

    def _base(self, which: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Cost without colours of taking cells `which` (indices of the hole's) from x, y."""
        flat = y * self.shape[1] + x
        guide = self.guide.take(flat, axis=0) - self.wish.take(which, axis=0)
        dx, dy = x - self.columns[which], y - self.rows[which]
        away = self.unit * (dx * dx + dy * dy)
        return np.asarray(np.einsum("ng,ng->n", guide, guide) + away + self.bad[flat] + self.used[flat], np.float32)

    def _colour(self, which: np.ndarray, x: np.ndarray, y: np.ndarray, part: slice = slice(None)) -> np.ndarray:
        """Cost of the colours, of all of the patches' cells or of a part of them."""
        at = ((y + PATCH) * self.stride + x + PATCH)[:, None] + self.steps[part]
        step = self.source.take(at, axis=0)
        step -= self.patches[which, part]
        step *= step
        return np.asarray(np.einsum("npc,np->n", step, self.patch_weight[which, part]), np.float32)

    def _costs(self, which: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Cost of taking cells `which` (indices of the hole's) from x, y."""
        parts = [slice(start, start + BLOCK) for start in range(0, len(which), BLOCK)]
        costs = [self._base(which[p], x[p], y[p]) + self._colour(which[p], x[p], y[p]) for p in parts]
        return np.concatenate(costs)

    def improve(self, turn: int) -> None:
        """One round: what the neighbours use, shifted; then guesses around what is used, ever nearer."""
        self._patches()
        height, width = self.shape
        rows, columns = self.rows, self.columns
        best = self.place[rows, columns].copy()
        if not self.level.rough:
            self.used = self._overuse(best)
        cost = self._costs(np.arange(len(best)), best[:, 0], best[:, 1])
        if self.level.rough and turn == 0:
            self._try(best, cost, *np.rint(self.level.came[rows, columns]).T)
        steps = [(1, 0), (-1, 0), (0, 1), (0, -1)]
        for reach in (4, 1) if turn == 0 else (1,):
            for sx, sy in steps:
                near_y = np.clip(rows + sy * reach, 0, height - 1)
                near_x = np.clip(columns + sx * reach, 0, width - 1)
                found = self.place[near_y, near_x]
                self._try(best, cost, found[:, 0] - (near_x - columns), found[:, 1] - (near_y - rows))
            self.place[rows, columns] = best
        radius = max(height, width) / 4 if turn == 0 else 8.0
        while radius >= 1:
            guess = self.random.uniform(-radius, radius, (len(best), 2))
            self._try(best, cost, best[:, 0] + np.rint(guess[:, 0]), best[:, 1] + np.rint(guess[:, 1]))
            radius /= 3
        self.place[rows, columns] = best
        self.cost = cost

    def _overuse(self, places: np.ndarray) -> np.ndarray:
        """(h * w,): what it costs that places are used already (Kaspar et al. 2015), or ground becomes a pattern."""
        count = np.bincount(places[:, 1] * self.shape[1] + places[:, 0], minlength=self.shape[0] * self.shape[1])
        near = cv2.blur(count.reshape(self.shape).astype(np.float32), (3, 3)).ravel()
        alike = max(1.0, len(places) / max(1, int((self.bad == 0).sum())))
        return np.asarray(USED * np.clip(near / alike - 1, 0, MOST_USED), np.float32)

    def _try(self, best: np.ndarray, cost: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
        """Other places for the hole's cells: taken where they cost less. What cannot is left as early as possible."""
        height, width = self.shape
        x, y = x.astype(np.int32), y.astype(np.int32)
        new = np.flatnonzero((x >= 0) & (y >= 0) & (x < width) & (y < height) & ((x != best[:, 0]) | (y != best[:, 1])))
        for start in range(0, len(new), BLOCK):
            some = new[start : start + BLOCK]
            base = self._base(some, x[some], y[some])
            able = base < cost[some] * ROUNDING
            some, base = some[able], base[able]
            able = base + self._colour(some, x[some], y[some], MIDDLE_ROW) < cost[some] * ROUNDING
            some, base = some[able], base[able]
            value = base + self._colour(some, x[some], y[some])
            wins = value < cost[some]
            taken = some[wins]
            best[taken, 0], best[taken, 1], cost[taken] = x[taken], y[taken], value[wins]

    def vote(self, sharp: bool) -> None:
        """Each cell of the hole from all the patches that cover it; those nearest to their centre count most."""
        self.target[self.rows, self.columns] = self._voted(self.rows, self.columns, sharp)

    def _voted(
        self, rows: np.ndarray, columns: np.ndarray, sharp: bool, voters: np.ndarray | None = None
    ) -> np.ndarray:
        """(n, 3): what the patches around these cells want to see there. All have a vote, or the `voters`, (h, w)."""
        if len(rows) > BLOCK:
            parts = [slice(start, start + BLOCK) for start in range(0, len(rows), BLOCK)]
            return np.concatenate([self._voted(rows[p], columns[p], sharp, voters) for p in parts])
        height, width = self.shape
        rows, columns = rows.astype(np.int32), columns.astype(np.int32)
        wanted = self.level.labels[rows, columns]
        place = self.place.reshape(-1, 2)
        sigma, reach = (0.6, 1) if sharp else (1.2, PATCH)
        total, amount = np.zeros((len(rows), 3), np.float32), np.full(len(rows), 1e-12, np.float32)
        for dy in range(-reach, reach + 1):
            y = np.clip(rows + dy, 0, height - 1)
            for dx in range(-reach, reach + 1):
                x = np.clip(columns + dx, 0, width - 1)
                voter = y * width + x
                found = place.take(voter, axis=0)
                sx = np.clip(found[:, 0] - (x - columns), 0, width - 1)
                sy = np.clip(found[:, 1] - (y - rows), 0, height - 1)
                at = sy * width + sx
                weight = np.float32(np.exp(-(dx * dx + dy * dy) / (2 * sigma * sigma)))
                # Cells that must not be used, or show another class, say nothing, unless there is nothing else.
                share = np.where(self.usable.take(at) == wanted, weight, np.float32(1e-4) * weight)
                if voters is not None:
                    share *= voters.ravel().take(voter)
                colours = self.colours.take(at, axis=0)
                colours *= share[:, None]
                total += colours
                amount += share
        return np.asarray(total / amount[:, None], np.float32)

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """The filled target, continued two cells over the hole's border, and 1 where the patches fit well."""
        fits = np.ones(self.shape, np.float32)
        fits[self.rows, self.columns] = np.exp(-np.minimum(self.cost, 10) / 0.1)
        around = cv2.dilate(self.hole.view(np.uint8), np.ones((2 * PATCH + 1,) * 2, np.uint8)) > 0
        rows, columns = np.nonzero(around & ~self.hole)
        self.target[rows, columns] = self._voted(rows, columns, False, self.hole)
        return self.target, fits


def guides(original: np.ndarray, edited: np.ndarray, side: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Class channels of both primitives as guidance: one-hot and blurred, so that distances are costs.

    Args:
        original, edited: (h, w, C) float32.
        side: cells of the longer side of the whole picture, where these are a part of it; 0 where they are not.

    Returns:
        (h, w, 3 C) float32 each.
    """
    side = side or max(original.shape[:2])
    made = []
    for maps in (original, edited):
        near, far = blur(maps, max(1.0, side / 128)), blur(maps, max(2.0, side / 48))
        made.append(
            np.concatenate([maps * np.sqrt(CLASS / 2), near * np.sqrt(GUIDE / 2), far * np.sqrt(GUIDE / 2)], axis=2)
        )
    return deep(made[0]), deep(made[1])
