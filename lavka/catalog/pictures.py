"""Pictures as bytes: is an upload a picture that the shop shows, and how does it look smaller."""

import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import IO, Any

from PIL import Image, ImageCms, ImageOps, ImageSequence

from lavka.catalog.errors import BadPicture, PictureTooLarge
from lavka.catalog.picture_files import has_extras

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 40_000_000
WIDTHS = (160, 480, 960)

# SVG is not among them: it is a document that can run scripts.
_SUFFIXES = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif"}
# Several pictures in one file, as phones write them; the first one is shown.
_FORMATS = {"MPO": "JPEG"}
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

    A file with anything in it beside the picture is turned upright and written anew without: it
    may tell where the photographer lives. Others stay as they are, byte by byte.
    Raises: BadPicture; PictureTooLarge, for more bytes or pixels than the shop decodes.
    """
    file.seek(0)
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise PictureTooLarge
    with _few_at_once, _opened(BytesIO(content)) as image:
        picture_format = _FORMATS.get(image.format or "", image.format or "")
        suffix = _SUFFIXES[picture_format]
        image.load()
        width, height = image.size
        if has_extras(content, picture_format):
            (width, height), content = _written_anew(image, picture_format)
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


def _written_anew(image: Image.Image, picture_format: str) -> tuple[tuple[int, int], bytes]:
    """The size and the bytes of a picture that is nothing but that, upright and in sRGB."""
    count = getattr(image, "n_frames", 1) if picture_format != "JPEG" else 1
    if count * image.width * image.height > MAX_PIXELS:
        raise PictureTooLarge
    frames, durations = [], []
    for frame in islice(ImageSequence.Iterator(image), count):
        durations.append(frame.info.get("duration", 0))
        frames.append(_bare(frame, picture_format))
    first, *others = frames
    options: dict[str, Any] = {"quality": 92}
    if others:
        options |= {"save_all": True, "append_images": others, "duration": durations}
    if others and "loop" in image.info:
        options["loop"] = image.info["loop"]
    buffer = BytesIO()
    first.save(buffer, picture_format, **options)
    return first.size, buffer.getvalue()


def _bare(frame: Image.Image, picture_format: str) -> Image.Image:
    """A copy that is upright, in sRGB, and knows nothing but which color is transparent."""
    upright = _in_srgb(ImageOps.exif_transpose(frame))
    if picture_format == "JPEG" and upright.mode not in {"L", "RGB"}:
        upright = upright.convert("RGB")
    upright.info = {name: value for name, value in upright.info.items() if name == "transparency"}
    return upright


def _in_srgb(image: Image.Image) -> Image.Image:
    """The picture in the colors of the web; one whose profile makes no sense stays as it is."""
    profile = image.info.get("icc_profile")
    if not profile:
        return image
    if image.mode == "P":
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    target = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        converted = ImageCms.profileToProfile(
            image, BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode=target
        )
    except (ImageCms.PyCMSError, *_BROKEN):
        return image
    return converted or image


def _shrunk(whole: Image.Image, width: int) -> bytes:
    height = max(1, round(whole.height * width / whole.width))
    small = whole.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    buffer = BytesIO()
    small.save(buffer, "WEBP", quality=82, method=4)
    return buffer.getvalue()
