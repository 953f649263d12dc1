"""The files that pictures come in: whether anything is in one beside the picture itself.

JPEG, PNG, GIF and WebP are chains of blocks. Those that draw the picture are known here; whatever
else is in a file, or behind its end, may say where and by whom it was taken: EXIF, XMP, IPTC, color
profiles with their texts, comments, thumbnails, and files inside the file.
"""

import struct
from collections.abc import Callable, Iterator, Mapping

# Tables, frames, scans and restart intervals (ITU-T T.81, table B.1); no APPn and no comment.
_JPEG_DRAWS = {*range(0xC0, 0xD0), 0xDA, 0xDB, 0xDD}
_JPEG_BARE = {0x01, *range(0xD0, 0xD8)}
# ISO/IEC 15948 and its animations; no text, time, EXIF or color profile.
_PNG_DRAWS = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT",
              b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT"}  # fmt: skip
_WEBP_DRAWS = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"}
_GIF_LOOPS = {b"NETSCAPE2.0", b"ANIMEXTS1.0"}


def has_extras(content: bytes, picture_format: str) -> bool:
    """Whether a file has more in it than its picture, or is not built as its format says."""
    try:
        return not _DRAW_ONLY[picture_format](content)
    except (IndexError, struct.error):
        return True


def _jpeg_draws_only(content: bytes) -> bool:
    at = 2
    while at < len(content):
        if content[at] != 0xFF:
            return False
        marker = content[at + 1]
        if marker == 0xD9:
            return at + 2 == len(content)
        at += 2
        if marker in _JPEG_BARE:
            continue
        size = struct.unpack_from(">H", content, at)[0]
        if marker not in _JPEG_DRAWS and not _is_plain_header(marker, content[at + 2 : at + size]):
            return False
        at += size
        if marker == 0xDA:
            at = _end_of_scan(content, at)
    return False


def _is_plain_header(marker: int, body: bytes) -> bool:
    """JFIF's header without a thumbnail, or Adobe's, which says how colors are coded."""
    is_jfif = marker == 0xE0 and len(body) == 14 and body[:5] == b"JFIF\0" and body[12:] == b"\0\0"
    return is_jfif or (marker == 0xEE and len(body) == 12 and body[:5] == b"Adobe")


def _end_of_scan(content: bytes, at: int) -> int:
    """Where the next marker stands that is none of the scan's own."""
    while (at := content.find(b"\xff", at)) >= 0:
        follower = content[at + 1]
        if follower != 0 and follower not in _JPEG_BARE:
            return at
        at += 2
    return len(content)


def _png_draws_only(content: bytes) -> bool:
    at = 8
    while True:
        size, kind = struct.unpack_from(">I4s", content, at)
        at += size + 12
        if kind not in _PNG_DRAWS:
            return False
        if kind == b"IEND":
            return bool(at == len(content))


def _webp_draws_only(content: bytes) -> bool:
    size = struct.unpack_from("<I", content, 4)[0]
    return size + 8 == len(content) and all(
        kind in _WEBP_DRAWS for kind, _ in _riff_chunks(content, 12, len(content))
    )


def _riff_chunks(content: bytes, at: int, end: int) -> Iterator[tuple[bytes, int]]:
    """Kinds of chunks and where each begins, those inside of an animation's frames among them."""
    while at < end:
        kind, size = struct.unpack_from("<4sI", content, at)
        yield kind, at
        if kind == b"ANMF":
            yield from _riff_chunks(content, at + 24, at + 8 + size)
        at += 8 + size + size % 2


def _gif_draws_only(content: bytes) -> bool:
    at = 13 + _table_size(content[10])
    while True:
        match content[at]:
            case 0x3B:
                return at + 1 == len(content)
            case 0x2C:
                at = _end_of_blocks(content, at + 11 + _table_size(content[at + 9]))
            case 0x21 if content[at + 1] == 0xF9 or content[at + 3 : at + 14] in _GIF_LOOPS:
                at = _end_of_blocks(content, at + 2)
            case _:
                return False


def _table_size(packed: int) -> int:
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _end_of_blocks(content: bytes, at: int) -> int:
    while size := content[at]:
        at += size + 1
    return at + 1


_DRAW_ONLY: Mapping[str, Callable[[bytes], bool]] = {
    "JPEG": _jpeg_draws_only,
    "PNG": _png_draws_only,
    "WEBP": _webp_draws_only,
    "GIF": _gif_draws_only,
}
