#!/usr/bin/python3
"""A mail catcher for development: an SMTP server on loopback that keeps what it is given and delivers nothing.

    catcher.py serve DIRECTORY PORT   each mail becomes a file DIRECTORY/*.eml
    catcher.py show DIRECTORY [N]     prints the newest mail, or the N newest, decoded
"""
import asyncio
import email
import email.policy
import os
import pathlib
import sys
import time

MAX_LINE = 4096
MAX_MAIL = 1024 * 1024


class Session:
    """One connection: the commands of RFC 5321 that a client cannot do without."""

    def __init__(self, directory, reader, writer):
        self.directory, self.reader, self.writer = directory, reader, writer
        self.recipients = []

    async def serve(self):
        try:
            await self.reply("220 mail catcher")
            while await self.command((await self.line()).strip()):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass
        finally:
            self.writer.close()

    async def line(self):
        return await self.reader.readuntil(b"\n")

    async def reply(self, text):
        self.writer.write(text.encode() + b"\r\n")
        await self.writer.drain()

    async def command(self, line):
        verb = line.split(b" ")[0].split(b":")[0].upper()
        if verb in (b"EHLO", b"HELO", b"RSET", b"MAIL", b"NOOP"):
            self.recipients = []
            await self.reply("250 OK")
        elif verb == b"RCPT":
            self.recipients.append(line)
            await self.reply("250 OK")
        elif verb == b"DATA" and self.recipients:
            await self.reply("354 go ahead")
            await self.reply("250 caught" if self.keep(await self.data()) else "552 too large")
        elif verb == b"DATA":
            await self.reply("503 to whom?")
        elif verb == b"QUIT":
            await self.reply("221 bye")
            return False
        else:
            await self.reply("502 not here")
        return True

    async def data(self):
        """The message, without the dots that SMTP adds; what is beyond MAX_MAIL is read and dropped."""
        lines, size = [], 0
        while (line := await self.line()) != b".\r\n":
            size += len(line)
            if size <= MAX_MAIL:
                lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines) if size <= MAX_MAIL else None

    def keep(self, message):
        if message is None:
            return False
        path = self.directory / f"{time.time_ns()}.eml"
        with os.fdopen(os.open(path.with_suffix(".part"), os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as f:
            f.write(message)
        os.rename(path.with_suffix(".part"), path)
        return True


async def serve(directory, port):
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    server = await asyncio.start_server(lambda reader, writer: Session(directory, reader, writer).serve(),
                                        "127.0.0.1", port, limit=MAX_LINE)
    async with server:
        await server.serve_forever()


def show(directory, count):
    files = sorted(directory.glob("*.eml"))[-count:]
    if not files:
        sys.exit("No mail.")
    for file in files:
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        for name in ("Date", "From", "To", "Subject"):
            print(f"{name}: {message[name]}")
        print(f"\n{message.get_content()}")


def main(arguments):
    if len(arguments) == 3 and arguments[0] == "serve":
        asyncio.run(serve(pathlib.Path(arguments[1]), int(arguments[2])))
    elif len(arguments) in (2, 3) and arguments[0] == "show":
        show(pathlib.Path(arguments[1]), int(arguments[2]) if len(arguments) == 3 else 1)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        pass
