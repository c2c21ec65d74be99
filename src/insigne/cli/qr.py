"""QR codes: in the terminal, and as PNG and SVG files."""

import struct
import zlib
from collections.abc import Iterator
from typing import Any, Final

import zxingcpp

#: Pixels a module, in files.
SCALE: Final = 8

_BLOCKS: Final = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


class QrCode:
    """The QR code of a text, with the quiet zone around it and a quarter of it redundant (level Q)."""

    def __init__(self, text: str) -> None:
        self._code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="Q")

    def rows(self) -> list[list[bool]]:
        """The modules, row by row; True is dark."""
        image: Any = self._code.to_image()  # a buffer, which its type does not say
        pixels = memoryview(image)
        height, width = image.shape
        return [[pixels[row, column] == 0 for column in range(width)] for row in range(height)]

    def lines(self) -> Iterator[str]:
        """Lines of half blocks, two rows of modules in each, to be shown dark on light."""
        rows = self.rows()
        if len(rows) % 2:
            rows.append([False] * len(rows[0]))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True):
            yield "".join(_BLOCKS[pair] for pair in zip(upper, lower, strict=True))

    def svg(self) -> bytes:
        """An SVG document, one unit a module, on white."""
        rows = self.rows()
        dark = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, module in enumerate(row) if module)
        size = f"{len(rows[0])} {len(rows)}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" shape-rendering="crispEdges">'
            f'<path fill="#fff" d="M0 0h{len(rows[0])}v{len(rows)}H0z"/><path d="{dark}"/></svg>\n'
        ).encode()

    def png(self) -> bytes:
        """A PNG image, one bit a pixel."""
        rows = self.rows()
        scanlines = b"".join(
            b"\0" + _packed([module for module in row for _ in range(SCALE)]) for row in rows for _ in range(SCALE)
        )
        header = struct.pack(">IIBBBBB", len(rows[0]) * SCALE, len(rows) * SCALE, 1, 0, 0, 0, 0)
        chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(scanlines, 9)), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _packed(modules: list[bool]) -> bytes:
    """A row of pixels, 8 in a byte: 1 is white."""
    bits = "".join("0" if dark else "1" for dark in modules)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
