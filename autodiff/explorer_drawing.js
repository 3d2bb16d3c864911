// The picture: boxes for nodes and groups where the layout puts them, and lines between them.

const rowHeight = 17;

class Drawing {
  constructor(sweep, layout, choose) {
    this.sweep = sweep;
    this.layout = layout;
    this.choose = choose;  // called as choose(box, how): how is "enter", "focus", "leave", "pick"
    this.groupOf = new Map();
    layout.groups.forEach((group, i) => group.nodes.forEach((id) => this.groupOf.set(id, i)));
    this.viewport = new Viewport(byId("picture"), byId("canvas"));
    this.open(0);
  }

  /** Shows a group from inside; 0 is the whole graph. */
  open(group) {
    this.group = group;
    this.view = this.layout.views[group];
    this.boxOfNode = new Map();
    this.boxOfGroup = new Map();
    this.view.boxes.forEach((box) => {
      if (box.node !== undefined) this.boxOfNode.set(box.node, box);
      else this.boxOfGroup.set(box.group, box);
    });
    byId("frames").replaceChildren(...this.view.frames.map(frameElement));
    byId("boxes").replaceChildren(...this.view.boxes.map((box) => this.boxElement(box)));
    byId("lines").replaceChildren(...this.view.lines.map(lineElement));
    byId("terms").replaceChildren();
    this.linesInto = groupBy(this.view.lines, (line) => line.to);
    this.setEntry(this.boxFor(this.sweep.inHand ?? this.sweep.output) ?? this.view.boxes[0]);
    this.viewport.start(this.view.width, this.view.height, this.entry);
    this.refresh(this.sweep.order);
  }

  /** The box in which a node can be seen here: its own, or that of a group around it. */
  boxFor(node) {
    const own = this.boxOfNode.get(node.id);
    if (own) return own;
    for (let g = this.groupOf.get(node.id); g !== undefined && g >= 0;) {
      const box = this.boxOfGroup.get(g);
      if (box) return box;
      g = this.layout.groups[g].parent;
    }
    return null;
  }

  boxElement(box) {
    const element = svg("g", { class: "box", tabindex: -1, role: "button",
      "data-node": box.node ?? null, "data-group": box.group ?? null,
      transform: `translate(${box.x} ${box.y})` });
    box.element = element;
    if (box.node === undefined) this.drawGroup(box);
    else this.drawNode(box, this.sweep.nodes.get(box.node));
    for (const [event, how] of [["pointerenter", "enter"], ["pointerleave", "leave"],
      ["focus", "focus"], ["blur", "leave"], ["click", "pick"]]) {
      element.addEventListener(event, () => this.choose(box, how));
    }
    return element;
  }

  drawNode(box, node) {
    const letters = Math.floor((box.w - 18) / 7.4);
    const shape = isTensor(node.value) ? shapeText(node.value) : "";
    box.valueText = textRow(box, 2, "value");
    box.adjointText = textRow(box, 3, "adjoint");
    box.element.classList.add(kindClass(node), ...(node === this.sweep.output ? ["output"] : []));
    box.element.append(
      ...outline(box, node === this.sweep.output),
      svg("text", { class: "title", x: 11, y: rowHeight },
        clipped(titleOf(node), letters - (shape ? shape.length + 1 : 0))),
      svg("text", { class: "shape", x: box.w - 9, y: rowHeight }, shape),
      ...box.valueText.all, ...box.adjointText.all);
    box.valueText.number.textContent = inBox(node.value, box);
  }

  drawGroup(box) {
    const group = this.layout.groups[box.group];
    box.adjointText = textRow(box, 3, "passed");
    box.total = this.nodesWithin(box.group);
    box.element.classList.add("group", ...(box.outside ? ["outside"] : []));
    box.element.append(...outline(box, false),
      svg("text", { class: "title", x: 11, y: rowHeight },
        `${box.outside ? "↗ " : "⊞ "}${clipped(nameOfGroup(group), Math.floor((box.w - 34) / 7.4))}`),
      svg("text", { class: "key", x: 11, y: 2 * rowHeight + 1 }, `${box.total.length} nodes`),
      ...box.adjointText.all);
  }

  /** Nodes of a group and of the groups in it. */
  nodesWithin(g) {
    const found = this.layout.groups[g].nodes.map((id) => this.sweep.nodes.get(id));
    this.layout.groups.forEach((group, i) => {
      if (group.parent === g && i !== g) found.push(...this.nodesWithin(i));
    });
    return found;
  }

  /** Numbers and states of these nodes, and the lines of the record in hand. */
  refresh(nodes) {
    const boxes = new Set();
    for (const node of nodes) {
      const box = this.boxFor(node);
      if (box) boxes.add(box);
    }
    for (const box of boxes) box.node === undefined ? this.refreshGroup(box) : this.refreshNode(box);
    this.showHand();
  }

  refreshNode(box) {
    const node = this.sweep.nodes.get(box.node);
    const { value, missing } = this.sweep.adjoint(node);
    const waits = value !== null && missing > 0;
    box.adjointText.number.textContent = inBox(value, box) + (waits ? " …" : "");
    box.element.dataset.state = this.sweep.state(node);
    box.element.setAttribute("aria-label", this.spoken(node, value, waits));
  }

  spoken(node, value, waits) {
    const adjoint = value === null ? "no adjoint yet"
      : `adjoint ${described(value)}${waits ? ", waiting for more" : ""}`;
    const hand = node === this.sweep.inHand ? ", in hand" : "";
    return `${fullName(node)}, ${node.kind}${hand}: value ${described(node.value)}, ${adjoint}`;
  }

