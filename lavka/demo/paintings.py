"""Paints a product: a drawing from shapes in the product's colors on a soft background."""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from io import BytesIO
from typing import Any

from PIL import Image, ImageColor, ImageDraw, ImageFilter, ImageFont, ImageOps

from lavka.demo import goods

SIZE = 800
_GRID = 100
_PAPER = (255, 253, 248)
_NEUTRAL = ["grey", "black"]

type Color = tuple[int, ...]
type Palette = dict[str, Color]


def paint_all(said: dict[str, Any]) -> list[tuple[str, bytes]]:
    """One to three pictures of a product with their alternative texts, always the same."""
    tints = said["options"].get("color") or said.get("tints", _NEUTRAL)
    labels = goods.read("attributes")["color"]["choices"]
    name, department = said["name"], goods.department_of(said["category"])
    pictures = [(f"{name}, {labels[tints[0]].lower()}", _portrait(said, tints[0], department))]
    if len(tints) > 1:
        pictures.append(
            (f"{name}, {labels[tints[1]].lower()}", _close_up(said, tints[1], department))
        )
    if len(tints) > 2:
        pictures.append((f"{name}, all colors", _line_up(said, tints, department)))
    return [(alt, _jpeg(picture)) for alt, picture in pictures]


def _portrait(said: dict[str, Any], tint: str, department: str) -> Image.Image:
    canvas = _background(department).copy()
    _place(canvas, _drawing(said["picture"], tint, 512), center=(400, 352))
    brand = goods.read("brands")[said["brand"]]["name"]
    pen = ImageDraw.Draw(canvas)
    pen.text((400, 682), said["name"], (43, 42, 51), _font_for(said["name"], 43), anchor="mm")
    pen.text((400, 734), brand.upper(), (43, 42, 51), _font(21), anchor="mm")
    return canvas


def _close_up(said: dict[str, Any], tint: str, department: str) -> Image.Image:
    canvas = ImageOps.flip(_background(department))
    _place(canvas, _drawing(said["picture"], tint, 688, tilt=9), center=(400, 408))
    return canvas


def _line_up(said: dict[str, Any], tints: Sequence[str], department: str) -> Image.Image:
    canvas = ImageOps.mirror(_background(department))
    for place in range(9):
        drawing = _drawing(said["picture"], tints[place % len(tints)], 216)
        row, column = divmod(place, 3)
        _place(canvas, drawing, center=(152 + column * 248, 152 + row * 248))
    return canvas


@cache
def _background(department: str) -> Image.Image:
    """A gradient with a pale disc; painted once for each department."""
    near, far = goods.read("colors")["backgrounds"][department]
    slope = Image.linear_gradient("L").rotate(35, Image.Resampling.BICUBIC, fillcolor=128)
    slope = slope.crop((50, 50, 206, 206)).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    canvas = ImageOps.colorize(slope, near, far)
    disc = Image.new("L", (SIZE // 2, SIZE // 2))
    ImageDraw.Draw(disc).ellipse((52, 28, 348, 324), fill=90)
    smooth = disc.filter(ImageFilter.GaussianBlur(1)).resize((SIZE, SIZE))
    canvas.paste(Image.new("RGB", (SIZE, SIZE), _PAPER), mask=smooth)
    return canvas


def _place(canvas: Image.Image, drawing: Image.Image, *, center: tuple[int, int]) -> None:
    """Paste the drawing with a soft shadow below it."""
    left, top = center[0] - drawing.width // 2, center[1] - drawing.height // 2
    small = drawing.getchannel("A").reduce(4).point(lambda alpha: alpha * 2 // 7)
    shadow = small.filter(ImageFilter.GaussianBlur(drawing.width / 160)).resize(drawing.size)
    drop = drawing.width // 40
    canvas.paste((43, 42, 51), (left + drop // 2, top + drop), shadow)
    canvas.paste(drawing, (left, top), drawing)


@lru_cache(maxsize=16)
def _drawing(icon: str, tint: str, size: int, *, tilt: int = 0) -> Image.Image:
    """The icon on a transparent ground, drawn twice as large so that edges come out smooth."""
    layer = Image.new("RGBA", (size * 2, size * 2))
    pen = ImageDraw.Draw(layer)
    scale = size * 2 / _GRID
    palette = _palette(tint)
    for shape in goods.read("icons")[icon]:
        kind, *rest = shape.split()
        # A line's first number is its width and stands before its tone.
        tone = next(word for word in rest if word in palette)
        numbers = [float(word) for word in rest if word not in palette]
        _SHAPES[kind](pen, numbers, palette[tone], scale)
    return (layer.rotate(tilt) if tilt else layer).reduce(2)


def _box(pen: ImageDraw.ImageDraw, numbers: list[float], color: Color, scale: float) -> None:
    *corners, radius = numbers
    pen.rounded_rectangle([n * scale for n in corners], radius * scale, fill=color)


def _oval(pen: ImageDraw.ImageDraw, numbers: list[float], color: Color, scale: float) -> None:
    pen.ellipse([n * scale for n in numbers], fill=color)


def _poly(pen: ImageDraw.ImageDraw, numbers: list[float], color: Color, scale: float) -> None:
    pen.polygon([n * scale for n in numbers], fill=color)


def _line(pen: ImageDraw.ImageDraw, numbers: list[float], color: Color, scale: float) -> None:
    width, *points = numbers
    pen.line([n * scale for n in points], color, round(width * scale), joint="curve")


def _arc(pen: ImageDraw.ImageDraw, numbers: list[float], color: Color, scale: float) -> None:
    *corners, start, end, width = numbers
    pen.arc([n * scale for n in corners], start, end, color, round(width * scale))


_SHAPES: dict[str, Callable[[ImageDraw.ImageDraw, list[float], Color, float], None]] = {
    "box": _box,
    "oval": _oval,
    "poly": _poly,
    "line": _line,
    "arc": _arc,
}


@cache
def _palette(tint: str) -> Palette:
    colors = goods.read("colors")
    main = ImageColor.getrgb(colors["paint"][tint])
    fixed = {tone: ImageColor.getrgb(paint) for tone, paint in colors["tones"].items()}
    return {
        "main": main,
        "dark": _mixed(main, (20, 20, 32), 0.28),
        "light": _mixed(main, (255, 255, 255), 0.42),
        **fixed,
    }


def _mixed(color: Color, other: Color, share: float) -> Color:
    return tuple(round(a + (b - a) * share) for a, b in zip(color, other, strict=True))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _font_for(text: str, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The largest font up to `size` in which the text fits into the picture."""
    while _font(size).getlength(text) > SIZE - 120:
        size -= 2
    return _font(size)


def _jpeg(picture: Image.Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=84)
    return buffer.getvalue()
