"""The explorer's page in a browser: opened, stepped, hovered, searched, by mouse and by keyboard.
How to call it stands in explorer_page.py.
"""

import math
import sys

from explorer_page import FRAME, Page, graph_of, main, shown

BOX = "#boxes [data-node='{}']"


class ExplorerTest(Page):
    def test_every_page_opens_at_the_start_of_its_sweep(self):
        for name in self.names:
            with self.subTest(name):
                self.open(name)
                self.assertIn("is set to", self.step_line())
                self.assertEqual(self.browser.text("#counter"), "start")
                self.assertGreater(self.boxes(), 0)
                self.assertEqual(self.browser.complaints(), [])

    def test_a_graph_of_two_thousand_nodes_is_one_picture(self):
        self.open("large")
        self.assertEqual(self.boxes(), 2000)
        lines = self.browser.run("return explorer.drawing.view.lines.length")
        self.assertEqual(lines, len(graph_of(self.folder / "large.html")["edges"]))
        self.assertLess(self.elements(), 1000)
        self.browser.click("#fit")
        self.browser.wait(FRAME)
        self.assertLess(self.elements(), 1000)
        painted = "const c = document.querySelector('#far');" \
                  "return !c.hidden && c.getContext('2d')" \
                  ".getImageData(0, 0, c.width, c.height).data.some(x => x > 0)"
        self.assertTrue(self.browser.run(painted))

    def test_adjoints_grow_term_by_term_as_in_the_sweep(self):
        for name in ("scalars", "primer", "large"):
            graph = graph_of(self.folder / f"{name}.html")
            self.open(name)
            order = sorted(graph["nodes"], key=lambda node: node["step"])
            constants = {n["id"] for n in graph["nodes"] if n["kind"] == "constant"}
            into = {}
            for edge in graph["edges"]:
                if edge["from"] not in constants:
                    into.setdefault(edge["to"], []).append(edge)
            records = [node["id"] for node in order if node["id"] in into]
            adjoints = {graph["output"]: 1.0}
            for position, record in enumerate(records[:60], start=1):
                self.browser.press("Right")
                for edge in into[record]:
                    adjoints[edge["from"]] = adjoints.get(edge["from"], 0.0) + edge["term"]
                touched = {edge["from"] for edge in into[record]}
                for node in touched:
                    self.go_to(node)
                    number = self.browser.text(BOX.format(node) + " .number.adjoint")
                    with self.subTest(name, position=position, node=node):
                        self.assertTrue(math.isclose(shown(number), adjoints[node], rel_tol=2e-3,
                                                     abs_tol=1e-12), (number, adjoints[node]))

    def test_an_adjoint_that_waits_for_terms_says_so(self):
        self.open("primer")
        self.browser.run("explorer.drawing.viewport.fit()")
        waited = set()
        for _ in range(self.browser.run("return explorer.sweep.end")):
            self.browser.press("Right")
            waited.update(self.browser.run(
                "return [...document.querySelectorAll('[data-state=growing] .number.adjoint')]"
                ".map(e => e.textContent)"))
        self.assertTrue(waited)
        self.assertTrue(all(text.endswith("…") for text in waited))
        self.assertEqual(self.count("[data-state=growing]"), 0)

    def test_the_last_step_gives_the_gradient(self):
        self.open("scalars")
        self.browser.press("End")
        self.assertIn("The sweep is over", self.step_line())
        for node in graph_of(self.folder / "scalars.html")["nodes"]:
            if node["kind"] != "input":
                continue
            self.go_to(node["id"])
            number = self.browser.text(BOX.format(node["id"]) + " .number.adjoint")
            self.assertTrue(math.isclose(shown(number), node["adjoint"], rel_tol=1e-3))

    def test_a_step_is_said_in_words_to_screen_readers_too(self):
        self.open("scalars")
        self.browser.press("Right", "Right")
        self.assertRegex(self.step_line(), r"has the adjoint 1: adjoint of .+ \+= .+ × .+ = .+\.")
        live = self.browser.run("return document.querySelector('#step-line').ariaLive")
        self.assertEqual(live, "polite")
        spoken = self.browser.run("return document.querySelector('#slider').ariaValueText")
        self.assertIn(self.step_line(), spoken)

    def test_keys_step_play_and_jump(self):
        self.open("primer")
        end = self.browser.run("return explorer.sweep.end")
        for keys, position in ((("Right", "Right", "Right"), 3), (("Left",), 2), (("End",), end),
                               (("Right",), end), (("Home",), 0), (("Left",), 0)):
            self.browser.press(*keys)
            self.assertEqual(self.position(), position, keys)
        self.browser.run("document.querySelector('#pace').value = 30")
        self.browser.press("Space")
        self.browser.wait("while (explorer.sweep.position < 3) "
                          "await new Promise(r => setTimeout(r, 5))")
        self.assertEqual(self.browser.text("#play"), "Pause")
        self.browser.press("Space")
        self.assertEqual(self.browser.text("#play"), "Play")

    def test_buttons_and_slider_step(self):
        self.open("primer")
        self.browser.click("#forth")
        self.browser.click("#forth")
        self.browser.click("#back")
        self.assertEqual(self.position(), 1)
        self.browser.run("const s = document.querySelector('#slider'); s.value = 7;"
                         "s.dispatchEvent(new Event('input'))")
        self.browser.wait(FRAME)
        self.assertEqual(self.position(), 7)
        self.browser.click("#last")
        self.browser.click("#first")
        self.assertEqual(self.position(), 0)

    def test_going_back_shows_what_going_forth_showed(self):
        self.open("primer")
        self.browser.run("explorer.drawing.viewport.fit(); explorer.keepInSight = () => {}")
        self.browser.wait(FRAME)
        picture = "return [...document.querySelectorAll('#boxes .box')]" \
                  ".sort((a, b) => a.dataset.node - b.dataset.node).map(b => [b.textContent, " \
                  "b.dataset.state, b.getAttribute('aria-label'), b.classList.contains('hand')])"
        for stops in ((5, 9, 5), (9, 40, 9), (0, 1000, 0)):
            self.browser.run("explorer.stepTo(arguments[0])", stops[0])
            before = self.browser.run(picture)
            self.browser.run("explorer.stepTo(arguments[0])", stops[1])
            self.browser.run("explorer.stepTo(arguments[0])", stops[2])
            self.assertEqual(self.browser.run(picture), before)

    def test_hovering_shows_the_local_rule_with_numbers(self):
        self.open("scalars")
        node = self.node_named("sin")
        self.assertFalse(self.is_shown("#card"))
        self.browser.run("explorer.drawing.viewport.fit()")
        self.browser.wait(FRAME)
        self.browser.hover(BOX.format(node) + " .outline")
        self.assertTrue(self.is_shown("#card"))
        card = self.browser.text("#card")
        for part in ("sin", "dy/dx = cos(x)", "cos(1.5)", "0.9975", "0.0707"):
            self.assertIn(part, card)
        self.browser.press("Escape")
        self.assertFalse(self.is_shown("#card"))

    def test_operations_on_tensors_tell_what_they_pass_on(self):
        self.open("training")
        node = self.node_named("affine")
        self.browser.run("explorer.goTo(explorer.sweep.nodes.get(arguments[0]))", node)
        for place in ("#card", "#panel"):
            for part in ("x w + b", "x̄ = ȳ wᵀ, w̄ = xᵀ ȳ"):
                self.assertIn(part, self.browser.text(place))
        self.browser.click("#tab-table")
        self.assertIn("x̄ = ȳ wᵀ, w̄ = xᵀ ȳ", self.browser.text("#table-view"))

    def test_variables_have_the_names_of_the_program(self):
        for page, names in (("scalars", ("x", "y")), ("primer", ("w11(1)", "a1(1)", "E")),
                            ("training", ("layer 1 weights", "layer 3 bias"))):
            self.open(page)
            titles = self.browser.run("return explorer.sweep.graph.nodes.map(n => n.title)")
            for name in names:
                self.assertIn(name, titles)

    def test_a_kink_names_the_convention_that_was_taken(self):
        self.open("scalars")
        node = self.node_named("abs")
        self.browser.run("explorer.goTo(explorer.sweep.nodes.get(arguments[0]))", node)
        for place in ("#card", "#panel"):
            self.assertIn("Kink:", self.browser.text(place))

    def test_the_keyboard_walks_through_the_graph(self):
        self.open("primer")
        self.browser.run("explorer.drawing.entry.element.focus()")
        output = str(graph_of(self.folder / "primer.html")["output"])
        self.assertEqual(self.focused_node(), output)
        self.assertTrue(self.is_shown("#card"))
        self.browser.press("Down", "Down")
        self.assertNotEqual(self.focused_node(), output)
        self.browser.press("Enter")
        self.assertIn(f"#{self.focused_node()},", self.browser.text("#panel"))
        self.assertIn("pinned", self.browser.text("#panel .role"))
        self.browser.press("Escape")
        self.assertNotIn("pinned", self.browser.text("#panel .role"))
        labels = self.browser.run("return [...document.querySelectorAll('#boxes .box')]"
                                  ".map(b => b.getAttribute('aria-label'))")
        self.assertTrue(all("value" in label and "adjoint" in label for label in labels))
        self.assertEqual(self.count("#boxes [tabindex='0']"), 1)

    def test_search_finds_names_groups_and_numbers(self):
        self.open("primer")
        graph = graph_of(self.folder / "primer.html")
        for text, right in (("z2(1)", lambda n: n["label"] == "z2(1)"),
                            ("loss", lambda n: n["note"] == "loss"),
                            ("#3", lambda n: n["id"] == 3)):
            self.browser.run("document.querySelector('#search').value = ''")
            self.browser.type("#search", text)
            self.assertTrue(self.is_shown("#found"))
            self.browser.press("Enter")
            found = int(self.focused_node())
            self.assertTrue(right(graph["nodes"][found]), text)
        self.browser.type("#search", "no such thing")
        self.assertIn("0 nodes", self.browser.text("#found-count"))

    def test_search_leads_into_groups(self):
        self.open("groups")
        self.browser.press("/")
        self.browser.press("#", "1", "2", "3", "4", "Enter")
        self.assertEqual(self.focused_node(), "1234")
        self.assertTrue(self.is_shown("#trail"))

    def test_the_table_sorts_all_nodes_and_holds_few_rows(self):
        self.open("large")
        self.browser.click("#tab-table")
        values = [node["value"] for node in graph_of(self.folder / "large.html")["nodes"]]
        self.browser.click("th[data-key=value] button")
        first = "#table-view tbody tr:not(.spacer) td.value"
        self.assertTrue(math.isclose(shown(self.browser.text(first)), min(values), rel_tol=1e-3))
        self.browser.click("th[data-key=value] button")
        self.assertTrue(math.isclose(shown(self.browser.text(first)), max(values), rel_tol=1e-3))
        sorted_by = self.browser.run("return document.querySelector('th[data-key=value]').ariaSort")
        self.assertEqual(sorted_by, "descending")
        self.assertLess(self.count("#table-view tbody tr"), 120)
        self.browser.run("document.querySelector('#table-view').scrollTop = 1e9")
        self.browser.wait(FRAME)
        last = self.browser.run("const r = document.querySelectorAll('#table-view tbody "
                                "tr:not(.spacer)'); return r[r.length - 1].ariaRowIndex")
        self.assertEqual(last, "2001")
        self.browser.click("#table-view tbody tr:nth-last-child(2) .link")
        self.assertTrue(self.is_shown("#picture") or self.is_shown("#graph-view"))

    def test_groups_open_and_close(self):
        self.open("groups")
        self.assertLess(self.boxes(), 60)
        start = self.browser.run("return explorer.drawing.group")
        self.browser.run("document.querySelector('#boxes [data-group]').focus()")
        self.browser.press("Enter")
        inside = self.browser.run("return explorer.drawing.group")
        self.assertNotEqual(inside, start)
        self.assertLessEqual(self.boxes(), 440)
        self.browser.press("Backspace")
        self.assertEqual(self.browser.run("return explorer.drawing.group"), start)

    def test_the_sweep_leads_from_group_to_group(self):
        self.open("groups")
        start = self.browser.run("return explorer.drawing.group")
        self.browser.press("Right")
        self.assertEqual(self.browser.run("return explorer.drawing.group"), start)
        last = self.browser.run("return explorer.drawing.groupOf.get(explorer.sweep.inHand.id)")
        self.browser.run("explorer.open(arguments[0])", last)
        self.browser.run("explorer.stepTo(2000)")
        self.assertNotEqual(self.browser.run("return explorer.drawing.group"), last)
        self.assertEqual(self.count("#boxes .hand"), 1)

    def test_layers_show_a_z_and_delta_as_the_sweep_fills_them(self):
        self.open("training")
        graph = graph_of(self.folder / "training.html")
        self.browser.click("#tab-layers")
        self.assertEqual(self.count("#layers-view table"), 3)
        self.assertEqual(self.browser.text("#layers-view td:last-child"), "·")
        self.browser.press("End")
        first = next(node for node in graph["nodes"] if node["name"] == "affine")
        delta = shown(self.browser.text("#layers-view td:last-child"))
        self.assertTrue(math.isclose(delta, first["adjoint"]["values"][0], rel_tol=1e-3))

    def test_no_page_is_wider_than_a_narrow_screen(self):
        for name in self.names:
            self.open(name, 360, 740)
            self.browser.press("Right", "Right", "Right")
            for view in ("graph", "table", "layers"):
                if not self.is_shown(f"#tab-{view}"):
                    continue
                self.browser.click(f"#tab-{view}")
                with self.subTest(name, view=view):
                    widths = self.browser.run(
                        "return [document.documentElement.scrollWidth, innerWidth]")
                    self.assertEqual(widths, [360, 360])

    def test_names_from_a_program_are_only_text(self):
        self.open("hostile")
        self.browser.press("Right")
        self.browser.run("explorer.goTo(explorer.sweep.nodes.get(0))")
        self.assertFalse(self.browser.run("return 'ran' in window"))
        self.assertIn("<img src=x", self.browser.text("h1"))
        self.assertIn("<img src=x", self.browser.text("#panel"))

    def test_dark_and_light_follow_the_system_until_switched(self):
        background = "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g)" \
                     ".reduce((sum, x) => sum + Number(x), 0) / 3 < 128"
        for scheme, dark in (("dark", True), ("light", False)):
            self.browser.prefer(scheme)
            self.open("scalars")
            self.assertEqual(self.browser.run(background), dark)
            self.browser.click("#theme")
            self.assertEqual(self.browser.run(background), not dark)

    def test_every_ink_can_be_read_on_every_paper(self):
        script = """
          const style = getComputedStyle(document.documentElement);
          const light = (name) => {
            const hex = style.getPropertyValue(name).trim();
            const part = (i) => parseInt(hex.slice(i, i + 2), 16) / 255;
            const linear = (x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
            return 0.2126 * linear(part(1)) + 0.7152 * linear(part(3)) + 0.0722 * linear(part(5));
          };
          const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
          return arguments[0].flatMap(ink => arguments[1].map(paper =>
            [ink, paper, ratio(light(ink), light(paper))]));"""
        for scheme in ("light", "dark"):
            self.browser.prefer(scheme)
            self.open("scalars")
            for ink, paper, ratio in self.browser.run(
                    script, ["--ink", "--soft", "--value", "--adjoint"],
                    ["--paper", "--card", "--raised", "--wash", "--growing"]):
                with self.subTest(scheme, ink=ink, paper=paper):
                    self.assertGreaterEqual(ratio, 4.5)


if __name__ == "__main__":
    sys.exit(0 if main(ExplorerTest) else 1)
