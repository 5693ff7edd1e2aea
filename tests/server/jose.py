"""npm's jose, a stranger's implementation of tokens."""
import hashlib
import os

from npm import Program


class Jose(Program):
    def __init__(self):
        super().__init__("tokens.mjs")

    def example(self, text, token):
        """What the program of an example, which exports claimsOf(), reads in a token."""
        file = os.path.join(self.directory, f"example-{hashlib.sha256(text.encode()).hexdigest()[:8]}.mjs")
        with open(file, "w") as f:
            f.write(text)
        return self.ask("example", file=file, token=token)
