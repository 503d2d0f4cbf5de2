import { element } from "./dom.js";
import { formatPence } from "./money.js";
import { findOrder } from "./orders.js";

const number = new URLSearchParams(location.search).get("order") ?? "";
const order = findOrder(number);
const main = document.querySelector("main");

function show() {
  document.title = `Order ${number} · Halfway Hut`;
  main.replaceChildren(
    element(
      "section", { class: "panel thanks" },
      element("p", { class: "tick", "aria-hidden": "true" }, "✓"),
      element("h1", {}, `Thank you, ${order.name}`),
      element("p", { class: "lead" }, "Your order number is ", element("strong", { class: "order-number" }, number), "."),
      element("p", {}, `We have pretended to write to ${order.email}.`),
      element("ul", { class: "order-lines", "aria-label": "Ordered" }, ...order.lines.map((line) => element("li", {}, `${line.quantity} × ${line.name}`))),
      element("p", { class: "price large" }, `Paid ${formatPence(order.totalPence)}`),
      element("p", { class: "actions" },
        element("a", { class: "button primary", href: "delivery.html" }, "When will it come?"),
        element("a", { class: "button", href: "index.html" }, "Back to the catalogue")),
    ),
  );
}

function showUnknown() {
  main.replaceChildren(
    element("h1", {}, "We cannot find this order"),
    element("p", {}, "Orders are kept in the browser that placed them. Check the number in the address."),
    element("p", {}, element("a", { class: "button", href: "index.html" }, "Back to the catalogue")),
  );
}

if (order) show();
else showUnknown();
