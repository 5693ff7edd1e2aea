"""An issuer of tokens, honest and otherwise, made with python3-cryptography and nothing of Rampart's."""
import base64
import json
import secrets
import time

from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER = "https://id.example.com"
AUDIENCE = "orders"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def pem(public_key):
    return public_key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def ec_signature(key, message):
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def mac(secret, message):
    signer = hmac.HMAC(secret, hashes.SHA256())
    signer.update(message)
    return signer.finalize()


class Issuer:
    def __init__(self):
        self.ed = ed25519.Ed25519PrivateKey.generate()
        self.ec = ec.generate_private_key(ec.SECP256R1())
        self.rsa = rsa.generate_private_key(65537, 2048)
        self.secret = secrets.token_urlsafe(48)
        self.signers = {"ed": ("EdDSA", self.ed.sign), "ec": ("ES256", lambda m: ec_signature(self.ec, m)),
                        "rsa": ("RS256", lambda m: self.rsa.sign(m, padding.PKCS1v15(), hashes.SHA256())),
                        "hmac": ("HS256", lambda m: mac(self.secret.encode(), m))}

    def published(self):
        """(kid, algorithm, key) of each key, as add_token_key takes them."""
        return [("ed", "EdDSA", pem(self.ed.public_key())), ("ec", "ES256", pem(self.ec.public_key())),
                ("rsa", "RS256", pem(self.rsa.public_key())), ("hmac", "HS256", self.secret)]

    def claims(self, **changes):
        """Those of a token that is good; None leaves a claim out."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "org": "acme", "roles": ["EDITOR"], "teams": ["red"],
                  "scope": "documents:read documents:write", "jti": "t-1", "sid": "s-1", "iat": now, "exp": now + 900, **changes}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, kid="ed", header=None, sign=None, payload=None, **claims):
        algorithm, signer = self.signers[kid]
        head = {"alg": algorithm, "kid": kid, "typ": "at+jwt", **(header or {})}
        head = {name: value for name, value in head.items() if value is not None}
        body = payload if payload is not None else json.dumps(self.claims(**claims)).encode()
        return self.signed(json.dumps(head).encode(), body, sign or signer)

    @staticmethod
    def signed(header, payload, sign):
        message = f"{b64(header)}.{b64(payload)}"
        return f"{message}.{b64(sign(message.encode()))}"
