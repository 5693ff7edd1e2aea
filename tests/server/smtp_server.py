"""A real SMTP server on loopback for the tests of mails: aiosmtpd, with answers that a test chooses."""
import asyncio
import collections
import email
import email.policy
import logging
import ssl
import threading
import time
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from cluster import free_port

logging.getLogger("mail.log").setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", module="aiosmtpd")

USER, PASSWORD = "mailer", "correct horse battery staple"


class SmtpServer:
    """Answers 250 to everything, except where `answers` has others.

    answers["RCPT"] = ["450 4.2.0 later"]: what the next RCPTs are answered, one each; `HANG` answers nothing.
    """

    HANG = "hang"

    def __init__(self, tls=None, implicit=False, authentication=False, port=None):
        self.port = port or free_port()
        self.mails = []  # (recipient, EmailMessage, session) of those taken
        self.commands = collections.Counter()
        self.answers = collections.defaultdict(list)
        self.credentials = []
        self.encrypted = []  # of each MAIL, whether the connection was
        self._hung = threading.Event()
        context, options = None, {"auth_require_tls": False}
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
        if context and not implicit:
            options = {"tls_context": context}
        if authentication:
            options |= {"authenticator": self._authenticate, "auth_required": True}
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(self._loop.create_server(
            lambda: SMTP(self, hostname="mail.test", timeout=60, loop=self._loop, **options), "127.0.0.1", self.port,
            ssl=context if implicit else None))
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def stop(self):
        self._hung.set()
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    async def _answer(self, command, otherwise):
        self.commands[command] += 1
        answer = self.answers[command].pop(0) if self.answers[command] else otherwise
        while answer == self.HANG and not self._hung.is_set():
            await asyncio.sleep(0.02)
        return answer

    def _authenticate(self, server, session, envelope, mechanism, data):
        if isinstance(data, LoginPassword):
            self.credentials.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=self.credentials[-1:] == [(USER, PASSWORD)], handled=True)

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.commands["EHLO"] += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        self.encrypted.append(session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None)
        answer = await self._answer("MAIL", "250 OK")
        if answer.startswith("2"):
            envelope.mail_from = address
        return answer

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = await self._answer("RCPT", "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        answer = await self._answer("DATA", "250 2.0.0 taken")
        if answer.startswith("2"):
            message = email.message_from_bytes(envelope.content, policy=email.policy.default)
            for recipient in envelope.rcpt_tos:
                self.mails.append((recipient, message))
        return answer

    def wait(self, count, seconds=15):
        """Until so many mails have come, or not."""
        deadline = time.monotonic() + seconds
        while len(self.mails) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return len(self.mails) >= count

    def wait_for_command(self, command, count=1, seconds=15):
        deadline = time.monotonic() + seconds
        while self.commands[command] < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.commands[command] >= count
