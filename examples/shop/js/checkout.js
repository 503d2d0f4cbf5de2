import { cartTotals, emptyCart, readCart } from "./cart.js";
import { element } from "./dom.js";
import { formatPence } from "./money.js";
import { placeOrder } from "./orders.js";
import { totalsTable } from "./totals.js";
import { problemWith, RULES } from "./validation.js";

const form = document.querySelector("#checkout");
const alert = document.querySelector("#problems");
const lines = readCart();

function describedBy(input, withError) {
  const ids = [input.dataset.hint, withError && `${input.name}-error`].filter(Boolean);
  if (ids.length) input.setAttribute("aria-describedby", ids.join(" "));
  else input.removeAttribute("aria-describedby");
}

/** Shows what is wrong with a field beside it, ties the words to it, and says whether it is right. */
function check(input) {
  const problem = problemWith(input.name, input.value);
  document.querySelector(`#${input.name}-error`).textContent = problem;
  describedBy(input, problem !== "");
  if (problem) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
  return problem === "";
}

function inputs() {
  return Object.keys(RULES).map((name) => form.elements.namedItem(name));
}

function order() {
  return {
    name: form.elements.namedItem("name").value.trim(),
    email: form.elements.namedItem("email").value.trim(),
    lines: lines.map(({ product, quantity }) => ({ name: product.name, quantity })),
    totalPence: cartTotals(lines).total,
  };
}

function submit(event) {
  event.preventDefault();
  const wrong = inputs().filter((input) => !check(input));
  if (wrong.length > 0) {
    alert.textContent = wrong.length === 1 ? "1 field needs your attention." : `${wrong.length} fields need your attention.`;
    wrong[0].focus();
    return;
  }
  const number = placeOrder(order());
  emptyCart();
  location.assign(`confirmation.html?order=${encodeURIComponent(number)}`);
}

function showSummary() {
  const names = lines.map(({ product, quantity }) => element("li", {}, `${quantity} × ${product.name}`));
  document.querySelector("#summary").append(element("ul", { class: "order-lines" }, ...names), totalsTable(lines));
  document.querySelector("#pay").textContent = `Pay ${formatPence(cartTotals(lines).total)}`;
}

if (lines.length === 0) {
  document.querySelector("#content").replaceChildren(
    element("p", { class: "lead" }, "Your cart is empty, so there is nothing to pay for."),
    element("a", { class: "button primary", href: "index.html" }, "Browse the catalogue"),
  );
} else {
  showSummary();
  form.addEventListener("submit", submit);
  for (const input of inputs()) {
    // On input, not on change: a message that went away on blur would move the pay button from under the pointer.
    input.addEventListener("input", () => input.hasAttribute("aria-invalid") && check(input));
  }
}
