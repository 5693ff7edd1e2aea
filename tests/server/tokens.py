"""Tokens under the server's own signing keys that say what a test wants, made by a stranger's library."""
import atexit

from jose import Jose

_jose = None


def jose():
    """One Node process for all modules."""
    global _jose
    if _jose is None:
        _jose = Jose()
        atexit.register(_jose.close)
    return _jose


def signing_key(database):
    """(kid, algorithm, private key) of the key that signs now."""
    return database.query("SELECT kid, algorithm, private_key::text FROM rampart_auth.signing_key WHERE activated_at IS NOT NULL AND retired_at IS NULL", user="observer")[0]


def forged(database, claims, **header):
    """What the server would take for its own, if it looked at the signature alone."""
    kid, algorithm, pem = signing_key(database)
    return jose().ask("sign", header={"alg": algorithm, "kid": kid, "typ": "at+jwt", **header}, payload=claims, pem=pem)["token"]
