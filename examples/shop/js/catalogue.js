import { addToCart } from "./cart.js";
import { element, productAddress, productPicture } from "./dom.js";
import { formatPence } from "./money.js";
import { CATEGORIES, searchProducts } from "./products.js";

const search = document.querySelector("#search");
const categories = document.querySelector("#categories");
const list = document.querySelector("#products");
const found = document.querySelector("#found");
const announcement = document.querySelector("#announcement");
const nothing = document.querySelector("#nothing");
const address = new URLSearchParams(location.search);

function add(product) {
  addToCart(product);
  announcement.textContent = `${product.name} added to the cart.`;
}

function card(product) {
  const button = product.inStock
    ? element("button", { type: "button", "aria-label": `Add ${product.name} to cart`, onclick: () => add(product) }, "Add to cart")
    : element("button", { type: "button", disabled: true, "aria-label": `${product.name} is sold out` }, "Sold out");
  return element(
    "li", { class: "card" },
    element("div", { class: "picture" }, productPicture(product)),
    element("p", { class: "category" }, product.category),
    element("h2", {}, element("a", { href: productAddress(product) }, product.name)),
    element("p", { class: "summary" }, product.summary),
    element("div", { class: "buy" }, element("strong", { class: "price" }, formatPence(product.pence)), button),
  );
}

function chosenCategory() {
  return categories.querySelector("input:checked").value;
}

function rememberInAddress() {
  const next = new URLSearchParams();
  if (search.value.trim()) next.set("q", search.value.trim());
  if (chosenCategory()) next.set("category", chosenCategory());
  history.replaceState(null, "", next.size ? `?${next}` : location.pathname);
}

function show() {
  const products = searchProducts(search.value, chosenCategory());
  list.replaceChildren(...products.map(card));
  found.textContent = products.length === 1 ? "1 product" : `${products.length} products`;
  nothing.hidden = products.length > 0;
}

function update() {
  show();
  rememberInAddress();
}

function categoryChoice(name) {
  const checked = (address.get("category") ?? "") === name;
  const input = element("input", { type: "radio", name: "category", value: name, checked });
  return element("label", { class: "chip" }, input, element("span", {}, name || "All"));
}

categories.append(...["", ...CATEGORIES].map(categoryChoice));
if (!categories.querySelector("input:checked")) categories.querySelector("input").checked = true;
search.value = address.get("q") ?? "";
search.addEventListener("input", update);
categories.addEventListener("change", update);
document.querySelector("#finder").addEventListener("submit", (event) => event.preventDefault());
document.querySelector("#show-all").addEventListener("click", () => {
  search.value = "";
  categories.querySelector("input").checked = true;
  update();
  search.focus();
});
show();
