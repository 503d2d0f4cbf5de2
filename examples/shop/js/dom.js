/**
 * An element with attributes and children. Text goes in as text, never as markup. Keys that start with "on" are
 * event listeners; false and undefined leave an attribute out, true sets it empty.
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value !== undefined) node.setAttribute(key, String(value));
  }
  node.append(...children);
  return node;
}

/** The picture of a product; its address is relative to this file, so the shop works under any path. */
export function productPicture(product) {
  const src = new URL(`../images/${product.id}.svg`, import.meta.url).href;
  return element("img", { src, alt: product.picture, width: 400, height: 300 });
}

export function productAddress(product) {
  return `product.html?id=${encodeURIComponent(product.id)}`;
}
