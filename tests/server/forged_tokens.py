"""Access tokens that are not what they seem, made with python3-cryptography from the server's own key and from strangers'."""
import base64
import hashlib
import hmac
import json
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def parts(token):
    """(header, claims) of a token."""
    return tuple(json.loads(decode(part)) for part in token.split(".")[:2])


def es256(key):
    def sign(message):
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return sign


def rs256(key):
    return lambda message: key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def hs256(secret):
    return lambda message: hmac.new(secret, message, hashlib.sha256).digest()


def signed(header, claims, sign):
    message = ".".join(encode(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in (header, claims))
    return f"{message}.{encode(sign(message.encode()))}"


class Forger:
    """Knows a good token and, unlike any attacker, the key it was signed with: what it changes is the one thing that is wrong."""

    def __init__(self, token, private_pem, public_pem):
        self.token, self.public_pem = token, public_pem
        self.header, self.claims = parts(token)
        self.key = serialization.load_pem_private_key(private_pem.encode(), None)
        self.sign = es256(self.key)

    def remade(self, header=None, **claims):
        """Signed as the server signs, with changes; None leaves a claim out."""
        changed = {**self.claims, **claims}
        return signed({**self.header, **(header or {})}, {name: value for name, value in changed.items() if value is not None}, self.sign)

    def genuine(self):
        """Shows that the forger can: what is refused of the others is what they change."""
        return self.remade()

    def forgeries(self):
        """(what is wrong, token)"""
        now, foreign = int(time.time()), ec.generate_private_key(ec.SECP256R1())
        foreign_rsa = rsa.generate_private_key(65537, 2048)
        without_kid = {name: value for name, value in self.header.items() if name != "kid"}
        head, body, signature = self.token.split(".")
        raw = decode(signature)
        none = f"{encode(json.dumps({**self.header, 'alg': 'none'}).encode())}.{body}."
        yield "expired", self.remade(iat=now - 2000, exp=now - 1000)
        yield "not valid yet", self.remade(nbf=now + 1000)
        yield "without an expiry", self.remade(exp=None)
        yield "of another issuer", self.remade(iss="https://id.example.com")
        yield "for another audience", self.remade(aud="elsewhere")
        yield "without an audience", self.remade(aud=None)
        yield "without a session", self.remade(sid=None)
        yield "alg none", none
        yield "alg none, with the signature", none + signature
        yield "alg NONE", signed({**self.header, "alg": "NONE"}, self.claims, lambda _: b"")
        yield "alg HS256 with the public key as its secret", signed({**self.header, "alg": "HS256"}, self.claims, hs256(self.public_pem.encode()))
        yield "alg RS256 with this key's id", signed({**self.header, "alg": "RS256"}, self.claims, rs256(foreign_rsa))
        yield "alg ES384", self.remade({"alg": "ES384"})
        yield "alg null", self.remade({"alg": None})
        yield "unknown kid", self.remade({"kid": "unknown"})
        yield "kid of a path", self.remade({"kid": "../../../dev/null"})
        yield "kid that is a number", self.remade({"kid": 7})
        yield "signed by a stranger", signed(self.header, self.claims, es256(foreign))
        yield "signed by a stranger's key that it brings", signed(
            {**without_kid, "jwk": jwk(foreign)}, self.claims, es256(foreign))
        yield "critical header", self.remade({"crit": ["x"], "x": 1})
        yield "cut signature", f"{head}.{body}.{encode(raw[:-1])}"
        yield "empty signature", f"{head}.{body}."
        yield "zero signature", f"{head}.{body}.{encode(bytes(64))}"
        yield "signature in DER", f"{head}.{body}.{encode(self.key.sign(f'{head}.{body}'.encode(), ec.ECDSA(hashes.SHA256())))}"
        yield "changed claims", f"{head}.{encode(json.dumps({**self.claims, 'roles': ['SUPER_ADMIN']}).encode())}.{signature}"
        yield "four parts", f"{self.token}.x"
        yield "two parts", f"{head}.{body}"
        yield "claims that are a list", signed(self.header, b"[]", self.sign)
        yield "claims that are no JSON", signed(self.header, b"{", self.sign)
        yield "claims that say twice who", signed(self.header, json.dumps(self.claims)[:-1].encode() + b', "sub": "x"}', self.sign)
        yield "an empty token", ""
        yield "no token at all", "Bearer"
        yield "4,000 letters", "x" * 4000


def jwk(key):
    numbers = key.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": encode(numbers.x.to_bytes(32, "big")), "y": encode(numbers.y.to_bytes(32, "big"))}
