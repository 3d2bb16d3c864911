// The layers of a network as the textbook writes them: a, z and delta side by side, where delta is
// the adjoint of the preactivation a.

/** [{name, a, z}] in the order of the forward pass. */
function layersOf(sweep) {
  const isComputed = (node) => !["input", "constant"].includes(node.kind);
  const nodes = [...sweep.order].reverse().filter((node) => node.layer && isComputed(node));
  return [...groupBy(nodes, (node) => node.layer)]
    .map(([name, members]) => ({ name, a: members[0], z: members[members.length - 1] }));
}

/** How many units a matrix [samples, units] has; null for anything else. */
const columnsOf = (v) => (v && isTensor(v) && v.shape.length > 1 ? v.shape.at(-1) : null);

/** Element j of a sample: of a matrix [samples, units], a vector [units] or a number. */
function elementAt(v, sample, j) {
  if (v === null || v === undefined) return null;
  if (!isTensor(v)) return v;
  return v.values[sample * (columnsOf(v) ?? 0) + j] ?? null;
}

const samplesOf = (v) => (columnsOf(v) ? v.count / columnsOf(v) : 1);
const unitsOf = (v) => (isTensor(v) ? columnsOf(v) ?? v.count : 1);

class LayerTable {
  constructor(sweep, host, follow) {
    Object.assign(this, { sweep, host, follow, sample: 0, layers: layersOf(sweep) });
    if (this.any) this.samples = Math.max(...this.layers.map(({ a }) => samplesOf(a.value)));
  }

  get any() { return this.layers.length > 0; }

  render() {
    if (this.host.hidden || !this.any) return;
    const focused = this.host.contains(document.activeElement) && document.activeElement.id;
    this.host.replaceChildren(
      html("p", { class: "explanation" }, "a = W z + b, z = h(a), δ = ∂E/∂a: the adjoint of a, ",
        "as far as the sweep has come. It fills from the last layer to the first."),
      this.samples > 1 ? this.sampleChoice() : "",
      html("div", { class: "layers" }, ...this.layers.map((layer) => this.layerElement(layer))));
    if (focused) byId(focused)?.focus();
  }

  sampleChoice() {
    const input = html("input", { id: "sample", type: "number", min: 1, max: this.samples,
      value: this.sample + 1 });
    input.addEventListener("change", () => {
      this.sample = Math.max(0, Math.min(this.samples - 1, Math.round(Number(input.value)) - 1));
      this.render();
    });
    return html("label", { class: "sample" }, "Sample ", input, ` of ${this.samples}`);
  }

  layerElement({ name, a, z }) {
    const delta = this.sweep.adjoint(a);
    const units = Math.min(unitsOf(a.value), 64);
    const rows = [];
    for (let j = 0; j < units && elementAt(a.value, this.sample, j) !== null; ++j) {
      const cell = (v) => html("td", { class: "number" }, textOf(elementAt(v, this.sample, j)));
      rows.push(html("tr", {}, html("th", { scope: "row" }, String(j + 1)),
        cell(a.value), cell(z.value), cell(delta.value)));
    }
    const all = unitsOf(a.value);
    const rest = rows.length === all ? ""
      : html("p", {}, `${rows.length} of ${all} units: the page holds the first numbers only.`);
    const state = this.sweep.state(a);
    const heads = ["unit", "a", "z", "δ"].map((title) => html("th", { scope: "col" }, title));
    return html("div", {}, html("table", { class: `layer ${state}` },
      this.captionOf(name, a, state), html("thead", {}, html("tr", {}, ...heads)),
      html("tbody", {}, ...rows)), rest);
  }

  captionOf(name, a, state) {
    const button = html("button", { type: "button", class: "link" }, name);
    button.addEventListener("click", () => this.follow(a));
    const words = { waiting: "δ not yet known", growing: "δ growing", complete: "δ known" };
    return html("caption", {}, button, html("small", {}, ` ${words[state]}`));
  }
}
