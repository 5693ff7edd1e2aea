#!/usr/bin/python3
"""Holds the golden files of tests/vectors against an implementation that shares no code with Rampart.

The unit tests hold the same files against Rampart, so the two agree on every byte. Prints TAP.
"""

import hashlib
import hmac
import pathlib
import subprocess
import sys

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "vectors"
sys.path.insert(0, str(VECTORS))
sys.dont_write_bytecode = True

try:
    import audit
    import decrypt as reference
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_wrap_with_padding
except ModuleNotFoundError as missing:
    print(f"1..0 # SKIP {missing}")
    sys.exit(0)

import independent_audit

passed = failed = 0


def check(condition, name):
    global passed, failed
    passed, failed = passed + bool(condition), failed + (not condition)
    print(f"{'ok' if condition else 'not ok'} {passed + failed} - {name}")


def raises(expected, function):
    try:
        function()
    except expected:
        return True
    return False


def records(name):
    """The records of a golden file; each begins with its Count."""
    result = []
    for line in (VECTORS / name).read_text(encoding="utf-8").splitlines():
        if "=" not in line or line.startswith("#"):
            continue
        field, _, value = (part.strip() for part in line.partition("="))
        if field == "Count":
            result.append({})
        result[-1][field] = value
    return result


def hexadecimal(record, *fields):
    return [bytes.fromhex(record[field]) for field in fields]


def mac(index_key, info, scope, rest):
    key = reference.hkdf(index_key, info)
    name = scope.encode()
    return hmac.new(key, len(name).to_bytes(4, "big") + name + rest, hashlib.sha256).digest()


def deterministic_iv(index_key, scope, kind, aad, plaintext):
    rest = bytes([reference.KINDS.index(kind) + 1]) + len(aad).to_bytes(8, "big") + aad + plaintext
    return mac(index_key, b"rampart deterministic iv v1", scope, rest)[:reference.IV_SIZE]


def blind_index(index_key, scope, context, text):
    rest = len(context).to_bytes(8, "big") + context + text
    return mac(index_key, b"rampart blind index v1", scope, rest)


def seal(key, key_id, mode, kind, iv, aad, plaintext):
    number = {name: value for value, name in reference.MODES.items()}[mode]
    header = bytes([1 << 4 | number, reference.KINDS.index(kind) + 1]) + key_id.to_bytes(8, "big")
    sealer = AESGCM(reference.subkey(key, key_id, mode))
    return header + iv + sealer.encrypt(iv, plaintext, header + aad)


def run_program(*arguments):
    return subprocess.run([sys.executable, VECTORS / "decrypt.py", *arguments],
                          capture_output=True, check=False)


def test_ciphertexts():
    for record in records("ciphertexts.txt"):
        name = f"ciphertext {record['Count']} ({record['Mode']} {record['Kind']})"
        key, iv, aad, plaintext, data = hexadecimal(record, "Key", "IV", "AAD", "Plaintext",
                                                    "Ciphertext")
        parsed = reference.parse(data)
        check(reference.dearmour(record["Armour"]) == data, f"{name}: armour")
        check((parsed.mode, parsed.kind, f"{parsed.key_id:016x}", parsed.iv)
              == (record["Mode"], record["Kind"], record["KeyId"], iv), f"{name}: header")
        check(reference.decrypt(parsed, key, aad) == plaintext, f"{name}: decrypts")
        check(raises(InvalidTag, lambda: reference.decrypt(parsed, key, aad + b"x")),
              f"{name}: another aad is refused")
        check(seal(key, parsed.key_id, parsed.mode, parsed.kind, iv, aad, plaintext) == data,
              f"{name}: seals to the same bytes")


def test_wrapped_keys():
    for record in records("wrapped_keys.txt"):
        name = f"wrapped key {record['Count']}"
        root, key, wrapped = hexadecimal(record, "RootKey", "Key", "Wrapped")
        identity = (record["Purpose"], int(record["KeyId"], 16), int(record["Version"]),
                    record["Scope"])
        wrapping_key = reference.wrapping_key(root, *identity)
        check(reference.unwrap(root, wrapped, *identity) == key, f"{name}: unwraps")
        check(aes_key_wrap_with_padding(wrapping_key, key) == wrapped, f"{name}: wraps")
        check(reference.hkdf(root, b"rampart root key fingerprint v1", length=8).hex()
              == record["Fingerprint"], f"{name}: fingerprint")
        check(raises(InvalidUnwrap,
                     lambda: reference.unwrap(root, wrapped, *identity[:3], "other")),
              f"{name}: another scope is refused")


def test_index_key():
    for record in records("deterministic_ivs.txt"):
        key, aad, plaintext = hexadecimal(record, "IndexKey", "AAD", "Plaintext")
        iv = deterministic_iv(key, record["Scope"], record["Kind"], aad, plaintext)
        check(iv.hex() == record["IV"], f"deterministic iv {record['Count']}")
    for record in records("blind_indexes.txt"):
        key, context, text = hexadecimal(record, "IndexKey", "Context", "Text")
        token = blind_index(key, record["Scope"], context, text)
        check(token.hex() == record["BlindIndex"], f"blind index {record['Count']}")


def test_modifiers():
    modes = {name: value for value, name in reference.MODES.items()}
    for record in records("modifiers.txt"):
        tag = hashlib.sha256(record["Scope"].encode()).digest()[:3]
        check(tag.hex() == record["Tag"], f"modifier {record['Count']}: tag")
        check(int.from_bytes(tag, "big") << 2 | modes[record["Mode"]] == int(record["Packed"]),
              f"modifier {record['Count']}: packing")


def test_program():
    wrapped = records("wrapped_keys.txt")[0]
    record = next(r for r in records("ciphertexts.txt") if r["Key"] == wrapped["Key"])
    plaintext = bytes.fromhex(record["Plaintext"])
    by_key = run_program("--key", record["Key"], "--aad", record["AAD"], record["Armour"])
    check(by_key.stdout == plaintext, "program: data key and armour")
    by_root = run_program("--root-key", wrapped["RootKey"], "--wrapped", wrapped["Wrapped"],
                          "--scope", wrapped["Scope"], "--version", wrapped["Version"],
                          "--aad", record["AAD"], record["Ciphertext"])
    check(by_root.stdout == plaintext, "program: root key, wrapped key and hexadecimal")
    wrong = run_program("--key", "00" * 32, "--aad", record["AAD"], record["Armour"])
    check(wrong.returncode == 1 and not wrong.stdout, "program: a wrong key is refused")


def test_audit_log():
    formats = (VECTORS.parent.parent / "docs" / "formats.md").read_text(encoding="utf-8")
    independent_audit.run(audit, formats, records, check)


if __name__ == "__main__":
    for test in (test_ciphertexts, test_wrapped_keys, test_index_key, test_modifiers,
                 test_program, test_audit_log):
        test()
    print(f"1..{passed + failed}")
    print(f"# {passed} passed, {failed} failed")
    sys.exit(failed != 0)
