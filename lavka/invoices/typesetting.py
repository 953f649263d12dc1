"""Documents as PDF: the same bytes each time, from the row alone."""

import json
from pathlib import Path

from lavka.invoices.models import Invoice

TEMPLATES = Path(__file__).parent / "templates" / "invoices"


def pdf_of(invoice: Invoice) -> bytes:
    """Print what is stored, by the template of its layout: one that is in use never changes.

    Typst brings a typeface for Latin and Cyrillic, and takes a few milliseconds.
    """
    import typst  # 7 MB, which a process that prints no invoice need not hold

    rendered: bytes = typst.compile(
        str(TEMPLATES / f"invoice_{invoice.layout}.typ"),
        sys_inputs={"sheet": json.dumps(invoice.sheet)},
        ignore_system_fonts=True,
        timestamp=int(invoice.issued_at.timestamp()),
    )
    return rendered
