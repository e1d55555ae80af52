// Building elements. Everything that comes from the server becomes a text node or an attribute that holds text; no
// markup is ever parsed, and the page's policy (Trusted Types) would not let it be.

const SVG = 'http://www.w3.org/2000/svg';

/** An element with properties (on… listens, the rest are attributes; false and null leave one out) and children. */
export function h(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** An SVG element. */
export function svg(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Set an element's text, touching the document only if it differs. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Set or take away an attribute, touching the document only if it differs. */
export function setAttribute(element, name, value) {
  if (value === null || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

const announcer = document.getElementById('announcer');
let clearing;

/** Have a screen reader say something. Used for what the person did and for the connection, not for each change. */
export function announce(text) {
  clearTimeout(clearing);
  announcer.textContent = text;
  clearing = setTimeout(() => { announcer.textContent = ''; }, 5000);
}
