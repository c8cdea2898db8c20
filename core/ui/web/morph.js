/**
 * Makes `from` equal to `to` with as few changes as matter: elements with an id are kept and moved, so that focus,
 * selection and running animations survive an update.
 */
export function morph(from, to) {
  attributes(from, to);
  children(from, to);
}

function attributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
}

function children(from, to) {
  const byId = new Map();
  for (const child of from.children) if (child.id) byId.set(child.id, child);
  const wanted = new Set();
  for (const child of to.children) if (child.id) wanted.add(child.id);

  let at = from.firstChild;
  for (const next of [...to.childNodes]) {
    while (at && at.id && !wanted.has(at.id)) at = removed(at);
    const same = next.id ? byId.get(next.id) : at && matches(at, next) ? at : null;
    if (same) {
      if (same === at) at = at.nextSibling;
      else from.insertBefore(same, at);
      if (same.nodeType === Node.ELEMENT_NODE) morph(same, next);
      else if (same.nodeValue !== next.nodeValue) same.nodeValue = next.nodeValue;
    } else {
      from.insertBefore(document.importNode(next, true), at);
    }
  }
  while (at) at = removed(at);
}

function matches(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && !a.id && !b.id;
}

function removed(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}
