"""The INS Data Matrix as a drawing: square ECC 200 symbol, quiet zone, caption; SVG, PNG and PDF (ISO/IEC 16022)."""

import io
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any, Final

import zxingcpp
from PIL import Image, ImageDraw, ImageFont

from insigne.documents.entitlement import NotEntitledError, entitled_ins
from insigne.ins.datamatrix import DatamatrixError, write_payload
from insigne.ins.traits import StrictTraits
from insigne.registry.state import Identity

CAPTION: Final = "INS à scanner"
QUIET_MODULES: Final = 2
"""Modules of blank around the symbol: the standard asks for one, printers eat some."""
PNG_DPI: Final = 600

_FONT: Final = Path(__file__).with_name("data") / "SourceSans3-Regular.ttf"
_DARK: Final = bytes([1]) + bytes(255)
"""Pixel → module: 0 is dark."""


def payload_of(identity: Identity, environment: str) -> str:
    """Write the payload of an identity's symbol.

    Raises NotEntitledError when the identity is not qualified, or when its traits do not fit the format (undetermined
    sex, incomplete date).
    """
    ins = entitled_ins(identity, environment)
    traits = identity.traits
    strict = StrictTraits(
        birth_name=traits.birth_name,
        first_given_name=traits.first_given_name,
        given_names=traits.given_names or traits.first_given_name,
        birth_date=traits.birth_date,
        sex=traits.sex,
        birth_place=traits.birth_place,
    )
    try:
        return write_payload(strict, ins.matricule, ins.oid)
    except DatamatrixError as error:
        raise NotEntitledError("traits", str(error), error.message_fr) from error


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol as squares: `rows[y][x]` is 1 where it is dark, the first row at the top; no quiet zone."""

    rows: tuple[bytes, ...]

    @property
    def side(self) -> int:
        """Modules on a side, quiet zone included."""
        return len(self.rows) + 2 * QUIET_MODULES

    def spans(self) -> list[tuple[int, int]]:
        """The dark modules as horizontal runs (start, end), places counted row after row.

        Each row has `wide` of them, the last of which is light.
        """
        modules = b"\0" + b"\0".join(self.rows) + b"\0"
        dark = int.from_bytes(modules, "big")
        changes = (dark ^ dark >> 8).to_bytes(len(modules), "big")  # 1 where a module is not as the one before it
        edges = compress(range(-1, len(modules)), changes)
        return list(zip(edges, edges, strict=True))

    @property
    def wide(self) -> int:
        """Places of a row in `spans`."""
        return len(self.rows) + 1

    def runs(self) -> list[tuple[int, int, int]]:
        """The dark modules as horizontal runs (x, y, length), in modules from the top left of the quiet zone."""
        wide = self.wide
        return [
            (start % wide + QUIET_MODULES, start // wide + QUIET_MODULES, end - start) for start, end in self.spans()
        ]

    def svg(self, module_mm: float) -> bytes:
        """An SVG document at its printed size, on white, with the caption under it."""
        below = self.side // 5
        height = self.side + below
        dark = "".join(f"M{x} {y}h{length}v1h-{length}z" for x, y, length in self.runs())
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.side * module_mm:.2f}mm" '
            f'height="{height * module_mm:.2f}mm" viewBox="0 0 {self.side} {height}">'
            f'<path fill="#fff" d="M0 0h{self.side}v{height}H0z"/>'
            f'<path shape-rendering="crispEdges" d="{dark}"/>'
            f'<text x="{self.side / 2}" y="{self.side + below / 2}" text-anchor="middle" font-family="sans-serif" '
            f'font-size="{below * 0.7:.1f}">{CAPTION}</text></svg>\n'
        ).encode()

    def image(self, pixels: int) -> Image.Image:
        """Draw the symbol in black and white, `pixels` a module, with the caption under it."""
        side, below = self.side * pixels, self.side * pixels // 5
        image = Image.new("1", (side, side + below), 1)
        draw = ImageDraw.Draw(image)
        for x, y, length in self.runs():
            draw.rectangle((x * pixels, y * pixels, (x + length) * pixels - 1, (y + 1) * pixels - 1), fill=0)
        font = ImageFont.truetype(_FONT, max(6, round(below * 0.7)))
        draw.text((side / 2, side + below * 0.4), CAPTION, fill=0, font=font, anchor="mm")
        return image

    def png(self, module_mm: float) -> bytes:
        """A PNG image of one bit a pixel that says its printed size (600 dpi, modules of a whole number of pixels)."""
        out = io.BytesIO()
        pixels = max(2, round(module_mm / 25.4 * PNG_DPI))
        dpi = pixels * 25.4 / module_mm
        self.image(pixels).save(out, "PNG", dpi=(dpi, dpi), optimize=True)
        return out.getvalue()


def symbol_of(payload: str) -> Symbol:
    """Draw a payload. The symbol is square: many readers refuse the rectangles of ISO/IEC 21471."""
    barcode = zxingcpp.create_barcode(payload, zxingcpp.BarcodeFormat.DataMatrix, force_square=True)
    image: Any = barcode.to_image(add_quiet_zones=False)  # a buffer, which its type does not say
    height, width = image.shape
    modules = memoryview(image).tobytes().translate(_DARK)
    return Symbol(tuple(modules[y * width : (y + 1) * width] for y in range(height)))
