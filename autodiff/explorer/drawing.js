// The picture of a group. Elements exist for what is in sight only, as a browser takes thousands of
// texts badly; from far away, where many boxes are in sight and none can be read, they are painted.

const mostElements = 260;

class Drawing {
  constructor(sweep, layout, choose) {
    this.sweep = sweep;
    this.layout = layout;
    this.choose = choose;  // called as choose(box, how): how is "enter", "focus", "leave", "pick"
    this.groupOf = new Map();
    layout.groups.forEach((group, i) => group.nodes.forEach((id) => this.groupOf.set(id, i)));
    this.far = new FarPicture(byId("far"), this);
    this.viewport = new Viewport(byId("picture"), byId("canvas"), () => this.moved());
    this.open(this.first());
  }

  /** The first group in which there is something to see. */
  first(group = 0) {
    const { boxes } = this.layout.views[group];
    return boxes.length === 1 && boxes[0].group !== undefined ? this.first(boxes[0].group) : group;
  }

  /** Shows a group from inside; 0 is the whole graph. */
  open(group) {
    this.group = group;
    this.view = this.layout.views[group];
    this.boxOfNode = new Map();
    this.boxOfGroup = new Map();
    for (const box of this.view.boxes) this.prepare(box);
    for (const line of this.view.lines) {
      line.points ??= pointsOf(line.path);
      line.bounds ??= boundsOf(line.points);
      line.element = null;
    }
    this.linesInto = groupBy(this.view.lines, (line) => this.view.boxes[line.to]);
    byId("frames").replaceChildren(...this.view.frames.map(frameElement));
    for (const part of ["lines", "boxes", "terms"]) byId(part).replaceChildren();
    this.refresh(this.sweep.order);
    this.entry = this.entrance();
    this.viewport.start(this.view.width, this.view.height, this.entry);
    this.setEntry(this.entry);
    this.show();
  }

  /** The record in hand, or what the sweep meets first in this group. */
  entrance() {
    if (this.hand && !this.hand.outside) return this.hand;
    const inside = this.view.boxes.filter((box) => !box.outside && !(box.node !== undefined &&
      this.isOutside(this.sweep.nodes.get(box.node))));
    const earlier = (a, b) => (this.rank(b) < this.rank(a) ? b : a);
    return inside.reduce(earlier, inside[0]);
  }

  prepare(box) {
    box.element = null;
    if (box.node !== undefined) {
      this.boxOfNode.set(box.node, box);
      return;
    }
    this.boxOfGroup.set(box.group, box);
    box.content = this.layout.groups[box.group];
    box.within ??= this.nodesWithin(box.group);
    box.records ??= box.within.filter((node) => this.sweep.passedAt.has(node.id));
  }

  /** Nodes of a group and of the groups in it. */
  nodesWithin(g) {
    const found = this.layout.groups[g].nodes.map((id) => this.sweep.nodes.get(id));
    this.layout.groups.forEach((group, i) => {
      if (group.parent === g) found.push(...this.nodesWithin(i));
    });
    return found;
  }

  /** The box in which a node can be seen here: its own, or that of a group around it. */
  boxFor(node) {
    const own = this.boxOfNode.get(node.id);
    if (own) return own;
    for (let g = this.groupOf.get(node.id); g >= 0; g = this.layout.groups[g].parent) {
      const box = this.boxOfGroup.get(g);
      if (box) return box;
    }
    return null;
  }

  /** Whether a node is neither in this group nor in one inside it. */
  isOutside(node) {
    let g = this.groupOf.get(node.id);
    while (g >= 0 && g !== this.group) g = this.layout.groups[g].parent;
    return g !== this.group;
  }

  moved() {
    this.show();
    this.onmove?.();
  }

  /** Elements for what is in sight, and no others; paint where that would be too many. */
  show() {
    const area = widened(this.viewport.inSight);
    const inSight = this.view.boxes.filter((box) => overlap(area, box));
    this.isFar = inSight.length > mostElements;
    const wanted = new Set(this.isFar ? [] : inSight);
    if (this.entry) wanted.add(this.entry);
    for (const box of this.view.boxes) {
      if (wanted.has(box)) this.elementOf(box);
      else this.drop(box);
    }
    for (const line of this.view.lines) {
      if (!this.isFar && overlap(area, line.bounds)) this.elementOfLine(line);
      else this.drop(line);
    }
    byId("picture").classList.toggle("far", this.isFar);
    this.far.render();
  }

  drop(part) {
    part.element?.remove();
    part.element = null;
  }

