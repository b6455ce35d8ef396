"""Literal bytes as the standards print them: hex digits, with a comment behind each line."""


def octets(image: str) -> bytes:
    """Bytes of a commented hex listing; what follows # on a line is for the reader."""
    return bytes.fromhex(" ".join(line.partition("#")[0] for line in image.splitlines()))
