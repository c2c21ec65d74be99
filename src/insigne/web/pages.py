"""Pages from templates: self-contained, never kept, framed, indexed or followed, with a policy that lets nothing in."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow",
}


class Pages:
    """The pages of a folder that holds `templates/` and `style.css`; `values` are known to all of them."""

    def __init__(self, folder: Path, **values: object) -> None:
        style = (folder / "style.css").read_text(encoding="utf-8")
        self._environment = Environment(
            loader=FileSystemLoader(folder / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {"style": style, **values}
        # The style is in the page, let in by its digest: a style sheet apart would need an address open to all.
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
        policy = f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'"
        self._headers = {**_HEADERS, "content-security-policy": f"{policy}; frame-ancestors 'none'"}

    def page(
        self, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
    ) -> HTMLResponse:
        """A page made of a template and its values."""
        text = self._environment.get_template(template).render(values)
        return HTMLResponse(text, status, {**self._headers, **(headers or {})})