  elementOf(box) {
    if (box.element) return box.element;
    box.element = boxElement(box, this.sweep);
    for (const [event, how] of [["pointerenter", "enter"], ["pointerleave", "leave"],
      ["focus", "focus"], ["blur", "leave"], ["click", "pick"]]) {
      box.element.addEventListener(event, () => this.choose(box, how));
    }
    this.write(box);
    byId("boxes").append(box.element);
    return box.element;
  }

  elementOfLine(line) {
    if (line.element) return;
    line.element = lineElement(line);
    line.element.classList.toggle("flow", this.flowing.includes(line));
    byId("lines").append(line.element);
  }

  /** Everything that a sweep or a choice changes about a box. */
  write(box) {
    if (!box.element) return;
    const { text, spoken } = box.node === undefined ? groupState(box, this.sweep)
      : nodeState(box, this.sweep);
    box.changing.textContent = text;
    box.element.setAttribute("aria-label", spoken);
    box.element.dataset.state = box.state;
    box.element.classList.toggle("hand", box === this.hand);
    box.element.classList.toggle("pinned", box === this.pinned);
    box.element.setAttribute("tabindex", box === this.entry ? "0" : "-1");
  }

  /** Numbers and states of these nodes, and the lines of the record in hand. */
  refresh(nodes) {
    const boxes = new Set(nodes.map((node) => this.boxFor(node)));
    boxes.delete(null);
    for (const box of boxes) box.state = this.stateOf(box);
    const record = this.sweep.inHand;
    const before = this.hand;
    this.hand = record && this.boxFor(record);
    for (const box of [...boxes, before, this.hand]) if (box) this.write(box);
    this.showFlow(record);
    this.far.render();
  }

  stateOf(box) {
    if (box.node !== undefined) return this.sweep.state(this.sweep.nodes.get(box.node));
    const { position } = this.sweep;
    box.passed = box.records.filter((n) => this.sweep.passedAt.get(n.id) <= position).length;
    if (box.passed === 0) return "waiting";
    return box.passed < box.records.length ? "growing" : "complete";
  }

  /** The lines along which the adjoint of the record in hand flows. */
  showFlow(record) {
    for (const line of this.flowing ?? []) line.element?.classList.remove("flow");
    this.flowing = this.hand ? this.flowingLines(record) : [];
    for (const line of this.flowing) line.element?.classList.add("flow");
    const edges = this.flowing.map((line) => [line, this.sweep.graph.edges[line.edge]])
      .filter(([, edge]) => edge && edge.term !== null);
    const readable = edges.length <= 16 ? edges : [];
    byId("terms").replaceChildren(
      ...readable.map(([line, edge]) => termElement(line, edge, this.sweep)));
  }

  flowingLines(record) {
    const into = this.linesInto.get(this.hand) ?? [];
    const sources = new Set(this.sweep.operandsOf(record).filter((edge) => edge.term !== null)
      .map((edge) => this.boxFor(this.sweep.nodes.get(edge.from))));
    return into.filter((line) => sources.has(this.view.boxes[line.from]));
  }

  markPinned(node) {
    const before = this.pinned;
    this.pinned = node && this.boxFor(node);
    for (const box of [before, this.pinned]) if (box) this.write(box);
  }

  /** The box that Tab leads to. */
  setEntry(box) {
    const before = this.entry;
    this.entry = box;
    this.elementOf(box);
    for (const each of [before, box]) if (each) this.write(each);
  }

  /** Brings the box into the middle, larger if it cannot be read. */
  centre(box) { this.viewport.centre(box, box.node === undefined ? 0.5 : 0.75); }

  /** Moves the picture only if the box is outside. */
  reveal(box) { this.viewport.reveal(box); }

  /** The box at a point of the picture; for the painted one, whose boxes are no elements. */
  boxAt({ x, y }) {
    return this.view.boxes.find((box) => overlap(box, { x, y, w: 0, h: 0 })) ?? null;
  }

  /** The next box in the order of the sweep, for the keyboard. */
  neighbour(box, direction) {
    const boxes = [...this.view.boxes].sort((a, b) => this.rank(a) - this.rank(b));
    return boxes[boxes.indexOf(box) + direction] ?? box;
  }

  rank(box) {
    if (box.node !== undefined) return this.sweep.nodes.get(box.node).step;
    return box.within.reduce((least, node) => Math.min(least, node.step), Infinity);
  }
}

const overlap = (a, b) =>
  a.x <= b.x + b.w && b.x <= a.x + a.w && a.y <= b.y + b.h && b.y <= a.y + a.h;

/** With a border, so that a small movement brings nothing new. */
const widened = ({ x, y, w, h }) => ({ x: x - w / 8, y: y - h / 8, w: w * 1.25, h: h * 1.25 });
