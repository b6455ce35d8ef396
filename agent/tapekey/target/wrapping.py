"""The drive's own key pair, for keys that come wrapped (key format 02h, page 0031h): RSA-2048, OAEP with SHA-256.

The OAEP label is the label field of the page, as the one known client has it (reference 3.5).
"""

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tapekey.errors import Malformed
from tapekey.scsi.wrapped_key import PublicKey, WrappedKey, decode_wrapped_key
from tapekey.secret import Secret

BITS = 2048
EXPONENT = 65537


def generate() -> bytes:
    """Make a key pair; PEM, for the drive's own directory."""
    private = rsa.generate_private_key(public_exponent=EXPONENT, key_size=BITS)
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load(pem: bytes) -> rsa.RSAPrivateKey:
    """Read the key pair back, as it was made here: to check its primes costs 40 ms, a second for 24 drives."""
    private = serialization.load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(private, rsa.RSAPrivateKey):
        raise Malformed("the drive's wrapping key is no RSA key")
    return private


def public(private: rsa.RSAPrivateKey) -> PublicKey:
    """The public half, as page 0031h carries it."""
    numbers = private.public_key().public_numbers()
    return PublicKey(numbers.n, numbers.e)


def unwrap(private: rsa.RSAPrivateKey, field: Secret) -> Secret | None:
    """Open the key field of format 02h; None if it is not wrapped for this drive."""
    with field.reveal() as view:
        try:
            wrapped: WrappedKey = decode_wrapped_key(bytes(view))
            oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), wrapped.label or None)
            return Secret(private.decrypt(wrapped.wrapped, oaep))
        except (Malformed, ValueError):
            return None
