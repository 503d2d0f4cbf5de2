import { addToCart, clampQuantity, MAX_QUANTITY } from "./cart.js";
import { element, productPicture } from "./dom.js";
import { formatPence } from "./money.js";
import { findProduct } from "./products.js";

const main = document.querySelector("main");
const product = findProduct(new URLSearchParams(location.search).get("id"));

function buyForm(status) {
  const quantity = element("input", { id: "quantity", type: "number", min: 1, max: MAX_QUANTITY, value: 1, required: true });
  const submit = (event) => {
    event.preventDefault();
    const amount = clampQuantity(quantity.value);
    addToCart(product, amount);
    status.replaceChildren(`${amount} × ${product.name} added. `, element("a", { href: "cart.html" }, "View the cart"));
  };
  return element(
    "form", { class: "buy-form", onsubmit: submit },
    element("div", { class: "field" }, element("label", { for: "quantity" }, "Quantity"), quantity),
    element("button", { type: "submit", class: "primary" }, "Add to cart"),
  );
}

function show() {
  document.title = `${product.name} · Halfway Hut`;
  const status = element("p", { class: "notice", role: "status" });
  main.replaceChildren(
    element("nav", { class: "crumbs", "aria-label": "Breadcrumb" }, element("a", { href: "index.html" }, "Catalogue"), " / ", product.category),
    element(
      "div", { class: "product" },
      element("div", { class: "picture" }, productPicture(product)),
      element(
        "div", { class: "about" },
        element("p", { class: "category" }, product.category),
        element("h1", {}, product.name),
        element("p", { class: "lead" }, product.summary),
        element("p", { class: "price large" }, formatPence(product.pence)),
        element("ul", { class: "details" }, ...product.details.map((detail) => element("li", {}, detail))),
        product.inStock ? buyForm(status) : element("p", { class: "sold-out" }, "Sold out"),
        status,
      ),
    ),
  );
}

function showUnknown() {
  main.replaceChildren(
    element("h1", {}, "No such product"),
    element("p", {}, "We do not sell this, or no longer. "),
    element("p", {}, element("a", { class: "button", href: "index.html" }, "Back to the catalogue")),
  );
}

if (product) show();
else showUnknown();
