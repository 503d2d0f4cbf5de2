import { cartTotals, FREE_DELIVERY_FROM_PENCE } from "./cart.js";
import { element } from "./dom.js";
import { formatPence } from "./money.js";

function row(name, value, kind) {
  return element("tr", { class: kind }, element("th", { scope: "row" }, name), element("td", {}, value));
}

/** The table of subtotal, delivery and total. */
export function totalsTable(lines) {
  const { subtotal, delivery, total } = cartTotals(lines);
  return element(
    "table", { class: "totals", "aria-label": "Totals" },
    element(
      "tbody", {},
      row("Subtotal", formatPence(subtotal)),
      row("Delivery", delivery === 0 ? "Free" : formatPence(delivery)),
      row("Total", formatPence(total), "grand"),
    ),
  );
}

/** What is missing for free delivery, in words. */
export function deliveryAdvice(lines) {
  const missing = FREE_DELIVERY_FROM_PENCE - cartTotals(lines).subtotal;
  return missing > 0 ? `Spend ${formatPence(missing)} more and delivery is free.` : "Delivery is free.";
}
