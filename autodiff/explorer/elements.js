// Elements of the page. Names come from the program that was recorded: they are only ever text.

const byId = (id) => document.getElementById(id);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

const html = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);

const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

/** Cuts a text to fit a width, in units of its average letter. */
const clipped = (text, letters) =>
  text.length <= letters ? text : `${text.slice(0, Math.max(letters - 1, 1))}…`;

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