  refreshGroup(box) {
    const records = box.total.filter((node) => this.sweep.passedAt.has(node.id));
    const passed = records.filter((n) => this.sweep.passedAt.get(n.id) <= this.sweep.position);
    const text = `${passed.length} of ${records.length}`;
    box.adjointText.number.textContent = text;
    box.element.dataset.state = passed.length === 0 ? "waiting"
      : passed.length < records.length ? "growing" : "complete";
    const name = nameOfGroup(this.layout.groups[box.group]);
    box.element.setAttribute("aria-label",
      `group ${name}, ${box.total.length} nodes, ${text} records passed; Enter opens it`);
  }

  /** Marks the record in hand, and the lines along which its adjoint flows. */
  showHand() {
    for (const old of document.querySelectorAll("#boxes .hand, #lines .flow")) {
      old.classList.remove("hand", "flow");
    }
    byId("terms").replaceChildren();
    const record = this.sweep.inHand;
    const box = record && this.boxFor(record);
    if (!box) return;
    box.element.classList.add("hand");
    const flowing = this.flowingLines(record, box);
    for (const line of flowing) line.element.classList.add("flow");
    if (flowing.length <= 16) byId("terms").append(...flowing.map((l) => this.termLabel(l)));
  }

  flowingLines(record, box) {
    const into = this.linesInto.get(this.view.boxes.indexOf(box)) ?? [];
    if (box.node !== undefined && into.every((line) => line.edge >= 0)) return into;
    const sources = new Set(this.sweep.operandsOf(record)
      .map((edge) => this.boxFor(this.sweep.nodes.get(edge.from))));
    return into.filter((line) => sources.has(this.view.boxes[line.from]));
  }

  termLabel(line) {
    const edge = this.sweep.graph.edges[line.edge];
    if (!edge || edge.term === null) return "";
    // The other factor is the adjoint of the record, which stands in its box.
    const text = edge.partial === null || isTensor(edge.term) ? `+ ${textOf(edge.term, 1)}`
      : `× ${short(edge.partial, 3)}`;
    const path = line.element.lastChild;
    const { x, y } = path.getPointAtLength(path.getTotalLength() / 2);
    const width = 6.6 * text.length + 10;
    return svg("g", { transform: `translate(${x} ${y})` },
      svg("rect", { x: -width / 2, y: -9, width, height: 18, rx: 9 }),
      svg("text", { "text-anchor": "middle", y: 4 }, text));
  }

  markPinned(node) {
    for (const old of document.querySelectorAll("#boxes .pinned")) old.classList.remove("pinned");
    if (node) this.boxFor(node)?.element.classList.add("pinned");
  }

  /** The box that Tab leads to. */
  setEntry(box) {
    this.entry?.element.setAttribute("tabindex", "-1");
    this.entry = box;
    box?.element.setAttribute("tabindex", "0");
  }

  /** Brings the box into the middle, larger if it cannot be read. */
  centre(box) { this.viewport.centre(box, box.node === undefined ? 0.5 : 0.75); }

  /** Moves the picture only if the box is outside. */
  reveal(box) { this.viewport.reveal(box); }

  /** The next box in the order of the sweep, for the keyboard. */
  neighbour(box, direction) {
    const boxes = [...this.view.boxes].sort((a, b) => this.rank(a) - this.rank(b));
    return boxes[boxes.indexOf(box) + direction] ?? box;
  }

  rank(box) {
    if (box.node !== undefined) return this.sweep.nodes.get(box.node).step;
    return Math.min(...box.total.map((node) => node.step));
  }
}

/** The whole graph is a box only where it stands for what lies outside a group. */
const nameOfGroup = (group) => group.name || "elsewhere";
const kindClass = (node) => `kind-${String(node.kind).replace(/\W+/g, "-")}`;

/** A number, or as many first elements as there is room for. */
function inBox(v, box) {
  if (v === null) return "·";
  if (!isTensor(v)) return short(v);
  const letters = Math.floor((box.w - 66) / 7.2);
  const texts = [3, 2, 1].map((count) => firstValues(v, count));
  return texts.find((text) => text.length <= letters) ?? clipped(texts[2], letters);
}

function outline(box, double) {
  const rect = (inset, radius, name) => svg("rect", { class: name, x: inset, y: inset,
    width: box.w - 2 * inset, height: box.h - 2 * inset, rx: radius });
  return [rect(-9, 12, "halo"), rect(0, 8, "outline"), double ? rect(3, 6, "inner") : "",
    svg("path", { class: "bar", d: `M4 10V${box.h - 10}` }),
    svg("path", { class: "mark", d: `M${box.w / 2 - 7} -20h14l-7 10z` })];
}

function textRow(box, row, key) {
  const y = row * rowHeight + 1;
  const number = svg("text", { class: `number ${key}`, x: box.w - 9, y });
  return { number, all: [svg("text", { class: "key", x: 11, y }, key), number] };
}

function lineElement(line) {
  line.element = svg("g", { class: "line" },
    svg("path", { class: "away", d: line.path }), svg("path", { class: "visible", d: line.path }));
  return line.element;
}

function frameElement(frame) {
  return svg("g", { class: "frame" },
    svg("rect", { x: frame.x, y: frame.y, width: frame.w, height: frame.h, rx: 10 }),
    svg("text", { x: frame.x + 10, y: frame.y + 15 }, frame.note));
}
