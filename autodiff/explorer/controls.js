// Tabs, the theme switch and the keys.

function wireTabs(show) {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  tabs.forEach((tab) => tab.addEventListener("click", () => show(tab.id.replace("tab-", ""))));
  tabs[0].parentElement.addEventListener("keydown", (event) => {
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!move) return;
    const open = tabs.filter((tab) => !tab.hidden);
    const next = open[(open.indexOf(event.target) + move + open.length) % open.length];
    next.focus();
    next.click();
    event.stopPropagation();
  });
}

/** The system's choice until the switch is used. */
function wireTheme(button, changed) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const isDark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const name = () => {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"} colours`);
  };
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    name();
    changed();
  });
  system.addEventListener("change", () => {
    name();
    changed();
  });
  name();
}

const stepKeys = {
  ArrowLeft: (page) => page.by(-1),
  ArrowRight: (page) => page.by(1),
  Home: (page) => page.by(-page.sweep.end),
  End: (page) => page.by(page.sweep.end),
};

const pageKeys = {
  " ": (page) => page.toggle(),
  "/": () => byId("search").focus(),
  "+": (page) => page.drawing.viewport.zoom(1.3),
  "=": (page) => page.drawing.viewport.zoom(1.3),
  "-": (page) => page.drawing.viewport.zoom(1 / 1.3),
  0: (page) => page.drawing.viewport.fit(),
  "?": () => byId("help").showModal(),
  Backspace: (page) => page.leaveGroup(),
  Escape: (page) => {
    page.hideCard();
    page.pin(null);
  },
};

const panKeys = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };

/** Keys while a box of the graph has the focus. */
function boxKey(page, box, event) {
  const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (move) {
    const next = page.drawing.neighbour(box, move);
    page.drawing.reveal(next);
    page.focusBox(next);
  } else if (event.key === "Enter") {
    page.drawing.viewport.travelled = 0;
    page.picked(box);
  }
  return Boolean(move) || event.key === "Enter";
}

function keyPressed(page, event) {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  if (target.matches("input:not([type=range]), select")) return;
  const onBox = page.drawing.view.boxes.find((box) => box.element === target);
  const scrolls = target.closest("#table-view, #layers-view") && !target.closest("button");
  let done = true;
  if (event.shiftKey && panKeys[key]) page.drawing.viewport.pan(...panKeys[key]);
  else if (onBox && boxKey(page, onBox, event)) done = true;
  else if (stepKeys[key] && !(scrolls && (key === "Home" || key === "End"))) stepKeys[key](page);
  else if (pageKeys[key] && !(key === " " && target.matches("button"))) pageKeys[key](page);
  else done = false;
  if (done) event.preventDefault();
}
