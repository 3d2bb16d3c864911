// The sweep in sentences, and the local rules with numbers put in.

/** "adjoint of x += 0.6 × −0.0037" */
function termText(sweep, edge) {
  const operand = titleOf(sweep.nodes.get(edge.from));
  const adjoint = sweep.nodes.get(edge.to).adjoint;
  if (edge.partial === null || isTensor(edge.term)) {
    return `adjoint of ${operand} += ${described(edge.term)}`;
  }
  return `adjoint of ${operand} += ${short(edge.partial)} × ${short(adjoint)}`;
}

/** The result of that: " = −0.0022, so far −0.0059" */
function outcomeText(sweep, edge) {
  const { value, missing } = sweep.adjoint(sweep.nodes.get(edge.from));
  const term = isTensor(edge.term) || edge.partial === null ? "" : ` = ${short(edge.term)}`;
  const several = sweep.resultsOf(sweep.nodes.get(edge.from)).length > 1;
  if (!several) return term;
  return `${term}, ${missing > 0 ? "so far" : "in all"} ${textOf(value)}`;
}

function listed(texts, most) {
  if (texts.length <= most) return texts.join("; ");
  return `${texts.slice(0, most).join("; ")}; and ${texts.length - most} more`;
}

/** What happens at the position where the sweep stands. */
function stepSentence(sweep) {
  const name = titleOf(sweep.output);
  if (sweep.position === 0) {
    return `Before the sweep: the adjoint of the output, ${name}, is set to ${described(sweep.seed)}.`;
  }
  if (sweep.position === sweep.end) {
    const inputs = sweep.order.filter((node) => node.kind === "input");
    const texts = inputs.map((node) => `${titleOf(node)} ${described(node.adjoint, 2)}`);
    return `The sweep is over. The adjoints of the inputs are the gradient: ${listed(texts, 4)}.`;
  }
  const record = sweep.inHand;
  const opening = `${fullName(record)} has the adjoint ${described(record.adjoint)}`;
  if (isZero(record.adjoint)) return `${opening}: the sweep passes it by, nothing depends on it.`;
  const edges = sweep.operandsOf(record).filter((edge) => edge.term !== null);
  const texts = edges.map((edge) => termText(sweep, edge) + outcomeText(sweep, edge));
  return `${opening}: ${listed(texts, 3)}.`;
}

/** Splits "b, pow(a, b)" at the commas that no parenthesis encloses. */
function splitSlopes(text) {
  const parts = [""];
  let depth = 0;
  for (const c of text) {
    if (c === "(") ++depth;
    if (c === ")") --depth;
    if (c === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += c;
  }
  return parts.map((part) => part.trim());
}

/** A rule of ops.def with the numbers of a node in the places of x, or a, b, c, and y. */
function withNumbers(text, sweep, node) {
  const edges = sweep.operandsOf(node);
  const known = new Map([["y", node.value]]);
  for (const edge of edges) {
    const { value } = sweep.nodes.get(edge.from);
    known.set("abc"[edge.slot], value);
    if (edge.slot === 0) known.set("x", value);
  }
  if ([...known.values()].some(isTensor)) return null;
  return text.replace(/(?<![\w.])[abcxy](?![\w(.])/g, (name) =>
    known.has(name) ? factor(known.get(name)) : name);
}

/** One row per operand: {edge, left: "dy/da", slope, numbers}. */
function slopeRows(sweep, node) {
  const edges = sweep.operandsOf(node);
  const slopes = node.slope ? splitSlopes(node.slope) : [];
  const names = slopes.length === 1 ? ["x"] : ["a", "b", "c"];
  return edges.map((edge) => {
    const slope = slopes[edge.slot] ?? "";
    const name = names[edge.slot] ?? `operand ${edge.slot}`;
    return { edge, left: `dy/d${name}`, slope, numbers: slope && withNumbers(slope, sweep, node) };
  });
}
