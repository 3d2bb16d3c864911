// What the tape recorded, and where its sweep stands. A position counts the records passed: 0 is
// the start, where only the output has an adjoint; the last one is the end.

class Sweep {
  constructor(graph) {
    this.graph = graph;
    this.nodes = new Map(graph.nodes.map((node) => [node.id, node]));
    this.operands = groupBy(graph.edges, (edge) => edge.to);
    this.results = groupBy(graph.edges, (edge) => edge.from);
    // Nothing flows to a constant.
    for (const edge of graph.edges) {
      if (this.nodes.get(edge.from).kind === "constant") edge.term = null;
    }
    for (const edges of this.operands.values()) edges.sort((a, b) => a.slot - b.slot);
    for (const node of graph.nodes) {
      node.title = titleFrom(node, this.operandsOf(node).map((e) => this.nodes.get(e.from)));
    }
    // In the order of the sweep; inputs and constants have no operands to pass anything to.
    this.order = [...graph.nodes].sort((a, b) => a.step - b.step);
    this.records = this.order.filter((node) => this.operandsOf(node).length > 0);
    this.passedAt = new Map(this.records.map((node, i) => [node.id, i + 1]));
    for (const edges of this.results.values()) {
      edges.sort((a, b) => this.arrival(a) - this.arrival(b) || a.slot - b.slot);
    }
    this.output = this.nodes.get(graph.output);
    this.seed = this.seedOf(this.output);
    this.end = this.records.length + 1;
    this.position = 0;
  }

  operandsOf(node) { return this.operands.get(node.id) ?? []; }
  resultsOf(node) { return this.results.get(node.id) ?? []; }

  /** The position from which on the term of an edge is part of the adjoint of its operand. */
  arrival(edge) { return this.passedAt.get(edge.to) ?? Infinity; }

  /** The record in hand, or null at the start and at the end. */
  get inHand() { return this.records[this.position - 1] ?? null; }

  /** What backward() sets the adjoint of the output to: what no edge accounts for. */
  seedOf(output) {
    const back = this.resultsOf(output);
    if (back.length === 0) return output.adjoint;
    if (isTensor(output.adjoint)) return output.adjoint;
    return numberOf(output.adjoint) - back.reduce((total, e) => total + numberOf(e.term), 0);
  }

  /** {value, missing}: the adjoint as far as the sweep has come, and how many terms it awaits. */
  adjoint(node, position = this.position) {
    if (node.kind === "constant") return { value: null, missing: 0 };
    const terms = this.resultsOf(node);
    const arrived = terms.filter((edge) => this.arrival(edge) <= position);
    const missing = terms.length - arrived.length;
    const start = node === this.output ? this.seed : null;
    if (missing === 0) return { value: this.finished(node, position), missing };
    return { value: arrived.reduce((total, edge) => this.plus(total, edge, node), start), missing };
  }

  plus(total, edge, operand) {
    if (edge.term === null) return total;
    const isElement = isTensor(operand.value) && !isTensor(edge.term);
    return isElement ? sumAt(total, operand.value, edge.slot, edge.term) : sum(total, edge.term);
  }

  /** Whether a term is one product of two numbers, partial * adjoint. */
  isProduct(edge) {
    const { adjoint } = this.nodes.get(edge.to);
    return edge.partial !== null && edge.term !== null && ![edge.term, adjoint].some(isTensor);
  }

  /** The number the tape has, not our sum of it; none for what the sweep never reaches. */
  finished(node, position) {
    const known = node === this.output || this.resultsOf(node).length > 0 || position === this.end;
    return known ? node.adjoint : null;
  }

  /** "waiting", "growing" or "complete". */
  state(node) {
    const { value, missing } = this.adjoint(node);
    if (value === null) return "waiting";
    return missing > 0 ? "growing" : "complete";
  }

  /** Moves, and names the nodes whose adjoint or role differs afterwards. */
  moveTo(position) {
    const target = Math.max(0, Math.min(this.end, position));
    const [low, high] = [Math.min(this.position, target), Math.max(this.position, target)];
    const touched = new Set();
    for (let i = Math.max(low, 1); i <= Math.min(high, this.records.length); ++i) {
      const record = this.records[i - 1];
      touched.add(record);
      for (const edge of this.operandsOf(record)) touched.add(this.nodes.get(edge.from));
    }
    if (high === this.end) for (const node of this.order) touched.add(node);
    this.position = target;
    return touched;
  }
}

function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) {
    const name = key(item);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(item);
  }
  return groups;
}

const hasLetters = (text) => /[\p{L}\p{N}]/u.test(text ?? "");

/** Inputs, constants and what a program gave a name of its own. */
const isNamed = (node) =>
  hasLetters(node.label) && (["input", "constant"].includes(node.kind) || node.label !== node.name);

const signs = new Map([["*", "×"], ["-", "\u2212"]]);

/** "w × x1" or "tanh(a1)" where the operands have short names, else the name of the function. */
function titleFrom(node, operands) {
  if (node.kind === "constant" && isTensor(node.value)) return "constant";
  if (isNamed(node)) return node.label;
  const names = operands.map((operand) => (isNamed(operand) ? operand.label : ""));
  const short = names.length > 0 && names.every((name) => name.length > 0 && name.length <= 8);
  if (short && !hasLetters(node.label) && names.length === 2) {
    return `${names[0]} ${signs.get(node.label) ?? node.label} ${names[1]}`;
  }
  const name = node.name || node.label || node.kind;
  return short && names.length === 1 ? `${name}(${names[0]})` : name;
}

/** What a node is called; set when the sweep reads the graph. */
const titleOf = (node) => node.title;

/** The same, unmistakable. */
const fullName = (node) => `${titleOf(node)} (#${node.id})`;
