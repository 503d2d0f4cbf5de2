/**
 * The slow page: the estimate needs both the courier's data (a fetch) and the courier's time to think (a timer), so
 * a test has to wait for what the page says and not for the page's load.
 */

import { element } from "./dom.js";

const THINKING_MS = 2400;
const estimate = document.querySelector("#estimate");
const status = document.querySelector("#status");

async function fetchCourier() {
  const response = await fetch(new URL("../data/delivery.json", import.meta.url));
  if (!response.ok) throw new Error(`The courier answered ${response.status}`);
  return response.json();
}

function think() {
  return new Promise((resolve) => setTimeout(resolve, THINKING_MS));
}

function days([first, last]) {
  return `${first} to ${last} working days`;
}

function row(zone) {
  return element("tr", {}, element("th", { scope: "row" }, zone.name), element("td", {}, days(zone.workingDays)));
}

function showEstimate(courier) {
  const titles = ["Where", "How long"].map((title) => element("th", { scope: "col" }, title));
  estimate.replaceChildren(
    element(
      "table", { class: "lines", "aria-label": "Delivery times" },
      element("thead", {}, element("tr", {}, ...titles)), element("tbody", {}, ...courier.zones.map(row)),
    ),
  );
  status.textContent = `${courier.name} brings your parcel in ${days(courier.zones[0].workingDays)}.`;
}

function showFailure() {
  status.textContent = "";
  estimate.replaceChildren(
    element("p", { class: "error-box", role: "alert" }, "The courier does not answer. Your order is safe; try again later."),
    element("button", { type: "button", onclick: ask }, "Ask again"),
  );
}

async function ask() {
  estimate.setAttribute("aria-busy", "true");
  estimate.replaceChildren(element("div", { class: "skeleton" }), element("div", { class: "skeleton" }), element("div", { class: "skeleton" }));
  status.textContent = "Asking the courier…";
  try {
    const [courier] = await Promise.all([fetchCourier(), think()]);
    showEstimate(courier);
  } catch {
    showFailure();
  }
  estimate.removeAttribute("aria-busy");
}

ask();
