"""Networks that help where their weights are there: outlines, subjects, things, fills."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from underdrawing.client.messages import EngineError
from underdrawing.draft.draft import Filler
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.pick import Point, Prompted
from underdrawing.render.onnx_sessions import SessionStore

HED_FILE, U2NET_FILE, EFFICIENT_SAM_FILE = "hed.onnx", "u2netp.onnx", "efficientsam_ti.onnx"
LAMA_FILE = "lama.onnx"
HED_MEAN = np.array([104.00699, 116.66877, 122.67892], np.float32)  # of blue, green, red (Xie and Tu 2015)
HED_LONGEST = 768  # pixels; outlines of bigger pictures are found reduced
U2NET_SIDE = 320  # pixels; what the network was trained with (Qin et al. 2020)
EFFICIENT_SAM_SIDE, EFFICIENT_SAM_POINTS = 1024, 6  # pixels, and points that its graph takes (Xiong et al. 2023)
LAMA_SIDE, LAMA_AROUND = 512, 64  # pixels that its graph takes, and around a hole at least (Suvorov et al. 2022)
FETCH = "Get its weights with: underdrawing weights fetch"
HED_ABSENT = f"HED is not installed: areas and picks follow colours alone. {FETCH} hed"


Network = Callable[[np.ndarray], np.ndarray]


def outline_network(weights: Path, sessions: SessionStore) -> Network | None:
    """HED, where its weights are there; see `hed`."""
    path = weights / HED_FILE
    return (lambda rgb: hed(rgb, path, sessions)) if path.is_file() else None


def subject_network(weights: Path, sessions: SessionStore) -> Network | None:
    """U2-Net, where its weights are there; see `u2net`."""
    path = weights / U2NET_FILE
    return (lambda rgb: u2net(rgb, path, sessions)) if path.is_file() else None


def prompted_network(weights: Path, sessions: SessionStore) -> Prompted | None:
    """EfficientSAM, where its weights are there; see `efficient_sam`."""
    path = weights / EFFICIENT_SAM_FILE
    return (lambda rgb, points, box: efficient_sam(rgb, points, box, path, sessions)) if path.is_file() else None


def fill_network(weights: Path, fill: str, sessions: SessionStore) -> Filler | None:
    """LaMa where `fill` is "lama", see `lama`; None for the draft's own fill.

    Raises:
        EngineError: its weights are not there.
    """
    if fill != "lama":
        return None
    path = weights / LAMA_FILE
    if not path.is_file():
        raise EngineError(
            "weights_missing", "This fill needs the network LaMa, which is not installed.", FETCH + " lama"
        )
    return lambda picture, hole: lama(picture, hole, path, sessions)


def helper_networks(
    weights: Path, kind: str, options: dict[str, Any], sessions: SessionStore
) -> tuple[dict[str, Any], list[str]]:
    """Callables for `make_primitive`, and sentences about what is not there.

    Takes `soft` (wish for HED's outlines) and `subject` (wish for the subject's mask; None: when it is there) out of
    `options`.

    Raises:
        EngineError: a network was asked for whose weights are not there.
    """
    networks: dict[str, Any] = {}
    notes: list[str] = []
    outlines, saliency = outline_network(weights, sessions), subject_network(weights, sessions)
    if options.pop("soft", False):
        if outlines is None:
            text = "Soft outlines need the network HED, which is not installed."
            raise EngineError("weights_missing", text, FETCH + " hed")
        networks["soft_edges"] = outlines
    subject = options.pop("subject", None)
    if kind in ("segments", "super") and subject is not False:
        if saliency is not None:
            networks["saliency"] = saliency
        elif subject:
            text = "Splitting the subject from its background needs U2-Net, which is not installed."
            raise EngineError("weights_missing", text, FETCH + " u2netp")
        else:
            notes.append(
                "U2-Net is not installed: the subject is not separated from the background. " + FETCH + " u2netp"
            )
    if kind in ("segments", "super"):
        if outlines is not None:
            networks["outlines"] = outlines
        else:
            notes.append(HED_ABSENT)
    return networks, notes


def hed(rgb: np.ndarray, path: Path, sessions: SessionStore) -> np.ndarray:
    """Soft outlines of (H, W, 3) uint8: (H, W) float32 in [0, 1], 1 is an outline."""
    height, width = rgb.shape[:2]
    scale = min(1.0, HED_LONGEST / max(height, width))
    size = [max(32, round(side * scale / 16) * 16) for side in (width, height)]
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    session = sessions.get(path)
    blob = small[..., ::-1].astype(np.float32) - HED_MEAN
    entry = session.session.get_inputs()[0]
    first = entry.shape[1] == 3
    made = session.run({entry.name: blob.transpose(2, 0, 1)[None] if first else blob[None]})
    return cv2.resize(np.squeeze(made).astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR).clip(0, 1)


def u2net(rgb: np.ndarray, path: Path, sessions: SessionStore) -> np.ndarray:
    """How much each pixel belongs to the subject: (H, W) float32 in [0, 1]."""
    height, width = rgb.shape[:2]
    small = cv2.resize(rgb, (U2NET_SIDE, U2NET_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    # Scaled by the brightest value, then ImageNet's means: how the network's authors feed it.
    scaled = small / max(float(small.max()), 1e-6)
    scaled = (scaled - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    session = sessions.get(path)
    made = session.run({session.session.get_inputs()[0].name: scaled.transpose(2, 0, 1)[None]})[0, 0]
    low, high = float(made.min()), float(made.max())
    return cv2.resize((made - low) / max(high - low, 1e-6), (width, height), interpolation=cv2.INTER_LINEAR)


def efficient_sam(
    rgb: np.ndarray, points: Sequence[Point], box: Bounds | None, path: Path, sessions: SessionStore
) -> list[tuple[np.ndarray, float]]:
    """Things that points and a box may mean: masks of the whole picture, (1024, 1024) bool, each with the overlap with
    the thing that the network expects, in [0, 1].

    Args:
        rgb: (H, W, 3) uint8.
        points: (x, y) of the thing in pixels; those that the graph has no place for are left out.
        box: around the thing.
    """
    height, width = rgb.shape[:2]
    side = EFFICIENT_SAM_SIDE
    corners = [] if box is None else [(box.x, box.y), (box.right, box.bottom)]
    given = [*corners, *points][:EFFICIENT_SAM_POINTS]
    places = np.zeros((1, 1, EFFICIENT_SAM_POINTS, 2))
    places[0, 0, : len(given)] = np.array(given).reshape(-1, 2) * (side / width, side / height)
    labels = np.full((1, 1, EFFICIENT_SAM_POINTS, 1), -1.0)  # no point
    labels[0, 0, : len(given), 0] = [*(2, 3)[: len(corners)], *[1] * (len(given) - len(corners))]
    seen = _resized(rgb, (side, side)).astype(np.float32) / 255
    inputs = {
        "batched_images": seen.transpose(2, 0, 1)[None],
        "batched_point_coords": places,
        "batched_point_labels": labels,
    }
    masks, overlaps = sessions.get(path).run_all(inputs)
    return [(mask >= 0, float(expected)) for mask, expected in zip(masks[0, 0], overlaps[0, 0], strict=True)]


def lama(picture: np.ndarray, hole: np.ndarray, path: Path, sessions: SessionStore) -> np.ndarray:
    """A picture whose hole is filled from what is around it: (H, W, 3) float32 in [0, 1], elsewhere as it was.

    Args:
        picture: (H, W, 3) float32 in [0, 1].
        hole: (H, W) bool, not empty.
    """
    bounds = Bounds.of_mask(hole)
    near = bounds.expand(max(LAMA_AROUND, max(bounds.size) // 2), (hole.shape[1], hole.shape[0]))
    part, size = near.slices(), (LAMA_SIDE, LAMA_SIDE)
    seen = _resized(picture[part], size)[..., ::-1]
    # A pixel that a hole touches must not be taken for the picture's own.
    mask = _resized(hole[part].astype(np.float32), size) > 0
    made = sessions.get(path).run({"image": seen.transpose(2, 0, 1)[None], "mask": mask[None, None]})
    filled = _resized(made[0].transpose(1, 2, 0)[..., ::-1] / 255, near.size)
    result = picture.copy()
    result[part][hole[part]] = filled[hole[part]].clip(0, 1)
    return result


def _resized(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W) or (H, W, C) at another (width, height)."""
    shrinks = size[0] * size[1] < values.shape[0] * values.shape[1]
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
