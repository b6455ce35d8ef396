"""The text form of what has no standard one: base64 between BEGIN and END lines, RFC 7468 strict form."""

import binascii
import re

from tapekey.errors import Malformed

_FORM = re.compile(rb"\s*-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----\s*")
_LINE = 48  # bytes: 64 characters of base64


def dump(label: str, body: bytes | memoryview) -> bytes:
    """Armour a body under a label."""
    lines = [binascii.b2a_base64(body[at : at + _LINE]) for at in range(0, len(body), _LINE)]
    return b"-----BEGIN %s-----\n%s-----END %s-----\n" % (label.encode(), b"".join(lines), label.encode())


def label_of(text: bytes) -> str:
    """Tell the label of the first BEGIN line; empty if there is none."""
    found = re.search(rb"-----BEGIN ([A-Z0-9 ]+)-----", text)
    return found[1].decode() if found else ""


def load(label: str, text: bytes) -> bytearray:
    """Take the body out. The caller wipes it if it is secret."""
    found = _FORM.fullmatch(text)
    if not found or found[1] != label.encode():
        raise Malformed(f"this is not a {label} file", mend="give the whole file, from BEGIN to END")
    try:
        return bytearray(binascii.a2b_base64(re.sub(rb"[\r\n]", b"", found[2]), strict_mode=True))
    except binascii.Error as error:
        raise Malformed(f"the {label} file is damaged", why=str(error).lower()) from error
