// The elements of the picture: boxes of nodes and groups, the lines between them, frames, terms.

const rowHeight = 17;
const letterWidth = 7.4;

const kindClass = (node) => `kind-${String(node.kind).replace(/\W+/g, "-")}`;

/** The whole graph is a box only where it stands for what lies outside a group. */
const nameOfGroup = (group) => group.name || "elsewhere";

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

/** The element of a box, without what changes in a sweep; box.changing is the text for that. */
function boxElement(box, sweep) {
  const element = svg("g", { class: "box", tabindex: -1, role: "button",
    "data-node": box.node ?? null, "data-group": box.group ?? null,
    transform: `translate(${box.x} ${box.y})` });
  if (box.node === undefined) element.append(...groupParts(box, element));
  else element.append(...nodeParts(box, element, sweep));
  return element;
}

function nodeParts(box, element, sweep) {
  const node = sweep.nodes.get(box.node);
  const isOutput = node === sweep.output;
  const shape = isTensor(node.value) ? shapeText(node.value) : "";
  const letters = Math.floor((box.w - 18) / letterWidth) - (shape ? shape.length + 1 : 0);
  const value = textRow(box, 2, "value");
  const adjoint = textRow(box, 3, "adjoint");
  value.number.textContent = inBox(node.value, box);
  box.changing = adjoint.number;
  element.classList.add(kindClass(node), ...(isOutput ? ["output"] : []));
  return [...outline(box, isOutput),
    svg("text", { class: "title", x: 11, y: rowHeight }, clipped(titleOf(node), letters)),
    svg("text", { class: "shape", x: box.w - 9, y: rowHeight }, shape),
    ...value.all, ...adjoint.all];
}

function groupParts(box, element) {
  const passed = textRow(box, 3, "passed");
  const sign = box.outside ? "↗" : "⊞";
  const name = clipped(nameOfGroup(box.content), Math.floor((box.w - 34) / letterWidth));
  box.changing = passed.number;
  element.classList.add("group", ...(box.outside ? ["outside"] : []));
  return [...outline(box, false),
    svg("text", { class: "title", x: 11, y: rowHeight }, `${sign} ${name}`),
    svg("text", { class: "key", x: 11, y: 2 * rowHeight + 1 }, `${box.within.length} nodes`),
    ...passed.all];
}

/** What is read aloud, and what the changing text says: {spoken, text, state}. */
function nodeState(box, sweep) {
  const node = sweep.nodes.get(box.node);
  const { value, missing } = sweep.adjoint(node);
  const waits = value !== null && missing > 0;
  const adjoint = value === null ? `no adjoint${node.kind === "constant" ? "" : " yet"}`
    : `adjoint ${described(value)}${waits ? ", waiting for more" : ""}`;
  const hand = node === sweep.inHand ? ", in hand" : "";
  return { text: inBox(value, box) + (waits ? " …" : ""),
    spoken: `${fullName(node)}, ${node.kind}${hand}: value ${textOf(node.value)}, ${adjoint}` };
}

function groupState(box, sweep) {
  const text = `${box.passed} of ${box.records.length}`;
  return { text, spoken: `group ${nameOfGroup(box.content)}, ${box.within.length} nodes, ${text} ` +
    "records passed; Enter opens it" };
}

const lineElement = (line) => svg("path", { class: "line", d: line.path });

function frameElement(frame) {
  return svg("g", { class: "frame" },
    svg("rect", { x: frame.x, y: frame.y, width: frame.w, height: frame.h, rx: 10 }),
    svg("text", { x: frame.x + 10, y: frame.y + 15 }, frame.note));
}

/** The partial derivative on a line; the other factor, the adjoint, stands in the record's box. */
function termElement(line, edge, sweep) {
  const first = (v) => (isTensor(v) ? `${short(v.values[0] ?? 0, 3)}, …` : short(v, 3));
  const text = sweep.isProduct(edge) ? `× ${short(edge.partial, 3)}` : `+ ${first(edge.term)}`;
  const { x, y } = middleOf(line.points);
  const width = 6.6 * text.length + 10;
  return svg("g", { transform: `translate(${x} ${y})` },
    svg("rect", { x: -width / 2, y: -9, width, height: 18, rx: 9 }),
    svg("text", { "text-anchor": "middle", y: 4 }, text));
}

/** The points of "M x y C x y x y x y ...". */
function pointsOf(path) {
  const numbers = path.match(/-?[\d.]+/g).map(Number);
  const count = numbers.length / 2;
  return Array.from({ length: count }, (_, i) => ({ x: numbers[2 * i], y: numbers[2 * i + 1] }));
}

function boundsOf(points) {
  const xs = points.map((p) => p.x);
  const ys = points.map((p) => p.y);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, w: Math.max(...xs) - x, h: Math.max(...ys) - y };
}

/** The middle of a chain of cubic curves. */
function middleOf(points) {
  const curves = (points.length - 1) / 3;
  const start = 3 * Math.floor(curves / 2);
  if (curves % 2 === 0) return points[start];
  const [a, b, c, d] = points.slice(start, start + 4);
  const middle = (k) => (a[k] + 3 * b[k] + 3 * c[k] + d[k]) / 8;
  return { x: middle("x"), y: middle("y") };
}
