"""A real nginx on loopback, with the configuration that a guide shows."""
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from guides import examples

PROGRAM = shutil.which("nginx") or "/usr/sbin/nginx"

MODULES = "/usr/lib/nginx/modules"

# Everything that nginx would keep in directories of the system.
FRAME = """\
{modules}daemon off;
worker_processes 1;
error_log {directory}/error.log info;
pid {directory}/pid;
events {{ worker_connections 1024; }}
http {{
    access_log {directory}/access.log;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
{blocks}}}
"""


class Nginx:
    """Runs a guide's blocks, with each text of `replaced` (what a reader would adapt) replaced; each must stand in the guide.

    `rules`: a guide that has ModSecurity's rules, and how nginx is told of them.
    """

    def __init__(self, guide, replaced, rules=None):
        blocks = examples(guide, "nginx") + (examples(rules, "nginx") if rules else "")
        for old, new in replaced.items():
            if old not in blocks:
                raise RuntimeError(f"{guide} does not have {old!r}")
            blocks = blocks.replace(old, new)
        self.directory = tempfile.mkdtemp(prefix="rmp-nginx-", dir="/tmp")
        if rules:  # and what that guide says of this one
            blocks = blocks.replace("        internal;\n", "        internal;\n        modsecurity off;\n")
            blocks = blocks.replace("/etc/nginx/rampart-waf.conf", os.path.join(self.directory, "rampart-waf.conf"))
            with open(os.path.join(self.directory, "rampart-waf.conf"), "w") as f:
                f.write(examples(rules, "apache").replace("/tmp", self.directory))
        self.configuration = os.path.join(self.directory, "nginx.conf")
        with open(self.configuration, "w") as f:
            f.write(FRAME.format(directory=self.directory, blocks=blocks,
                                 modules=f"load_module {MODULES}/ngx_http_modsecurity_module.so;\n" if rules else ""))
        self.process = subprocess.Popen([PROGRAM, "-p", self.directory, "-c", self.configuration], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)

    def wait(self, url, context, seconds=10):
        """Until nginx answers, with whatever status."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                urllib.request.urlopen(url, context=context, timeout=2).close()
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"nginx does not start: {self.process.stderr.read()[-2000:]}") from None
                time.sleep(0.05)

    def log(self):
        with open(os.path.join(self.directory, "error.log"), errors="replace") as f:
            return f.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=10)
        self.process.stderr.close()
        shutil.rmtree(self.directory, ignore_errors=True)
