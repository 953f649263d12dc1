"""Pictures as bytes: is an upload a picture that the shop shows, and how does it look smaller."""

import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Any

from PIL import Image, ImageOps

from lavka.catalog.errors import BadPicture, PictureTooLarge

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 40_000_000
WIDTHS = (160, 480, 960)

# SVG is not among them: it is a document that can run scripts.
_SUFFIXES = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif"}
# What Pillow's decoders raise for broken files, beside UnidentifiedImageError, an OSError.
_BROKEN = (OSError, ValueError, SyntaxError, TypeError, EOFError, IndexError, KeyError,
           OverflowError, struct.error)  # fmt: skip
# A decoded picture of `MAX_PIXELS` is 160 MB, and as much again when it is turned.
_few_at_once = threading.BoundedSemaphore(2)
_TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture that may be stored: upright and without metadata."""

    content: bytes
    suffix: str
    width: int
    height: int


def checked(file: Any) -> Picture:
    """Read a file object as a JPEG, PNG, WebP or GIF picture, every byte of it decoded.

    A picture with EXIF is turned upright and written anew without it: it may tell where the
    photographer lives. Others stay as they are, byte by byte.
    Raises: BadPicture; PictureTooLarge, for more bytes or pixels than the shop decodes.
    """
    file.seek(0)
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise PictureTooLarge
    with _few_at_once, _opened(BytesIO(content)) as image:
        suffix = _SUFFIXES[image.format or ""]
        has_exif = bool(image.getexif())
        image.load()
        if not has_exif:
            width, height = image.size
            return Picture(content=content, suffix=suffix, width=width, height=height)
        upright, content = _upright(image)
        width, height = upright.size
        return Picture(content=content, suffix=suffix, width=width, height=height)


def thumbnails(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The picture as WebP at each of `WIDTHS` that it fills: never larger than it is."""
    with _opened(file) as image:
        upright = ImageOps.exif_transpose(image)
        mode = "RGBA" if upright.has_transparency_data else "RGB"
        whole = upright.convert(mode)
        for width in WIDTHS:
            if width <= whole.width:
                yield width, _shrunk(whole, width)


@contextmanager
def _opened(file: IO[bytes]) -> Iterator[Image.Image]:
    try:
        with (
            warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning),
            Image.open(file, formats=list(_SUFFIXES)) as image,
        ):
            if image.width * image.height > MAX_PIXELS:
                raise PictureTooLarge
            yield image
    except _TOO_LARGE as fault:
        raise PictureTooLarge from fault
    except _BROKEN as fault:
        raise BadPicture from fault


def _upright(image: Image.Image) -> tuple[Image.Image, bytes]:
    upright = ImageOps.exif_transpose(image)
    profile = image.info.get("icc_profile")
    upright.info.clear()
    buffer = BytesIO()
    upright.save(buffer, image.format, quality=92, icc_profile=profile)
    return upright, buffer.getvalue()


def _shrunk(whole: Image.Image, width: int) -> bytes:
    height = max(1, round(whole.height * width / whole.width))
    small = whole.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    buffer = BytesIO()
    small.save(buffer, "WEBP", quality=82, method=4)
    return buffer.getvalue()
