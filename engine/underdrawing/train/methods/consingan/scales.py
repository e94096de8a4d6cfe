"""A picture at several sizes, as single-image GANs see it: from its rough layout to its texture."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from underdrawing.train.method import Stage

Size = tuple[int, int]  # width and height in pixels
LEAST = 12  # pixels of a side: the critic looks at 11 x 11


def improved(size: Size, stages: int, smallest: int) -> list[Size]:
    """Sizes that stay close together where the layout is decided (ConSinGAN, equation 3).

    With N = stages - 1 reduced copies, copy n has the size x r^(((N - 1) / log N) log(N - n) + 1), where r^N brings
    the shorter side to `smallest`; the last stage is the picture itself.

    Args:
        size: of the picture trained on.
        stages: how many, the picture itself included.
        smallest: pixels of the shorter side at the first stage.
    """
    reduced = stages - 1
    if reduced <= 1:
        return geometric(size, stages, smallest)
    ratio = (_start(size, smallest) / min(size)) ** (1 / reduced)
    slope = (reduced - 1) / math.log(reduced)
    return _distinct([_scaled(size, ratio ** (slope * math.log(reduced - n) + 1)) for n in range(reduced)] + [size])


def geometric(size: Size, stages: int, smallest: int) -> list[Size]:
    """Sizes with the same ratio from each to the next (SinGAN, section 2; ConSinGAN for harmonization)."""
    if stages <= 1:
        return [size]
    ratio = (_start(size, smallest) / min(size)) ** (1 / (stages - 1))
    return _distinct([_scaled(size, ratio ** (stages - 1 - n)) for n in range(stages - 1)] + [size])


def stepped(size: Size, smallest: int, ratio: float) -> list[Size]:
    """Each size 1 / ratio of the one before, from `smallest` pixels of the longer side; the last step is what is left.

    Meta Internal Learning, supplement, section 2.2.
    """
    sides, side = [], float(max(LEAST, smallest))
    while round(side) < max(size):
        sides.append(side)
        side /= ratio
    return _distinct([_scaled(size, one / max(size)) for one in sides] + [size])


def halves(size: Size, stages: int, smallest: int = 0) -> list[Size]:
    """Each size half of the next; for enlarging, where each stage doubles what the one before made."""
    return _distinct([_scaled(size, 0.5 ** (stages - 1 - n)) for n in range(stages - 1)] + [size])


def geometric_stages(size: Size, smallest: int, ratio: float) -> int:
    """How many stages lead from `smallest` to the picture in steps of about `ratio` (SinGAN: 0.75)."""
    return 1 + max(0, math.ceil(math.log(_start(size, smallest) / min(size)) / math.log(ratio) - 1e-9))


def _start(size: Size, smallest: int) -> int:
    """The shorter side of the first stage: not more than the picture has, not less than the critic needs."""
    return min(*size, max(LEAST, smallest))


def _scaled(size: Size, ratio: float) -> Size:
    return max(LEAST, round(size[0] * ratio)), max(LEAST, round(size[1] * ratio))


def _distinct(sizes: list[Size]) -> list[Size]:
    """Without stages that repeat one: small pictures have fewer."""
    return [size for k, size in enumerate(sizes) if k + 1 == len(sizes) or size != sizes[k + 1]]


def upsample(x: Tensor, height: int, width: int) -> Tensor:
    """Bicubic, the corners' centres fixed (the papers' programs); (B, C, h, w) to (B, C, height, width)."""
    return F.interpolate(x, size=(height, width), mode="bicubic", align_corners=True)


def reduced(picture: Tensor, size: Size) -> Tensor:
    """A picture (B, 3, H, W) at a smaller size, without aliasing: the mean of the area of each pixel.

    The renderer does the same with OpenCV's INTER_AREA.
    """
    width, height = size
    if picture.shape[2:] == (height, width):
        return picture
    rows, columns = (_areas(a, b).to(picture) for a, b in zip(picture.shape[2:], (height, width), strict=True))
    return torch.einsum("yh,bchw,xw->bcyx", rows, picture.float(), columns).contiguous()


def _areas(source: int, target: int) -> Tensor:
    """(target, source): how much of each target pixel each source pixel covers; rows sum to 1."""
    edges = torch.arange(target + 1, dtype=torch.float64) * source / target
    place = torch.arange(source, dtype=torch.float64)
    covered = torch.minimum(edges[1:, None], place + 1) - torch.maximum(edges[:-1, None], place)
    return (covered.clamp_min(0) * target / source).float()


def stages(word: str, sizes: Sequence[Size], balance: float) -> Sequence[Stage]:
    """A stage for each size, named by `word`; its share grows with its pixels to the power of `balance`."""
    work = [(width * height) ** balance for width, height in sizes]
    return tuple(
        Stage(f"{word} {k + 1} of {len(work)}, {w} x {h}", part / sum(work))
        for k, (part, (w, h)) in enumerate(zip(work, sizes, strict=True))
    )


def amplitude(made: Tensor, wanted: Tensor, part: float) -> float:
    """How strong the noise of a stage is: a part of the root mean square error of what is there before it is trained.

    SinGAN, section 2.1, takes all of it; ConSinGAN's program a tenth.
    """
    return part * float(torch.sqrt(torch.mean((made.float() - wanted.float()) ** 2)))
