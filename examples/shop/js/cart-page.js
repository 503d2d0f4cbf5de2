import { MAX_QUANTITY, readCart, removeFromCart, setQuantity } from "./cart.js";
import { element, productAddress, productPicture } from "./dom.js";
import { formatPence } from "./money.js";
import { deliveryAdvice, totalsTable } from "./totals.js";

const content = document.querySelector("#content");
const status = document.querySelector("#status");

function remove(product) {
  removeFromCart(product.id);
  status.textContent = `${product.name} removed.`;
  show();
  document.querySelector("h1").focus();
}

function changeQuantity(product, input) {
  setQuantity(product.id, input.value);
  const line = readCart().find((candidate) => candidate.product.id === product.id);
  input.value = String(line.quantity);
  document.querySelector(`#total-${product.id}`).textContent = formatPence(product.pence * line.quantity);
  showSummary();
}

function row({ product, quantity }) {
  const input = element("input", {
    type: "number", min: 1, max: MAX_QUANTITY, value: quantity, "aria-label": `Quantity of ${product.name}`,
    onchange: (event) => changeQuantity(product, event.target),
  });
  return element(
    "tr", {},
    element("td", { class: "thumb" }, productPicture({ ...product, picture: "" })),
    element("th", { scope: "row" }, element("a", { href: productAddress(product) }, product.name)),
    element("td", { class: "each" }, formatPence(product.pence)),
    element("td", {}, input),
    element("td", { id: `total-${product.id}`, class: "number" }, formatPence(product.pence * quantity)),
    element("td", {}, element("button", {
      type: "button", class: "plain", "aria-label": `Remove ${product.name}`, onclick: () => remove(product),
    }, "Remove")),
  );
}

function showSummary() {
  const lines = readCart();
  document.querySelector("#summary").replaceChildren(
    element("h2", {}, "Summary"),
    totalsTable(lines),
    element("p", { class: "advice" }, deliveryAdvice(lines)),
    element("a", { class: "button primary", href: "checkout.html" }, "Go to checkout"),
  );
}

function emptyMessage() {
  return element(
    "div", { class: "empty" },
    element("p", { class: "lead" }, "Your cart is empty."),
    element("a", { class: "button primary", href: "index.html" }, "Browse the catalogue"),
  );
}

function show() {
  const lines = readCart();
  if (lines.length === 0) {
    content.replaceChildren(emptyMessage());
    return;
  }
  const titles = ["", "Product", "Each", "Quantity", "Total", ""].map((title) =>
    title ? element("th", { scope: "col" }, title) : element("td"),
  );
  content.replaceChildren(
    element(
      "div", { class: "with-aside" },
      element(
        "table", { class: "lines", "aria-label": "Cart" },
        element("thead", {}, element("tr", {}, ...titles)), element("tbody", {}, ...lines.map(row)),
      ),
      element("aside", { id: "summary", class: "panel", "aria-label": "Order summary" }),
    ),
  );
  showSummary();
}

show();
