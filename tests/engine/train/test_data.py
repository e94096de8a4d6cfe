"""Training pairs: padded, cropped anywhere in the picture, and warped with all their planes alike."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from underdrawing.store.manifest import Encoding, PlaneKind
from underdrawing.train.data import Augmentation, Pair, Sampler, make_pair, pad_to, places

from .conftest import PALETTE

HEIGHT, WIDTH = 64, 112


def stripes() -> Pair:
    """A wide pair with classes 0 and 2 side by side, black and white in the picture, and no class between."""
    classes = np.zeros((HEIGHT, WIDTH), np.uint8)
    classes[:, ::16] = classes[:, 1::16] = classes[:, 2::16] = classes[5::20] = 2
    picture = np.repeat(classes[..., None] / 2, 3, 2).astype(np.float32)
    return make_pair(picture, {"segments": (PlaneKind.CLASSES, classes)}, PALETTE, 16)


def sampler(pair: Pair, **changes: object) -> Sampler:
    usual = {"warp": True, "grid": 3, "shift": 0.1, "smoothing": 0.0, "warped": 1.0, "flip": 0.0}
    how = Augmentation(**{**usual, "cutmix": 0.0, "crop": 0, **changes})  # type: ignore[arg-type]
    return Sampler(pair, how, {"segments": Encoding.ONE_HOT}, 7)


def test_padding_mirrors_to_the_right_and_below_and_only_where_it_must() -> None:
    values = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert pad_to(values, 4, 0).tolist() == [[0, 1, 2, 2], [3, 4, 5, 5], [3, 4, 5, 5], [0, 1, 2, 2]]
    assert pad_to(np.zeros((32, 48, 3)), 16, 0).shape == (32, 48, 3)
    assert pad_to(np.zeros((32, 48)), 16, 64).shape == (64, 64)


def test_crops_come_from_everywhere_in_a_wide_picture_and_never_from_outside() -> None:
    cropped, seen = sampler(stripes(), crop=32), []
    for number in range(40):
        _, picture, where = cropped.draw(number, 4)
        assert picture.shape == (4, 3, 32, 32)
        seen.append(where.flatten(2))
    x, y = torch.cat(seen).unbind(1)
    for found in (x, y):
        assert -1 < found.min() < -0.9
        assert 0.9 < found.max() < 1


def test_places_of_a_crop_are_those_of_the_whole_picture() -> None:
    x, y = places(torch.tensor([[20.0, 8.0]]), (3, 5), (HEIGHT, WIDTH))[0]
    assert torch.allclose(x, ((torch.arange(20, 25) + 0.5) / WIDTH * 2 - 1).expand(3, 5))
    assert torch.allclose(y, ((torch.arange(8, 11) + 0.5) / HEIGHT * 2 - 1)[:, None].expand(3, 5))
    # What is drawn there is what lies there, where nothing is warped.
    pair = stripes()
    _, picture, where = sampler(pair, crop=32, warp=False).draw(3, 1)
    found = F.grid_sample(pair.picture, where.permute(0, 2, 3, 1), align_corners=False)
    assert torch.allclose(picture, found, atol=1e-4)


def test_a_warp_never_makes_a_class_that_lies_between_two_others() -> None:
    planes, picture, _ = sampler(stripes(), flip=0.5).draw(0, 4)
    assert not torch.equal(picture, stripes().picture.expand_as(picture))
    assert planes["segments"][:, 1].sum() == 0
    assert torch.equal(planes["segments"].sum(1), torch.ones_like(picture[:, 0]))
    assert ((picture[:, 0] > 0) == (planes["segments"][:, 2] > 0)).float().mean() > 0.97, "classes go with the picture"


def test_draws_repeat_with_the_iteration_and_differ_between_them() -> None:
    one, again, other = (sampler(stripes(), flip=0.5, crop=32).draw(number, 2) for number in (5, 5, 6))
    assert torch.equal(one[1], again[1])
    assert torch.equal(one[0]["segments"], again[0]["segments"])
    assert not torch.equal(one[1], other[1])


def test_cutmix_swaps_the_same_patches_in_every_plane() -> None:
    for number in (0, 2):
        plain, _, _ = sampler(stripes(), warp=False).draw(number, 1)
        planes, picture, _ = sampler(stripes(), warp=False, cutmix=1.0).draw(number, 1)
        assert not torch.equal(planes["segments"], plain["segments"])
        assert torch.equal(picture[:, 0] > 0, planes["segments"][:, 2] > 0)
