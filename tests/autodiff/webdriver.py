"""Chromium without a screen, driven through chromedriver by the WebDriver protocol."""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Tab": "\ue004", "Space": " ", "Home": "\ue011",
        "End": "\ue010", "Left": "\ue012", "Up": "\ue013", "Right": "\ue014", "Down": "\ue015",
        "Backspace": "\ue003"}
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def missing_programs():
    """What has to be installed before a browser can be driven, by the names of Debian packages."""
    packages = {"chromium": "chromium", "chromedriver": "chromium-driver"}
    return [package for program, package in packages.items() if not shutil.which(program)]


class Browser:
    def __init__(self, port):
        self.root = f"http://127.0.0.1:{port}"
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu",
                            "--disable-dev-shm-usage", "--hide-scrollbars",
                            "--force-prefers-reduced-motion"],
                   "binary": shutil.which("chromium")}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options,
                  "goog:loggingPrefs": {"browser": "ALL"}}
        answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.root += f"/session/{answer['sessionId']}"

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.root + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {json.load(error)['value']['message']}") from None

    def open(self, page):
        self.call("POST", "/url", {"url": page.resolve().as_uri()})

    def run(self, script, *arguments):
        """What a function body returns in the page."""
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, script, *arguments):
        """The same for a function body that gives a promise."""
        body = "const done = arguments[arguments.length - 1];" \
               "const given = [...arguments].slice(0, -1);" \
               f"(async (...arguments) => {{ {script} }})(...given).then(done)"
        return self.call("POST", "/execute/async", {"script": body, "args": list(arguments)})

    def find(self, selector):
        return self.call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0]).textContent", selector)

    def click(self, selector):
        self.call("POST", f"/element/{self.find(selector)}/click", {})

    def type(self, selector, text):
        self.call("POST", f"/element/{self.find(selector)}/value", {"text": text})

    def press(self, *names):
        """Keys to whatever has the focus."""
        actions = []
        for name in names:
            key = KEYS.get(name, name)
            actions += [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self.act("key", actions)

    def hover(self, selector):
        move = {"type": "pointerMove", "duration": 0, "x": 0, "y": 0,
                "origin": {ELEMENT: self.find(selector)}}
        self.act("pointer", [move])

    def act(self, kind, actions):
        self.call("POST", "/actions", {"actions": [{"type": kind, "id": kind, "actions": actions}]})

    def resize(self, width, height):
        """The size of the page itself, which headless windows do not let fall below 500."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height,
                      deviceScaleFactor=1, mobile=False)

    def prefer(self, scheme):
        self.devtools("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-color-scheme", "value": scheme},
                                {"name": "prefers-reduced-motion", "value": "reduce"}])

    def devtools(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def complaints(self):
        """Errors and warnings that the console has shown since the last call."""
        entries = self.call("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]

    def screenshot(self, file):
        file.write_bytes(base64.b64decode(self.call("GET", "/screenshot")))

    def close(self):
        self.call("DELETE", "")


@contextlib.contextmanager
def browser():
    """A browser with a profile of its own, gone afterwards."""
    with tempfile.TemporaryDirectory() as home:
        environment = dict(os.environ, HOME=home, TMPDIR=home)
        driver = subprocess.Popen(["chromedriver", "--port=0"], env=environment, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            port = next(line.rsplit("port", 1)[1].strip(" .\n") for line in driver.stdout
                        if "started successfully on port" in line)
            opened = Browser(port)
            try:
                yield opened
            finally:
                opened.close()
        finally:
            driver.terminate()
            driver.wait()
            driver.stdout.close()
