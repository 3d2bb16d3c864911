// Search as one types: a list of nodes, chosen with the arrow keys and Enter.

const mostFound = 40;

function findNodes(sweep, text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const texts = (n) => [titleOf(n), n.name, n.note, n.layer, n.kind].filter(Boolean);
  const rank = (n) => {
    if (`#${n.id}` === wanted || String(n.id) === wanted) return 0;
    if (texts(n).some((t) => t.toLowerCase() === wanted)) return 1;
    if (texts(n).some((t) => t.toLowerCase().startsWith(wanted))) return 2;
    return texts(n).some((t) => t.toLowerCase().includes(wanted)) ? 3 : 4;
  };
  const ranked = sweep.order.map((node) => [rank(node), node]).filter(([r]) => r < 4);
  return ranked.sort(([a, n], [b, m]) => a - b || n.step - m.step).map(([, node]) => node);
}

class Search {
  constructor(sweep, follow) {
    Object.assign(this, { sweep, follow, active: -1, shown: [] });
    this.input = byId("search");
    this.list = byId("found");
    this.input.addEventListener("input", () => this.update());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.close());
    this.input.addEventListener("focus", () => this.update());
  }

  update() {
    const found = findNodes(this.sweep, this.input.value);
    this.shown = found.slice(0, mostFound);
    this.active = this.shown.length ? 0 : -1;
    const rest = found.length - this.shown.length;
    const last = rest > 0 ? `and ${rest} more` : "";
    const none = this.input.value.trim() && !found.length ? "no node has this" : "";
    this.list.replaceChildren(...this.shown.map((node, i) => this.option(node, i)),
      ...[last, none].filter(Boolean).map((text) =>
        html("li", { class: "rest", role: "presentation" }, text)));
    byId("found-count").textContent = this.input.value.trim() ? `${found.length} nodes found` : "";
    this.open(this.list.childElementCount > 0);
    this.mark();
  }

  option(node, i) {
    const element = html("li", { role: "option", id: `found-${i}` },
      html("b", {}, fullName(node)), html("span", {}, ` ${node.note || node.kind}`));
    // Before blur, which would close the list under the pointer.
    element.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.pick(i);
    });
    return element;
  }

  mark() {
    for (const [i, option] of [...this.list.querySelectorAll("[role=option]")].entries()) {
      option.setAttribute("aria-selected", String(i === this.active));
      if (i === this.active) option.scrollIntoView({ block: "nearest" });
    }
    if (this.active >= 0) this.input.setAttribute("aria-activedescendant", `found-${this.active}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves && this.shown.length) {
      this.active = (this.active + moves[event.key] + this.shown.length) % this.shown.length;
      this.mark();
      event.preventDefault();
    } else if (event.key === "Enter" && this.active >= 0) {
      this.pick(this.active);
      event.preventDefault();
    } else if (event.key === "Escape") {
      this.close();
    }
  }

  pick(i) {
    this.close();
    this.follow(this.shown[i]);
  }

  open(open) {
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
  }

  close() { this.open(false); }
}
