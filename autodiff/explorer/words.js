// The sweep in sentences, and the local rules with numbers put in.

/** "adjoint of x += 0.6 × −0.0037" */
function termText(sweep, edge) {
  const operand = titleOf(sweep.nodes.get(edge.from));
  const adjoint = sweep.nodes.get(edge.to).adjoint;
  if (!sweep.isProduct(edge)) return `adjoint of ${operand} += ${described(edge.term)}`;
  return `adjoint of ${operand} += ${short(edge.partial)} × ${short(adjoint)}`;
}

/** The result of that: " = −0.0022, so far −0.0059" */
function outcomeText(sweep, edge) {
  const { value, missing } = sweep.adjoint(sweep.nodes.get(edge.from));
  const term = sweep.isProduct(edge) ? ` = ${short(edge.term)}` : "";
  const several = sweep.resultsOf(sweep.nodes.get(edge.from)).length > 1;
  if (!several) return term;
  return `${term}, ${missing > 0 ? "so far" : "in all"} ${textOf(value)}`;
}

/** With a full stop, where it does not end in "…" already. */
const ended = (text) => (text.endsWith("…") ? text : `${text}.`);

function listed(texts, most) {
  if (texts.length <= most) return texts.join("; ");
  return `${texts.slice(0, most).join("; ")}; and ${texts.length - most} more`;
}

/** What happens at the position where the sweep stands. */
function stepSentence(sweep) {
  const name = titleOf(sweep.output);
  if (sweep.position === 0) {
    const seed = described(sweep.seed);
    return `Before the sweep: the adjoint of the output, ${name}, is set to ${seed}.`;
  }
  if (sweep.position === sweep.end) {
    const inputs = sweep.order.filter((node) => node.kind === "input").reverse();
    const texts = inputs.map((node) => `${titleOf(node)} ${described(node.adjoint, 2)}`);
    const gradient = listed(texts, 4);
    return ended(`The sweep is over. The adjoints of the inputs are the gradient: ${gradient}`);
  }
  const record = sweep.inHand;
  const opening = `${fullName(record)} has the adjoint ${described(record.adjoint)}`;
  if (isZero(record.adjoint)) return `${opening}: the sweep passes it by, nothing depends on it.`;
  const edges = sweep.operandsOf(record).filter((edge) => edge.term !== null);
  const texts = edges.map((edge) => termText(sweep, edge) + outcomeText(sweep, edge));
  return ended(`${opening}: ${listed(texts, 3)}`);
}

/** "dy/da = b, dy/db = a" as a map from a and b to their slopes. */
function slopesOf(node) {
  const starts = [...(node.slope ?? "").matchAll(/(?:^|, )dy\/d(\w+) = /g)];
  const end = (i) => starts[i + 1]?.index ?? node.slope.length;
  return new Map(starts.map((start, i) =>
    [start[1], node.slope.slice(start.index + start[0].length, end(i))]));
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
  if ([...known.values()].some((v) => v === null || isTensor(v))) return "";
  return text.replace(/(?<![\w.])[abcxy](?![\w(.])/g, (name) =>
    known.has(name) ? factor(known.get(name)) : name);
}

/** One row per operand: {edge, left: "dy/da", slope, numbers}. */
function slopeRows(sweep, node) {
  const slopes = slopesOf(node);
  const names = slopes.has("x") ? ["x"] : ["a", "b", "c"];
  return sweep.operandsOf(node).filter((edge) => edge.term !== null).map((edge) => {
    const name = names[edge.slot] ?? "";
    const slope = slopes.get(name) ?? "";
    const left = slope ? `dy/d${name}` : `∂y/∂${titleOf(sweep.nodes.get(edge.from))}`;
    return { edge, left, slope, numbers: slope && withNumbers(slope, sweep, node) };
  });
}
