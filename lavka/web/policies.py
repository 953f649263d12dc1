"""What a browser may do with the shop's pages and with answers of its API."""

# Nothing is loaded from, sent to or framed by anybody else; pictures may lie in a bucket.
PAGE_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Alpine, in which the admin's theme is written, compiles the attributes of its pages. No script of
# a page itself runs: all of them come as files.
ADMIN_POLICY = f"script-src 'self' 'unsafe-eval'; {PAGE_POLICY}"
# What is no page loads nothing and stands in no frame, whoever opens it.
DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PERMISSIONS = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
