"""Changed copies of a picture, from which single-image GANs learn to bring what does not belong back into it.

All of them take and give (1, 3, H, W) in [-1, 1] and draw from a random generator of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from underdrawing.train.methods.consingan.scales import Size

COLOURED = 0.25  # how often a copy gets other colours
SEPIA = ((0.393, 0.769, 0.189), (0.349, 0.686, 0.168), (0.272, 0.534, 0.131))


@dataclass(frozen=True)
class AugmentedCopy:
    """A changed copy.

    Attributes:
        picture: (1, 3, H, W) in [-1, 1].
        known: (1, 1, H, W), 1 where the picture itself is what should come out of the copy, 0 where nobody knows.
    """

    picture: Tensor
    known: Tensor


def _uniform(generator: Generator, low: float = 0.0, high: float = 1.0) -> float:
    return low + (high - low) * float(torch.rand(1, generator=generator))


def _whole(generator: Generator, low: int, high: int) -> int:
    """A whole number from low to high, both included."""
    return int(torch.randint(low, max(low, high) + 1, (1,), generator=generator))


def coloured(picture: Tensor, generator: Generator) -> Tensor:
    """One time in four one of: noise, inverted, sepia, a channel dropped, channels shuffled, other hue and saturation.

    ConSinGAN, section 3; how often, and of what, is its program's.
    """
    x = picture
    if _uniform(generator) >= COLOURED:
        return x
    match _whole(generator, 0, 5):
        case 0:
            x = x + 0.2 * torch.randn(x.shape, generator=generator)
        case 1:
            x = -x
        case 2:
            x = torch.einsum("oc,bchw->bohw", torch.tensor(SEPIA), x / 2 + 0.5).clamp(0, 1) * 2 - 1
        case 3:
            kept = torch.ones(1, 3, 1, 1)
            kept[0, _whole(generator, 0, 2)] = 0
            x = (x + 1) * kept - 1
        case 4:
            x = x[:, torch.randperm(3, generator=generator)]
        case _:
            x = _turned(x, _uniform(generator, -math.pi, math.pi), _uniform(generator, 0.3, 1.7))
    return x.clamp(-1, 1)


def _turned(x: Tensor, angle: float, saturation: float) -> Tensor:
    """Hue turned around the axis of greys, and saturation scaled."""
    grey = x.mean(1, keepdim=True)
    away = (x - grey) * saturation
    turned = away * math.cos(angle) + torch.roll(away, 1, 1).sub(torch.roll(away, -1, 1)) * math.sin(angle) / 3**0.5
    return grey + turned


def holed(picture: Tensor, generator: Generator, smallest: Size) -> AugmentedCopy:
    """With 9 in 10: two holes of 15 to 30 pixels, or one of 30 to 60, in a random colour (ConSinGAN's program).

    Pixels are those of the first stage, which sees the holes.

    Args:
        smallest: width and height of the first stage.
    """
    x, known = picture.clone(), torch.ones_like(picture[:, :1])
    pixel = max(x.shape[2:]) / max(smallest)
    if _uniform(generator) < 0.9:
        two = _uniform(generator) < 0.5
        low, high = (15, 30) if two else (30, 60)
        for _ in range(2 if two else 1):
            sides = [min(x.shape[2 + k], max(1, round(_uniform(generator, low, high) * pixel))) for k in (0, 1)]
            y, left = (_whole(generator, 0, x.shape[2 + k] - sides[k]) for k in (0, 1))
            hole = (slice(None), slice(None), slice(y, y + sides[0]), slice(left, left + sides[1]))
            x[hole] = torch.rand(1, 3, 1, 1, generator=generator) * 2 - 1
            known[hole] = 0
    return AugmentedCopy(x, known)


def harmony(picture: Tensor, generator: Generator, smallest: Size) -> AugmentedCopy:
    """What ConSinGAN learns to harmonize from: other colours everywhere, and holes."""
    return holed(coloured(picture, generator), generator, smallest)


def tiled(picture: Tensor, generator: Generator, smallest: Size) -> AugmentedCopy:
    """What ConSinGAN learns to blend from: one to five tiles, shifted by 5 to 15 %, and a little noise."""
    height, width = picture.shape[2:]
    x, known = picture.clone(), torch.ones_like(picture[:, :1])
    for _ in range(_whole(generator, 1, 5)):
        sides = [max(2, round(_uniform(generator, 0.1, 0.35) * side)) for side in (height, width)]
        place = [_whole(generator, 0, side - s) for side, s in zip((height, width), sides, strict=True)]
        goal = []
        for at, side, s in zip(place, (height, width), sides, strict=True):
            step = round(_uniform(generator, 0.05, 0.15) * side) * (1 if _uniform(generator) < 0.5 else -1)
            goal.append(min(max(0, at + step), side - s))
        piece = picture[:, :, place[0] : place[0] + sides[0], place[1] : place[1] + sides[1]]
        spot = (slice(None), slice(None), slice(goal[0], goal[0] + sides[0]), slice(goal[1], goal[1] + sides[1]))
        x[spot] = piece
        known[spot] = 0
    return AugmentedCopy((x + 0.1 * torch.randn(x.shape, generator=generator)).clamp(-1, 1), known)


def blob(height: int, width: int, part: float, generator: Generator) -> Tensor:
    """(1, 1, H, W) of 0 and 1: smooth-edged shapes that cover about `part` of the area."""
    rough = _whole(generator, 3, 6)
    field = torch.randn(1, 1, rough, rough, generator=generator)
    field = F.interpolate(field, size=(height, width), mode="bicubic", align_corners=True)
    limit = torch.quantile(field.flatten()[:: max(1, field.numel() // 4000)], 1 - part)
    return (field > limit).float()


def pasted(picture: Tensor, generator: Generator, smallest: Size) -> AugmentedCopy:
    """A foreign thing: shapes of the picture in colours that are not its own, or of quite another texture."""
    height, width = picture.shape[2:]
    shape = blob(height, width, _uniform(generator, 0.1, 0.5), generator)
    known = torch.ones_like(shape)
    kind = _uniform(generator)
    if kind < 0.65:
        # Its own content, so that it is known what should come of it; colours mixed, light and contrast changed.
        mix = torch.eye(3) * _uniform(generator, 0.0, 0.9)
        mix = mix + _uniform(generator, 0.2, 0.8) * torch.randn(3, 3, generator=generator)
        if _uniform(generator) < 0.3:
            mix = mix.mean(0, keepdim=True).repeat(3, 1)
        other = torch.einsum("oc,bchw->bohw", mix, picture - picture.mean((2, 3), keepdim=True))
        luma = picture.mean(1, keepdim=True) * _uniform(generator, 0.3, 1.2)
        other = 0.6 * other + luma + 0.5 * torch.randn(1, 3, 1, 1, generator=generator)
        if _uniform(generator) < 0.5:
            other = soft(other, _whole(generator, 1, 3))
    else:
        rough = _whole(generator, 3, 14)
        other = torch.randn(1, 3, rough, rough, generator=generator)
        mode = "bicubic" if _uniform(generator) < 0.5 else "nearest"
        corners = True if mode == "bicubic" else None
        other = F.interpolate(other, size=(height, width), mode=mode, align_corners=corners)
        other = 0.4 * other * torch.rand(1, 3, 1, 1, generator=generator)
        other = other + 0.6 * torch.randn(1, 3, 1, 1, generator=generator)
        known = 1 - shape
    return AugmentedCopy((picture + shape * (other.clamp(-1, 1) - picture)).clamp(-1, 1), known)


def soft(picture: Tensor, radius: int) -> Tensor:
    """Blurred by a box of 2 radius + 1 pixels, twice."""
    side = 2 * radius + 1
    for _ in range(2):
        picture = F.avg_pool2d(F.pad(picture, (radius,) * 4, mode="replicate"), side, 1)
    return picture


def softened(picture: Tensor, generator: Generator, smallest: Size) -> AugmentedCopy:
    """What a picture may look like after it was enlarged: softer by up to two pixels, with a trace of noise."""
    radius = _whole(generator, 0, 1)
    x = soft(picture, radius) if radius else picture
    x = x + _uniform(generator, 0.0, 0.03) * torch.randn(x.shape, generator=generator)
    return AugmentedCopy(x.clamp(-1, 1), torch.ones_like(x[:, :1]))


# Each is given the picture, rng, and the size of the first stage.
CHANGES = {"harmony": harmony, "tiles": tiled, "pasted": pasted, "softened": softened}
