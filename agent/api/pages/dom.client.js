// Elements without a build step: `h` makes them, `show` puts them in place and keeps what has not changed, so that
// focus, scroll and what a screen reader is reading survive each refresh.

const SVG = 'http://www.w3.org/2000/svg';
const SVG_TAGS = new Set(['svg', 'path', 'circle', 'rect', 'g', 'line']);

export const $ = (id) => document.getElementById(id);

export function h(tag, props = {}, ...children) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) {
      element.handlers ??= {};
      element.handlers[name.slice(2)] = value;
    } else element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children.flat(4)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

export function show(target, ...children) {
  const next = document.createElement('div');
  for (const child of children.flat(4))
    if (child !== undefined && child !== null && child !== false) next.append(child);
  morphChildren(target, next);
}

function morphChildren(old, next) {
  const keyed = new Map();
  for (const child of old.children) if (child.dataset?.key) keyed.set(child.dataset.key, child);
  let at = old.firstChild;
  for (const wanted of Array.from(next.childNodes)) {
    const known = wanted.dataset?.key ? keyed.get(wanted.dataset.key) : undefined;
    if (known !== undefined && known !== at) {
      old.insertBefore(known, at);
      morph(known, wanted);
    } else if (known !== undefined) {
      at = at.nextSibling;
      morph(known, wanted);
    } else if (at !== null && alike(at, wanted)) {
      const same = at;
      at = at.nextSibling;
      morph(same, wanted);
    } else old.insertBefore(adopt(wanted), at);
  }
  while (at !== null) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

function alike(old, wanted) {
  if (old.nodeType !== wanted.nodeType || old.nodeName !== wanted.nodeName) return false;
  return (old.dataset?.key ?? '') === (wanted.dataset?.key ?? '');
}

function morph(old, wanted) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== wanted.data) old.data = wanted.data;
    return;
  }
  for (const { name } of Array.from(old.attributes))
    // What a person has opened or typed is theirs.
    if (!wanted.hasAttribute(name) && !(name === 'open' && old.tagName === 'DETAILS')) old.removeAttribute(name);
  for (const { name, value } of wanted.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  old.handlers = wanted.handlers;
  listen(old);
  if (old.tagName === 'SELECT' || old.tagName === 'INPUT' || old.tagName === 'TEXTAREA') {
    if (old.tagName !== 'SELECT') return;
    const chosen = old.value;
    morphChildren(old, wanted);
    old.value = chosen;
    return;
  }
  morphChildren(old, wanted);
}

function adopt(node) {
  if (node.nodeType === Node.ELEMENT_NODE) {
    listen(node);
    for (const inner of node.querySelectorAll('*')) listen(inner);
  }
  return node;
}

// One listener per kind looks its handler up when it fires: a refreshed element has the newest one.
function listen(element) {
  element.listening ??= new Set();
  for (const kind of Object.keys(element.handlers ?? {})) {
    if (element.listening.has(kind)) continue;
    element.listening.add(kind);
    element.addEventListener(kind, (event) => element.handlers?.[kind]?.(event));
  }
}
