#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Open a tapekey envelope with a private key, and nothing else of tapekey.

    open_envelope.py ENVELOPE KEY [--serial SERIAL] [--passphrase-file FILE] [--out FILE | --print]

ENVELOPE is a file with a full envelope (from the cartridge's memory) or a brief one (A-KAD followed by U-KAD), as
bytes or as hex digits. KEY is a private key file or a group KEK file. The data key is shown only with --print (hex),
and with --out written as 32 bytes to a new file with mode 0600. Without either, the program tells only whether it
opens. SERIAL is what cartridge memory attribute 0401h says; if it is not given, the envelope is taken at its word.

This file follows envelope.md, which lies beside it; it needs Python 3.11 and `cryptography` 50 and is meant to be read.
Exit status: 0 opened, 1 file trouble, 2 usage, 3 another key is needed, 4 not to be believed, 5 malformed,
6 carries no key.
"""

import argparse
import base64
import hashlib
import hmac
import os
import re
import struct
import sys
import zlib

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, hpke, keywrap
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, padding, rsa, x25519
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

RSA, X25519, P256, P384, MLKEM768, MLKEM1024, AES_KW = range(1, 8)
GCM = hpke.AEAD.AES_256_GCM
HPKE = {
    X25519: hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, GCM),
    P256: hpke.Suite(hpke.KEM.P256, hpke.KDF.HKDF_SHA256, GCM),
    P384: hpke.Suite(hpke.KEM.P384, hpke.KDF.HKDF_SHA384, GCM),
    MLKEM768: hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, GCM),
    MLKEM1024: hpke.Suite(hpke.KEM.MLKEM1024_P384, hpke.KDF.HKDF_SHA384, GCM),
}
WRAPPED = {X25519: 80, P256: 113, P384: 145, MLKEM768: 1168, MLKEM1024: 1713, AES_KW: 72}


class Failed(Exception):
    """Does not open; `status` is the exit status."""

    status = 1


class NotThisKey(Failed):
    status = 3


class EnvelopeRefused(Failed):
    status = 4


class Malformed(Failed):
    status = 5


class KeyUnavailable(Failed):
    status = 6


# --- private keys -------------------------------------------------------------------------------------------


class Key:
    """A private key: its suite, the fingerprint of its public half, and how it decrypts."""

    def __init__(self, suite, secret):
        self.suite = suite
        if suite == AES_KW:
            require(len(secret) == 32, "a group KEK has exactly 32 bytes")
            self.key = secret
            self.fingerprint = hmac_sha256(secret, b"tapekey/kek/1")
        elif suite in (MLKEM768, MLKEM1024):
            require(len(secret) == 32, "a hybrid private key is a seed of exactly 32 bytes")
            self.key, public = expand(suite, secret)
            self.fingerprint = hashlib.sha256(bytes([suite]) + public).digest()
        else:
            self.key = secret
            spki = secret.public_key().public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)
            self.fingerprint = hashlib.sha256(spki).digest()

    def decrypt(self, wrapped, info):
        try:
            if self.suite == AES_KW:
                return keywrap.aes_key_unwrap(self.key, wrapped)
            if self.suite == RSA:
                oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
                return self.key.decrypt(wrapped, oaep)
            return HPKE[self.suite].decrypt(wrapped, self.key, info=info)
        except (InvalidTag, ValueError, keywrap.InvalidUnwrap):
            raise EnvelopeRefused("it names this key and does not open with it") from None


def expand(suite, seed):
    """Make both halves of a hybrid private key from its seed; give them and the raw public key."""
    if suite == MLKEM768:
        stream = hashlib.shake_256(seed).digest(96)
        lattice = mlkem.MLKEM768PrivateKey.from_seed_bytes(stream[:64])
        curve = x25519.X25519PrivateKey.from_private_bytes(stream[64:])
        public = curve.public_key().public_bytes_raw()
        return hpke.MLKEM768X25519PrivateKey(lattice, curve), lattice.public_key().public_bytes_raw() + public
    stream = hashlib.shake_256(seed).digest(112)
    lattice = mlkem.MLKEM1024PrivateKey.from_seed_bytes(stream[:64])
    curve = ec.derive_private_key(int.from_bytes(stream[64:], "big"), ec.SECP384R1())
    public = curve.public_key().public_bytes(form.Encoding.X962, form.PublicFormat.UncompressedPoint)
    return hpke.MLKEM1024P384PrivateKey(lattice, curve), lattice.public_key().public_bytes_raw() + public


def read_key(text, passphrase):
    """Read a private key file in any of its forms."""
    found = re.search(rb"-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----", text)
    label = found[1] if found else b""
    if not label.startswith(b"TAPEKEY "):
        return read_pkcs8(text, passphrase)
    try:
        body = base64.b64decode(b"".join(found[2].split()), validate=True)
    except ValueError:
        raise Malformed("the private key file is damaged") from None
    if label == b"TAPEKEY SEALED PRIVATE KEY":
        return unseal_key(body, passphrase)
    require(body[:1] == b"\x01", "unknown version of the private key file")
    if label == b"TAPEKEY GROUP KEK":
        return Key(AES_KW, body[1:])
    known = label == b"TAPEKEY HYBRID PRIVATE KEY" and body[1:2] in (b"\x05", b"\x06")
    require(known, "unknown kind of private key file")
    return Key(body[1], body[2:])


def unseal_key(body, passphrase):
    """Open a private key file that a passphrase seals."""
    if passphrase is None:
        raise NotThisKey("the private key file is sealed: give --passphrase-file")
    require(len(body) >= 28 and body[0] == 1, "unknown version of the sealed key file")
    _, suite, memory, iterations, lanes, salt = struct.unpack(">BBIBB16s", body[:24])
    sane = 8 * lanes <= memory <= 1 << 20 and 1 <= iterations <= 16 and 1 <= lanes <= 16
    require(sane, "the sealed key file asks for an unreasonable cost")
    stretched = Argon2id(salt=salt, length=32, iterations=iterations, lanes=lanes, memory_cost=memory).derive(
        passphrase
    )
    try:
        plain = keywrap.aes_key_unwrap_with_padding(stretched, body[24:])
    except keywrap.InvalidUnwrap:
        raise NotThisKey("the passphrase does not open the private key file") from None
    require(plain[:32] == hashlib.sha256(body[:24]).digest(), "the sealed key file was changed")
    if suite in (MLKEM768, MLKEM1024, AES_KW):
        return Key(suite, plain[32:])
    return classical(form.load_der_private_key(plain[32:], None))


def read_pkcs8(text, passphrase):
    try:
        sealed = b"BEGIN ENCRYPTED" in text or b"Proc-Type: 4,ENCRYPTED" in text
        return classical(form.load_pem_private_key(text, passphrase if sealed else None))
    except TypeError:
        raise NotThisKey("the private key file is sealed: give --passphrase-file") from None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Malformed(f"this is not a private key file: {error}") from None


def classical(key):
    match key:
        case rsa.RSAPrivateKey():
            return Key(RSA, key)
        case x25519.X25519PrivateKey():
            return Key(X25519, key)
        case ec.EllipticCurvePrivateKey() if key.curve.name in ("secp256r1", "secp384r1"):
            return Key(P256 if key.curve.name == "secp256r1" else P384, key)
    raise Malformed("this kind of private key opens no envelope")


# --- the full envelope --------------------------------------------------------------------------------------


def open_full(data, key, serial):
    """Open a full envelope; give the key id and the data key."""
    require(68 <= len(data) <= 16384, "an envelope has 68 to 16384 bytes")
    _, version, flags, length, key_id, kcv, manager, sequence = struct.unpack(">4sBBH16s16s16sI", data[:60])
    require(version == 1, f"envelope version {version} is not known here")
    require(length == len(data), f"torn: {len(data)} bytes of {length}")
    require(zlib.crc32(data[:-4]) == int.from_bytes(data[-4:], "big"), "torn: the checksum differs")
    require(flags & ~3 == 0, "unknown flags")
    named, stanzas = read_body(data[60:-4], signed=bool(flags & 2))
    require(bool(flags & 1) != bool(stanzas), "wrapped keys and the flag that there are none contradict each other")
    if serial is not None and serial.encode() != named:
        raise EnvelopeRefused(f"it belongs to cartridge {named.decode()}")
    if flags & 1:
        raise KeyUnavailable(f"it names key {key_id.hex()} only: ask the keystore that made it")

    context = b"tapekey/env/1" + bytes([key.suite]) + key.fingerprint + key_id
    context += bytes([len(named)]) + named + manager + sequence.to_bytes(4, "big") + kcv
    data_key = open_stanzas([w for suite, locator, w in stanzas if (suite, locator) == wanted(key)], key, context)
    if not hmac.compare_digest(hmac_sha256(data_key, b"tapekey/kcv/1" + key_id)[:16], kcv):
        raise EnvelopeRefused("the key that came out is not the one it commits to")
    return key_id, data_key


def wanted(key):
    return key.suite, key.fingerprint[:8]


def read_body(body, signed):
    """Give the medium's serial and the list of (suite, locator, wrapped key)."""
    serial, body = read_text(body)
    require(serial.strip(b" "), "the medium's serial is blank")
    _volser, body = read_text(body)
    require(body, "ends within a field")
    count, body, stanzas = body[0], body[1:], []
    for _ in range(count):
        require(len(body) >= 11, "ends within a field")
        suite, size, locator = struct.unpack(">BH8s", body[:11])
        require(len(body) >= 11 + size, "ends within a field")
        require(size == WRAPPED.get(suite, size), "a wrapped key has the wrong size")
        require(suite != RSA or 256 <= size <= 1024, "a wrapped key has the wrong size")
        stanzas.append((suite, locator, body[11 : 11 + size]))
        body = body[11 + size :]
    require(len(body) == (72 if signed else 0), "bytes are left over or missing at the end")
    return serial, stanzas


def read_text(body):
    require(body and body[0] <= 32 and len(body) > body[0], "a text is too long or cut off")
    text = body[1 : 1 + body[0]]
    require(all(32 <= byte <= 126 for byte in text), "a text is not printable ASCII")
    return text, body[1 + body[0] :]


def open_stanzas(mine, key, context):
    if not mine:
        raise NotThisKey("the envelope was not made for this key")
    failure = None
    for wrapped in mine:
        try:
            plain = key.decrypt(wrapped, context)
        except EnvelopeRefused as refused:
            failure = refused
            continue
        if key.suite in HPKE:
            bound = True
        else:
            bound = hmac.compare_digest(plain[32:], hashlib.sha256(context).digest())
        if not bound or len(plain[:32]) != 32 or (key.suite in HPKE and len(plain) != 32):
            raise EnvelopeRefused("the wrapped key belongs to another envelope")
        return plain[:32]
    raise failure


# --- the brief envelope -------------------------------------------------------------------------------------


def open_brief(kad, key):
    """Open a brief envelope; give the key id (None: it has none) and the data key."""
    suite, locator, key_id, wrapped = read_brief(kad)
    if suite is None:
        raise KeyUnavailable(f"it names key {key_id.hex()} only: ask the keystore that made it")
    if suite != key.suite or not key.fingerprint.startswith(locator):
        raise NotThisKey("the brief envelope was made for another key")
    data_key = key.decrypt(wrapped, b"tapekey/brief/1" + bytes([suite]) + key.fingerprint)
    if len(data_key) != 32:
        raise EnvelopeRefused("there is no data key in it")
    return key_id or hmac_sha256(data_key, b"tapekey/derived-id/1")[:16], data_key


def read_brief(kad):
    for suite, size in ((X25519, 92), (AES_KW, 66), (0, 18)):
        if len(kad) >= size and kad[:2] == bytes([0xE1, suite]) and not any(kad[size:]):
            if suite == X25519:
                return suite, kad[2:12], None, kad[12:92]
            if suite == AES_KW:
                return suite, kad[2:10], kad[10:26], kad[26:66]
            return None, b"", kad[2:18], b""
    require(len(kad) == 44, f"{len(kad)} bytes are no envelope of tapekey")
    return AES_KW, kad[:4], None, kad[4:]


# --- the program --------------------------------------------------------------------------------------------


def require(condition, why):
    if not condition:
        raise Malformed(why)


def hmac_sha256(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def read_file(path):
    with open(path, "rb") as file:
        return file.read()


def read_envelope(path):
    data = read_file(path)
    if re.fullmatch(rb"[0-9a-fA-F\s]+", data):
        return bytes.fromhex(data.decode())
    return data


def write_new(path, data_key):
    """Write the key to a file that must not exist yet and that nobody else may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data_key)
        file.flush()
        os.fsync(file.fileno())


def run(arguments):
    passphrase = None
    if arguments.passphrase_file:
        passphrase = read_file(arguments.passphrase_file).rstrip(b"\r\n")
    key = read_key(read_file(arguments.key), passphrase)
    envelope = read_envelope(arguments.envelope)
    if envelope[:4] == b"TPKE":
        key_id, data_key = open_full(envelope, key, arguments.serial)
    else:
        key_id, data_key = open_brief(envelope, key)
    sys.stderr.write(f"opened: key {key_id.hex()}\n")
    if arguments.out:
        write_new(arguments.out, data_key)
    elif arguments.print:
        sys.stdout.write(data_key.hex() + "\n")


def main():
    parser = argparse.ArgumentParser(description="Open a tapekey envelope with a private key.")
    parser.add_argument("envelope")
    parser.add_argument("key")
    parser.add_argument("--serial")
    parser.add_argument("--passphrase-file")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--out")
    output.add_argument("--print", action="store_true")
    try:
        run(parser.parse_args())
    except Failed as failed:
        sys.stderr.write(f"{type(failed).__name__}: {failed}\n")
        return failed.status
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
