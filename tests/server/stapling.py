"""OCSP stapling: what the authority says of the certificate is sent with it, while it is good, and is read again with the certificate."""
import datetime
import os
import signal
import subprocess
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from transport import Probe


def openssl(directory, *arguments, **kwargs):
    return subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True, text=True, **kwargs).stdout


class Authority:
    """Issues certificates for localhost, and says by OCSP what they are worth."""

    def __init__(self, directory):
        self.directory = os.path.join(directory, "ocsp")
        os.mkdir(self.directory)
        openssl(self.directory, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=Authority",
                "-out", "ca.crt", "-keyout", "ca.key")
        self.file = os.path.join(self.directory, "staple.der")

    def issue(self, name, serial):
        openssl(self.directory, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-out", f"{name}.csr", "-keyout", f"{name}.key")
        openssl(self.directory, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-set_serial", str(serial), "-days", "30", "-out", f"{name}.crt")
        return os.path.join(self.directory, f"{name}.crt"), os.path.join(self.directory, f"{name}.key")

    def answer(self, name, revoked=False, seconds=600):
        """Into the file: what it says of a certificate, for so long."""
        subject, issuer = (x509.load_pem_x509_certificate(self.read(f"{file}.crt")) for file in (name, "ca"))
        now = datetime.datetime.utcnow()
        status = (ocsp.OCSPCertStatus.REVOKED, now) if revoked else (ocsp.OCSPCertStatus.GOOD, None)
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=subject, issuer=issuer, algorithm=hashes.SHA256(), cert_status=status[0], this_update=now - datetime.timedelta(hours=1),
            next_update=now + datetime.timedelta(seconds=seconds), revocation_time=status[1], revocation_reason=None)
        signed = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, issuer).sign(serialization.load_pem_private_key(self.read("ca.key"), None), hashes.SHA256())
        write(self.file, signed.public_bytes(serialization.Encoding.DER))

    def read(self, name):
        with open(os.path.join(self.directory, name), "rb") as f:
            return f.read()

    def stapled(self, probe):
        """What a client that asks for it is sent: the status, None where nothing is."""
        shown = openssl(self.directory, "s_client", "-connect", f"127.0.0.1:{probe.port}", "-CAfile", "ca.crt", "-status", input="")
        if "OCSP response: no response sent" in shown:
            return None
        return next(line.split(": ")[1] for line in shown.splitlines() if "Cert Status" in line), "Verify return code: 0 (ok)" in shown


def check(world, report):
    directory = world.cluster.directory
    authority = Authority(directory)
    files = authority.issue("first", 10)
    authority.issue("other", 11)
    with Probe(directory, files) as probe:
        report.equal(authority.stapled(probe), None, "without a file nothing is stapled")
    authority.answer("first")
    with Probe(directory, files, ocsp_response=authority.file) as probe:
        report.equal(authority.stapled(probe), ("good", True), "what the authority says is sent with the certificate, to who asks")
        first = openssl(authority.directory, "ocsp", "-respin", "staple.der", "-noverify", "-text")
        time.sleep(1.1)  # its times are seconds
        authority.answer("first")
        reload(probe)
        second = openssl(authority.directory, "ocsp", "-respin", "staple.der", "-noverify", "-text")
        produced = next(line.strip() for line in second.splitlines() if "Produced At" in line)
        shown = openssl(authority.directory, "s_client", "-connect", f"127.0.0.1:{probe.port}", "-status", input="")
        report.ok(first != second and produced in shown, "a newer one is sent after SIGHUP", produced)
        for what, act in (("of another certificate", lambda: authority.answer("other")), ("that it is revoked", lambda: authority.answer("first", revoked=True)), ("that is none", lambda: write(authority.file, b"x"))):
            act()
            reload(probe)
            report.equal(authority.stapled(probe), ("good", True), f"an answer {what} is not taken: the one before stays")
    refused = False
    try:
        Probe(directory, files, ocsp_response=authority.file).__exit__()
    except StopIteration:
        refused = True
    report.ok(refused, "nor does the server start with it")
    authority.answer("first", seconds=0)
    time.sleep(1.1)
    with Probe(directory, files, ocsp_response=authority.file) as probe:
        report.equal(authority.stapled(probe), None, "one that has become old is not sent")


def write(file, data):
    with open(file, "wb") as f:
        f.write(data)


def reload(probe):
    probe.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
