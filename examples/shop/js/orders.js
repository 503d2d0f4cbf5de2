/** Orders placed in this browser. Payment details are never kept. */

const KEY = "halfway-hut.orders";
const ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"; // 32 signs, none that looks like another: 256 divides evenly

function newOrderNumber() {
  const bytes = crypto.getRandomValues(new Uint8Array(6));
  return `HH-${Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join("")}`;
}

function readOrders() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") ?? {};
  } catch {
    return {};
  }
}

/** Keeps the order and returns its number. */
export function placeOrder(order) {
  const number = newOrderNumber();
  localStorage.setItem(KEY, JSON.stringify({ ...readOrders(), [number]: order }));
  return number;
}

/** The order with this number, or undefined. */
export function findOrder(number) {
  const orders = readOrders();
  return Object.hasOwn(orders, number) ? orders[number] : undefined;
}
