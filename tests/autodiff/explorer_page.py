"""What the tests of the explorer's page have in common: the pages, a browser, ways to ask them.

    python3 explorer_test.py PAGES EXPLORATIONS [SCREENSHOTS]

PAGES is the program of explorer_pages.cpp, EXPLORATIONS that of examples/explorations.cpp. With
SCREENSHOTS, a folder, pictures of every page in light and dark, wide and narrow, are put there.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from webdriver import browser, missing_programs

FRAME = "await new Promise(next => requestAnimationFrame(() => requestAnimationFrame(next)))"
SCREENS = ((1280, 800, "light"), (1280, 800, "dark"), (360, 740, "light"))


def graph_of(page):
    text = page.read_text(encoding="utf-8")
    return json.loads(text.split('id="graph-data">')[1].split("</script>")[0])


def shown(number):
    """A number as the page writes it, read back."""
    return float(number.replace("\u2212", "-").replace("…", "").strip())


class Page(unittest.TestCase):
    browser = None
    folder = None
    names = ("scalars", "primer", "training", "pendulum", "large", "groups", "hostile")

    def open(self, name, width=1280, height=800):
        self.browser.resize(width, height)
        self.browser.open(self.folder / f"{name}.html")
        self.browser.wait(FRAME)

    def tearDown(self):
        self.assertEqual(self.browser.complaints(), [])

    def position(self):
        return self.browser.run("return explorer.sweep.position")

    def step_line(self):
        return self.browser.text("#step-line")

    def is_shown(self, selector):
        return self.browser.run("return document.querySelector(arguments[0]).offsetParent !== null "
                                "&& !document.querySelector(arguments[0]).hidden", selector)

    def boxes(self):
        """How many boxes the picture has; elements exist for those in sight alone."""
        return self.browser.run("return explorer.drawing.view.boxes.length")

    def count(self, selector):
        return self.browser.run("return document.querySelectorAll(arguments[0]).length", selector)

    def elements(self):
        return self.count("#boxes .box, .line")

    def go_to(self, node):
        """Brings a node into sight, so that its box is an element."""
        self.browser.run("explorer.drawing.setEntry(explorer.drawing.boxFor("
                         "explorer.sweep.nodes.get(arguments[0])))", node)

    def node_named(self, name):
        return self.browser.run(
            "return explorer.sweep.graph.nodes.find(n => n.name === arguments[0]).id", name)

    def focused_node(self):
        return self.browser.run("return document.activeElement.dataset.node")


def take_screenshots(opened, folder):
    for name in Page.names:
        for width, height, scheme in SCREENS:
            opened.resize(width, height)
            opened.prefer(scheme)
            opened.open(Page.folder / f"{name}.html")
            opened.press("Right", "Right", "Right")
            opened.wait(FRAME)
            opened.screenshot(folder / f"{name}-{width}-{scheme}.png")


def main(tests):
    """Runs a class of tests on fresh pages; whether all went well."""
    pages, explorations, *screenshots = sys.argv[1:]
    missing = missing_programs() + ([] if shutil.which("dot") else ["graphviz"])
    if missing:
        print(f"skipped: not installed: {', '.join(missing)} (apt-get install {' '.join(missing)})")
        return True
    with tempfile.TemporaryDirectory() as folder, browser() as opened:
        subprocess.run([pathlib.Path(pages).resolve(), folder], check=True)
        for name in ("scalars", "primer", "training", "pendulum"):
            subprocess.run([pathlib.Path(explorations).resolve(), name], cwd=folder, check=True)
        Page.browser, Page.folder = opened, pathlib.Path(folder)
        if screenshots:
            take_screenshots(opened, pathlib.Path(screenshots[0]))
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(tests)
        return unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful()
