// All nodes as a table, of which only the rows in sight are elements.

const tableRow = 34;
const spareRows = 12;

/** What a node passes on, in a line. */
const ruleOf = (node) => withMinus(node.pullback || node.slope || "");

class NodeTable {
  constructor(sweep, host, follow) {
    Object.assign(this, { sweep, host, follow, key: "step", direction: 1 });
    this.columns = [
      ["step", "Step", (n) => n.step, (n) => n.step],
      ["id", "Node", (n) => n.id, (n) => `#${n.id}`],
      ["name", "Name", (n) => titleOf(n), (n) => this.linkTo(n)],
      ["kind", "Kind", (n) => n.kind, (n) => n.kind],
      ["note", "Group", (n) => n.note ?? "", (n) => n.note ?? ""],
      ["value", "Value", (n) => rankOf(n.value), (n) => described(n.value)],
      ["adjoint", "Adjoint", (n) => rankOf(n.adjoint), (n) => this.adjointText(n)],
      ["rule", "Local rule", (n) => ruleOf(n), (n) => clipped(ruleOf(n), 60)],
    ];
    this.body = html("tbody");
    this.head = html("tr", {}, ...this.columns.map((column) => this.headCell(column)));
    const caption = html("caption", {},
      "Every node, with its adjoint as far as the sweep has come");
    host.replaceChildren(html("table", { class: "nodes", "aria-rowcount": sweep.order.length + 1 },
      caption, html("thead", {}, this.head), this.body));
    host.addEventListener("scroll", () => this.fillSight());
    this.sort("step");
  }

  headCell([key, title]) {
    const button = html("button", { type: "button" }, title);
    button.addEventListener("click", () => this.sort(key));
    return html("th", { scope: "col", "data-key": key }, button);
  }

  linkTo(node) {
    const button = html("button", { type: "button", class: "link" }, clipped(titleOf(node), 40));
    button.addEventListener("click", () => this.follow(node));
    return button;
  }

  adjointText(node) {
    const { value, missing } = this.sweep.adjoint(node);
    if (value === null) return "·";
    return described(value) + (missing > 0 ? " …" : "");
  }

  /** By this column; a second time, the other way round. */
  sort(key) {
    this.direction = key === this.key && this.rows ? -this.direction : 1;
    this.key = key;
    const rank = this.columns.find(([name]) => name === key)[2];
    const keyed = this.sweep.order.map((node) => [rank(node), node]);
    const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
    keyed.sort(([a, n], [b, m]) => this.direction * compare(a, b) || n.step - m.step);
    this.rows = keyed.map(([, node]) => node);
    for (const cell of this.head.children) {
      const sorted = cell.dataset.key === key;
      if (!sorted) cell.removeAttribute("aria-sort");
      else cell.setAttribute("aria-sort", this.direction > 0 ? "ascending" : "descending");
    }
    this.render();
  }

  /** All anew, after a sort or a step. */
  render() {
    this.made = new Map();
    this.fillSight();
  }

  /** Rows that stay in sight stay the same elements, and keep the focus. */
  fillSight() {
    if (this.host.hidden) return;
    const first = Math.max(0, Math.floor(this.host.scrollTop / tableRow) - spareRows);
    const inSight = Math.ceil(this.host.clientHeight / tableRow) + 2 * spareRows;
    const last = Math.min(this.rows.length, first + inSight);
    const focused = document.activeElement;
    const rows = this.rows.slice(first, last).map((node, i) =>
      this.made.get(node) ?? this.rowElement(node, first + i));
    this.made = new Map(rows.map((row, i) => [this.rows[first + i], row]));
    this.body.replaceChildren(this.spacer(first), ...rows, this.spacer(this.rows.length - last));
    if (focused !== document.activeElement && this.body.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
  }

  spacer(rows) {
    return html("tr", { "aria-hidden": "true", class: "spacer" },
      html("td", { colspan: this.columns.length, style: `height:${rows * tableRow}px` }));
  }

  rowElement(node, index) {
    const hand = node === this.sweep.inHand;
    return html("tr", { "aria-rowindex": index + 2, class: hand ? "hand" : null,
      "aria-current": hand ? "step" : null }, ...this.columns.map(([key, , , show]) =>
      html("td", { class: ["step", "value", "adjoint"].includes(key) ? `number ${key}` : key },
        show(node))));
  }
}
