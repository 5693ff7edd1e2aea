"""Debian's Chromium, without a screen, with authenticators that it makes up (CDP domain WebAuthn)."""
import http.server
import os
import shutil
import threading

from cluster import WORK

HERE = os.path.dirname(os.path.realpath(__file__))


def missing():
    """Why there is no browser; None: there is one."""
    lacking = [program for program in ("chromium", "chromedriver") if not shutil.which(program)]
    try:
        import selenium  # noqa: F401
    except ImportError:
        lacking.append("python3-selenium")
    return f"not installed: {', '.join(lacking)}" if lacking else None


class Site:
    """Serves one page, at an origin of its own: http://localhost:PORT. Its content is read again for each browser that comes."""

    def __init__(self, read):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = read().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Browser:
    def __init__(self):
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        # Containers have no sandbox to give and little shared memory; all pages are the tests' own.
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", f"--user-data-dir={os.path.join(WORK, f'chromium-{os.getpid()}')}"):
            options.add_argument(argument)
        self.driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
        self.driver.set_script_timeout(20)
        self.cdp("enable", enableUI=False)

    def cdp(self, command, **parameters):
        return self.driver.execute_cdp_cmd(f"WebAuthn.{command}", parameters)

    def open(self, url):
        self.driver.get(url)

    def run(self, function, *arguments):
        """What the page's function comes to, {"error": name} where it fails."""
        return self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            f"({function})(...Array.prototype.slice.call(arguments, 0, -1)).then(done, (error) => done({{ error: error.name, message: error.message }}));", *arguments)

    def authenticator(self, **more):
        """A new one, in place of any other: in the machine, keeps passkeys, knows its user."""
        self.cdp("disable")
        self.cdp("enable", enableUI=False)
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True,
                   "automaticPresenceSimulation": True, **more}
        return Authenticator(self, self.cdp("addVirtualAuthenticator", options=options)["authenticatorId"])

    def close(self):
        self.driver.quit()
        shutil.rmtree(os.path.join(WORK, f"chromium-{os.getpid()}"), ignore_errors=True)


class Authenticator:
    def __init__(self, browser, name):
        self.browser, self.name = browser, name

    def credentials(self):
        return self.browser.cdp("getCredentials", authenticatorId=self.name)["credentials"]

    def forget(self):
        self.browser.cdp("clearCredentials", authenticatorId=self.name)

    def verifies(self, whether):
        self.browser.cdp("setUserVerified", authenticatorId=self.name, isUserVerified=whether)
