#!/usr/bin/python3
"""Decrypts a Rampart ciphertext of format 1, following the documented format and nothing else.

It shares no code with Rampart: it is the proof that what the documentation says is enough to read
the data, and the last resort of somebody who has the keys and no Rampart.

  decrypt.py --key KEY [--aad HEX] CIPHERTEXT
  decrypt.py --root-key KEY --wrapped HEX --scope NAME --version N [--aad HEX] CIPHERTEXT

CIPHERTEXT is armour (rmp1:...) or hexadecimal. KEY is 64 hexadecimal digits, or @FILE to read them
from a file, which keeps them off the command line. The plaintext goes to standard output as it is.
"""

import argparse
import base64
import collections
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding

ARMOUR_PREFIX = "rmp1:"
MODES = {1: "randomised", 2: "deterministic"}
KINDS = ["text", "bytea", "jsonb", "numeric", "int8", "date", "timestamptz", "uuid", "bool"]
PURPOSES = {"data": 1, "index": 2}
HEADER_SIZE, IV_SIZE, TAG_SIZE = 10, 12, 16

Ciphertext = collections.namedtuple("Ciphertext", "mode kind key_id header iv sealed")


def dearmour(text):
    if not text.startswith(ARMOUR_PREFIX):
        return bytes.fromhex(text)
    digits = text[len(ARMOUR_PREFIX):]
    return base64.urlsafe_b64decode(digits + "=" * (-len(digits) % 4))


def parse(data):
    if len(data) < HEADER_SIZE + IV_SIZE + TAG_SIZE:
        raise ValueError("too short for a ciphertext")
    form, mode, kind = data[0] >> 4, data[0] & 15, data[1]
    if form != 1 or mode not in MODES or not 1 <= kind <= len(KINDS):
        raise ValueError("not a ciphertext of format 1")
    return Ciphertext(mode=MODES[mode], kind=KINDS[kind - 1],
                      key_id=int.from_bytes(data[2:HEADER_SIZE], "big"),
                      header=data[:HEADER_SIZE],
                      iv=data[HEADER_SIZE:HEADER_SIZE + IV_SIZE],
                      sealed=data[HEADER_SIZE + IV_SIZE:])


def hkdf(key, info, salt=None, length=32):
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(key)


def subkey(data_key, key_id, mode):
    return hkdf(data_key, b"rampart %s v1" % mode.encode(), salt=key_id.to_bytes(8, "big"))


def wrapping_key(root_key, purpose, key_id, version, scope):
    name = scope.encode()
    return hkdf(root_key, b"rampart wrap v1" + bytes([PURPOSES[purpose]])
                + key_id.to_bytes(8, "big") + version.to_bytes(4, "big")
                + len(name).to_bytes(4, "big") + name)


def unwrap(root_key, wrapped, purpose, key_id, version, scope):
    return aes_key_unwrap_with_padding(
        wrapping_key(root_key, purpose, key_id, version, scope), wrapped)


def decrypt(ciphertext, data_key, aad=b""):
    key = subkey(data_key, ciphertext.key_id, ciphertext.mode)
    return AESGCM(key).decrypt(ciphertext.iv, ciphertext.sealed, ciphertext.header + aad)


def key_argument(text):
    if text.startswith("@"):
        with open(text[1:], encoding="ascii") as file:
            text = file.read()
    key = bytes.fromhex(text.strip())
    if len(key) != 32:
        raise argparse.ArgumentTypeError("a key is 64 hexadecimal digits")
    return key


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--key", type=key_argument, help="the data key")
    parser.add_argument("--root-key", type=key_argument)
    parser.add_argument("--wrapped", type=bytes.fromhex, help="the wrapped data key")
    parser.add_argument("--scope")
    parser.add_argument("--version", type=int)
    parser.add_argument("--aad", type=bytes.fromhex, default=b"")
    parser.add_argument("ciphertext")
    given = parser.parse_args()
    if given.key is None and None in (given.root_key, given.wrapped, given.scope, given.version):
        parser.error("give --key, or all of --root-key, --wrapped, --scope and --version")
    return given


def main():
    given = arguments()
    try:
        ciphertext = parse(dearmour(given.ciphertext))
        key = given.key or unwrap(given.root_key, given.wrapped, "data", ciphertext.key_id,
                                  given.version, given.scope)
        sys.stdout.buffer.write(decrypt(ciphertext, key, given.aad))
    except (InvalidTag, InvalidUnwrap):
        sys.exit("decryption failed: the key, the associated data or the bytes are wrong")
    except ValueError as error:
        sys.exit(f"decryption failed: {error}")


if __name__ == "__main__":
    main()
