"""Makers of authenticators that vouch for them, and makers that are trusted."""
import datetime
import hashlib
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from passkeys import Authenticator, b64, cbor
from program import rampartd
from world import Server

MODEL = bytes(range(16))
MODEL_EXTENSION = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")


class Certificate:
    """Signed by another, or by itself."""

    def __init__(self, name, by=None, ca=False, model=None, days=30):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests"),
                               x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Authenticator Attestation"), x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer, now = by or self, datetime.datetime.now(datetime.timezone.utc)
        builder = (x509.CertificateBuilder().subject_name(self.name).issuer_name(signer.name).public_key(self.key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=60)).not_valid_after(now + datetime.timedelta(days=days))
                   .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True))
        if model:
            builder = builder.add_extension(x509.UnrecognizedExtension(MODEL_EXTENSION, b"\x04\x10" + model), critical=False)
        self.certificate = builder.sign(signer.key, hashes.SHA256())

    def der(self):
        return self.certificate.public_bytes(Encoding.DER)

    def pem(self):
        return self.certificate.public_bytes(Encoding.PEM)


def packed(authenticator, data, client, key, chain):
    signature = key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
    return {"fmt": "packed", "attStmt": {"alg": -7, "sig": signature, **({"x5c": [c.der() for c in chain]} if chain else {})}, "authData": data}


def fido_u2f(authenticator, data, client, key, chain):
    public = authenticator.public_key()
    message = b"\0" + data[:32] + hashlib.sha256(client).digest() + authenticator.id + b"\4" + public[-2] + public[-3]
    return {"fmt": "fido-u2f", "attStmt": {"sig": key.sign(message, ec.ECDSA(hashes.SHA256())), "x5c": [c.der() for c in chain]}, "authData": data}


def check(world, report):
    maker, other = Certificate("maker", ca=True), Certificate("other maker", ca=True)
    plant = Certificate("plant", by=maker, ca=True)
    roots = os.path.join(world.cluster.directory, "makers.pem")
    with open(roots, "wb") as f:
        f.write(other.pem() + maker.pem())
    strangers = Certificate("stranger", ca=True)
    server = Server(world, world.server.database, {"mfa": {"attestation": "verified", "attestation_roots": roots}}).start()

    def registered(chain, key=None, write=packed, model=MODEL, server=server):
        """201, or the code, of an authenticator that shows this chain, signed by its first key or another."""
        person, authenticator = world.person(server), Authenticator(server)
        options = person.post("/auth/mfa/webauthn/register", {}).body
        assert options["attestation"] == "direct", options
        client = authenticator.client_data("webauthn.create", options["challenge"])
        data = authenticator.data(authenticator.attested(model))
        shown = cbor(write(authenticator, data, client, key or (chain[0].key if chain else authenticator.key), chain))
        answer = person.post("/auth/mfa/webauthn/register/finish", {"name": "key", "client_data": b64(client), "attestation_object": b64(shown)})
        return answer.code or answer.status

    model = Certificate("model", by=plant, model=MODEL)
    refused = "webauthn_attestation"
    report.equal(registered([model, plant]), 201, "attestation: a model's certificate, by one between, of a maker that is trusted")
    report.equal(registered([Certificate("model", by=other)]), 201, "attestation: or straight from the maker, for any of its models")
    report.equal(registered([Certificate("old", by=maker)], write=fido_u2f, model=bytes(16)), 201, "attestation: so for keys of before FIDO2")
    report.equal(registered([model]), refused, "attestation: refused where one between is missing")
    report.equal(registered([Certificate("model", by=strangers), strangers]), refused, "attestation: or the maker is nobody's trust, although it comes along")
    report.equal(registered([Certificate("old", by=strangers)], write=fido_u2f, model=bytes(16)), refused, "attestation: also for keys of before FIDO2")
    report.equal(registered([Certificate("model", by=plant, model=bytes(16)), plant]), refused, "attestation: or the certificate is another model's")
    report.equal(registered([Certificate("model", by=maker, days=-1)]), refused, "attestation: or has expired")
    report.equal(registered([plant]), refused, "attestation: or is an authority's")
    report.equal(registered([model, plant], key=strangers.key), refused, "attestation: or has not signed this")
    report.equal(registered([]), refused, "attestation: or the authenticator speaks for itself")
    report.equal(registered([], write=lambda a, data, *_: {"fmt": "none", "attStmt": {}, "authData": data}), refused, "attestation: or says nothing")
    server.stop()
    anybody = Server(world, world.server.database, {"mfa": {"attestation": "verified"}}).start()
    report.equal([registered(chain, server=anybody) for chain in ([Certificate("model", by=strangers)], [])], [201, 201], "attestation: without a list, whoever signs is believed")
    report.equal(registered([model, plant], key=strangers.key, server=anybody), refused, "attestation: but has to have signed")
    anybody.stop()
    configuration(world, report, roots)


def configuration(world, report, roots):
    missing = os.path.join(world.cluster.directory, "missing.pem")
    for settings, expected in (({"attestation": "verified", "attestation_roots": roots}, None),
                               ({"attestation_roots": roots}, "mfa.attestation is not verified"),
                               ({"attestation": "verified", "attestation_roots": missing}, "has no certificates")):
        got = rampartd("-c", Server(world, world.server.database, {"mfa": settings}).file, "check")
        report.ok(expected in got.stdout if expected else got.returncode == 0, f"attestation: check says: {expected or 'good'}", got.stdout)
