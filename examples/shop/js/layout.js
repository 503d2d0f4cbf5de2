/** The header and footer that every page shares, and the live count of what is in the cart. */

import { countItems } from "./cart.js";
import { element } from "./dom.js";

const PAGES = [
  ["index.html", "Catalogue"],
  ["delivery.html", "Delivery"],
  ["faulty.html", "Faulty page"],
];

function currentPage() {
  return location.pathname.split("/").pop() || "index.html";
}

function navigationLink([address, text]) {
  return element("li", {}, element("a", { href: address, "aria-current": address === currentPage() && "page" }, text));
}

function cartLink() {
  const count = element("span", { class: "count", "aria-hidden": "true" });
  const link = element("a", { class: "cart-link", href: "cart.html" }, "Cart ", count);
  const show = () => {
    const items = countItems();
    count.textContent = String(items);
    link.setAttribute("aria-label", `Cart, ${items} ${items === 1 ? "item" : "items"}`);
  };
  document.addEventListener("cart-changed", show);
  window.addEventListener("storage", show);
  show();
  return link;
}

function menuButton(navigation) {
  const toggle = () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    navigation.classList.toggle("open", open);
  };
  const button = element(
    "button",
    { type: "button", class: "menu-button", "aria-expanded": "false", "aria-controls": "navigation", onclick: toggle },
    "Menu",
  );
  return button;
}

function header() {
  const navigation = element(
    "nav", { id: "navigation", "aria-label": "Main" }, element("ul", {}, ...PAGES.map(navigationLink)),
  );
  const logo = element("img", { src: "images/favicon.svg", alt: "", width: 32, height: 32 });
  return element(
    "header", { class: "site-header" },
    element(
      "div", { class: "bar" },
      element("a", { class: "brand", href: "index.html" }, logo, "Halfway Hut"),
      menuButton(navigation), navigation, cartLink(),
    ),
  );
}

const main = document.querySelector("main");
main.id = "main";
main.tabIndex = -1;
document.body.prepend(element("a", { class: "skip-link", href: "#main" }, "Skip to content"), header());
document.body.append(
  element("footer", { class: "site-footer" }, element("p", {}, "Halfway Hut is an example. Nothing is sold, charged or sent.")),
);
