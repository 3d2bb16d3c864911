// The side panel and the card: one node with its local rule, numbers put in, and its terms.

const mostTerms = 200;

const fact = (key, ...value) => [html("dt", {}, key), html("dd", {}, ...value)];

function valueElement(v) {
  if (v === null || v === undefined) return html("span", { class: "number" }, "none");
  if (!isTensor(v)) return html("span", { class: "number" }, exact(v));
  const range = v.min === undefined ? "" : `, from ${short(v.min)} to ${short(v.max)}`;
  const norm = v.norm === null ? "" : `, norm ${short(v.norm)}`;
  return html("span", {}, html("span", { class: "number" }, `${shapeText(v)} ${firstValues(v, 6)}`),
    html("small", {}, ` ${v.count} numbers${range}${norm}`));
}

/** "dy/dx = 4 * logistic_pdf(x + x)", then with numbers, then what came out. */
function slopeElement({ edge, left, slope, numbers }) {
  const lines = [];
  // One number is what comes out.
  if (/^\(?[\u2212\d.e]+\)?$/.test(numbers)) numbers = "";
  if (slope) lines.push(html("code", {}, `${left} = ${withMinus(slope)}`));
  if (numbers && numbers !== slope) lines.push(html("code", {}, `= ${numbers}`));
  if (edge.partial !== null && slope !== exact(edge.partial)) {
    const start = slope ? "=" : `${left} =`;
    lines.push(html("code", { class: "outcome" }, `${start} ${exact(edge.partial)}`));
  }
  return lines.length ? html("div", { class: "slope" }, ...lines) : "";
}

/** Name, rule with numbers, kink convention; what hovering shows too. */
function ruleElements(sweep, node) {
  const numbers = node.rule && withNumbers(node.rule.replace(/^y = /, ""), sweep, node);
  const value = numbers ? `${numbers} = ${short(node.value)}` : "";
  return [
    node.rule ? html("div", { class: "slope" }, html("code", {}, withMinus(node.rule)),
      value ? html("code", {}, `= ${value}`) : "") : "",
    ...slopeRows(sweep, node).slice(0, 3).map(slopeElement),
    node.pullback ? html("div", { class: "slope" }, html("code", {}, node.pullback)) : "",
    node.kink ? html("p", { class: "kink" }, html("b", {}, "Kink: "), node.kink) : "",
  ];
}

/** A row of "adjoint of w += 0.6 × −0.0037 = …", with a way to the other node. */
function termRow(sweep, edge, other, follow) {
  const arrived = sweep.arrival(edge) <= sweep.position;
  const product = !sweep.isProduct(edge) ? described(edge.term)
    : `${short(edge.partial)} × ${factor(sweep.nodes.get(edge.to).adjoint)} = ${short(edge.term)}`;
  const button = html("button", { type: "button", class: "link" }, fullName(other));
  button.addEventListener("click", () => follow(other));
  const note = arrived ? "" : html("small", {}, " not yet");
  return html("li", { class: arrived ? "arrived" : "ahead" }, button,
    html("span", { class: "number" }, edge.term === null ? "constant" : product), note);
}

function termList(title, empty, sweep, edges, otherOf, follow) {
  const shown = edges.slice(0, mostTerms);
  const rows = shown.map((edge) => termRow(sweep, edge, otherOf(edge), follow));
  const rest = edges.length - shown.length;
  if (rest > 0) rows.push(html("li", {}, `and ${rest} more`));
  return [html("h3", {}, title), rows.length ? html("ul", {}, ...rows) : html("p", {}, empty)];
}

function panelElements(sweep, node, pinned, actions) {
  const { value, missing } = sweep.adjoint(node);
  const rules = ruleElements(sweep, node).filter((element) => element !== "");
  const isOutput = node === sweep.output;
  const source = (edge) => sweep.nodes.get(edge.from);
  const target = (edge) => sweep.nodes.get(edge.to);
  const role = node === sweep.inHand ? "in hand" : pinned ? "pinned" : "output";
  const unpin = html("button", { type: "button", id: "unpin" }, "Unpin");
  unpin.addEventListener("click", actions.unpin);
  return [
    html("div", { class: "panel-head" }, html("h2", {}, titleOf(node)),
      html("span", { class: "role" }, role), pinned ? unpin : ""),
    html("dl", { class: "facts" },
      ...fact("node", `#${node.id}, ${node.kind}`),
      ...(node.note ? fact("group", node.note) : []),
      ...(node.layer ? fact("layer", node.layer) : []),
      ...fact("value", valueElement(node.value)),
      ...fact("adjoint", valueElement(value),
        missing > 0 && value !== null ? html("small", {}, ` so far; ${missing} to come`) : "")),
    ...(rules.length ? [html("h3", {}, "Local rule")] : []),
    ...rules,
    ...termList("Passes on to its operands", "Nothing: the sweep ends here.", sweep,
      sweep.operandsOf(node), source, actions.follow),
    ...termList("Receives from its results", isOutput ? "The sweep starts here." : "Nothing.",
      sweep, sweep.resultsOf(node), target, actions.follow),
  ];
}

function cardElements(sweep, node) {
  const { value } = sweep.adjoint(node);
  return [
    html("p", { class: "card-title" }, html("b", {}, fullName(node)), ` ${node.kind}`),
    html("p", {}, "value ", html("span", { class: "number" }, described(node.value)),
      ", adjoint ", html("span", { class: "number" }, value === null ? "none" : described(value))),
    ...ruleElements(sweep, node),
  ];
}

/** Puts the card beside a box, inside the picture. */
function placeCard(card, area, box) {
  const { offsetWidth: w, offsetHeight: h } = card;
  const below = box.y + box.h + 12;
  const top = below + h < area.height ? below : Math.max(4, box.y - h - 12);
  const left = Math.max(4, Math.min(area.width - w - 4, box.x + box.w / 2 - w / 2));
  Object.assign(card.style, { left: `${left}px`, top: `${top}px` });
}
