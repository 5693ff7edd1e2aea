#!/usr/bin/python3
"""Prints every key that a server works with, in hexadecimal, a line each: name and key.

  psql ... -Atc "SELECT id, scope, purpose, version, encode(wrapped, 'hex') FROM rampart.key" | unwrap_keys.py ROOT_KEY_FILE

As the documented format has it: nothing of Rampart is used.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vectors"))
import decrypt as reference  # noqa: E402

root = bytes.fromhex(pathlib.Path(sys.argv[1]).read_text().strip())
print("root_key", root.hex())
for line in sys.stdin.read().split():
    key_id, scope, purpose, version, wrapped = line.split("|")
    identity = purpose, int(key_id) % 2**64, int(version), scope
    name = f"{scope}_{purpose}_{version}"
    key = reference.unwrap(root, bytes.fromhex(wrapped), *identity)
    print(name, key.hex())
    print(f"{name}_wrapping", reference.wrapping_key(root, *identity).hex())
    if purpose == "data":
        for mode in reference.MODES.values():
            print(f"{name}_{mode}", reference.subkey(key, identity[1], mode).hex())
