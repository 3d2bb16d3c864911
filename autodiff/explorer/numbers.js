// Numbers and tensors as text. A value is a number, "nan", "inf" or "-inf", or a tensor
// {shape, values, count, norm, ...} that holds its first elements.

const isTensor = (v) => v !== null && typeof v === "object";

function numberOf(v) {
  if (v === "nan") return NaN;
  if (v === "inf") return Infinity;
  if (v === "-inf") return -Infinity;
  return v;
}

// U+2212 is read aloud as "minus" and is as wide as a digit; a hyphen is neither.
const withMinus = (text) => text.replaceAll("-", "\u2212");

function nameOfUnusual(x) {
  if (Number.isNaN(x)) return "NaN";
  return x > 0 ? "inf" : "\u2212inf";
}

/** A few significant digits. */
function short(v, digits = 4) {
  const x = numberOf(v);
  if (!Number.isFinite(x)) return nameOfUnusual(x);
  if (x === 0) return Object.is(x, -0) ? "\u22120" : "0";
  const size = Math.abs(x);
  if (size >= 1e6 || size < 1e-4) return withMinus(x.toExponential(digits - 1).replace("e+", "e"));
  return withMinus(String(Number(x.toPrecision(digits))));
}

/** Every digit of the double. */
function exact(v) {
  const x = numberOf(v);
  if (!Number.isFinite(x)) return nameOfUnusual(x);
  if (Object.is(x, -0)) return "\u22120";
  const text = x !== 0 && Math.abs(x) < 1e-4 ? x.toExponential() : String(x);
  return withMinus(text.replace("e+", "e"));
}

/** As a factor: a negative one stands in parentheses. */
const factor = (v) => (numberOf(v) < 0 ? `(${short(v)})` : short(v));

/** Nothing for a tensor without axes, which is a number. */
const shapeText = (v) => (v.shape.length === 0 ? "" : `[${v.shape.join(", ")}]`);

/** The first elements, as many as asked for. */
function firstValues(v, most) {
  const shown = v.values.slice(0, most).map((x) => short(x)).join(", ");
  return v.count > Math.min(most, v.values.length) ? `${shown}, …` : shown;
}

/** One line for a value of either kind; "·" where there is none yet. */
function textOf(v, most = 3) {
  if (v === null || v === undefined) return "·";
  return isTensor(v) ? firstValues(v, most) : short(v);
}

/** The same with the shape, for sentences and cards. */
const described = (v, most = 3) =>
  isTensor(v) ? `${shapeText(v)} ${firstValues(v, most)}`.trim() : textOf(v);

function isZero(v) {
  if (isTensor(v)) return numberOf(v.norm) === 0;
  return numberOf(v) === 0;
}

/** a + b; a tensor forgets its norm where not all of its elements are known. */
function sum(a, b) {
  if (a === null) return b;
  if (isTensor(a) !== isTensor(b)) return b;
  if (!isTensor(a)) return numberOf(a) + numberOf(b);
  const values = a.values.map((x, i) => numberOf(x) + numberOf(b.values[i]));
  const norm = values.length === a.count ? Math.hypot(...values) : null;
  return { shape: a.shape, values, count: a.count, norm };
}

/** The same plus a number at one element, as an element of a tensor hands it back. */
function sumAt(total, like, element, term) {
  const values = [...(total?.values ?? like.values.map(() => 0))];
  if (element < values.length) values[element] = numberOf(values[element]) + numberOf(term);
  const norm = values.length === like.count ? Math.hypot(...values) : null;
  return { shape: like.shape, values, count: like.count, norm };
}

/** For sorting: a number as it is, a tensor by its norm, nothing last. */
function rankOf(v) {
  if (v === null || v === undefined) return -Infinity;
  const x = numberOf(isTensor(v) ? v.norm : v);
  return Number.isNaN(x) ? Infinity : x;
}
