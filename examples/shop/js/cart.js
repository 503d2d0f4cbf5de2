/** The cart: product ids and quantities, kept in localStorage so that it outlives the page. */

import { findProduct } from "./products.js";

const KEY = "halfway-hut.cart";
export const MAX_QUANTITY = 9;
export const DELIVERY_PENCE = 450;
export const FREE_DELIVERY_FROM_PENCE = 6000;

/** A whole number from 1 to MAX_QUANTITY; anything that is no number counts as 1. */
export function clampQuantity(value) {
  const whole = Math.trunc(Number(value));
  return Number.isFinite(whole) ? Math.min(Math.max(whole, 1), MAX_QUANTITY) : 1;
}

/** What is in the cart: `{product, quantity}` in the order of adding. What the shop does not sell is left out. */
export function readCart() {
  let stored;
  try {
    stored = JSON.parse(localStorage.getItem(KEY) ?? "[]");
  } catch {
    stored = []; // Anyone can write to localStorage: what is not ours counts as an empty cart.
  }
  if (!Array.isArray(stored)) return [];
  return stored
    .map((line) => ({ product: findProduct(line?.id), quantity: clampQuantity(line?.quantity) }))
    .filter((line) => line.product !== undefined);
}

function writeCart(lines) {
  localStorage.setItem(KEY, JSON.stringify(lines.map(({ product, quantity }) => ({ id: product.id, quantity }))));
  document.dispatchEvent(new CustomEvent("cart-changed"));
}

export function addToCart(product, quantity = 1) {
  const lines = readCart();
  const line = lines.find((candidate) => candidate.product.id === product.id);
  if (line) line.quantity = clampQuantity(line.quantity + quantity);
  else lines.push({ product, quantity: clampQuantity(quantity) });
  writeCart(lines);
}

export function setQuantity(id, quantity) {
  writeCart(readCart().map((line) => (line.product.id === id ? { ...line, quantity: clampQuantity(quantity) } : line)));
}

export function removeFromCart(id) {
  writeCart(readCart().filter((line) => line.product.id !== id));
}

export function emptyCart() {
  writeCart([]);
}

export function countItems() {
  return readCart().reduce((sum, line) => sum + line.quantity, 0);
}

/** `{subtotal, delivery, total}` in pence. */
export function cartTotals(lines) {
  const subtotal = lines.reduce((sum, line) => sum + line.product.pence * line.quantity, 0);
  const delivery = lines.length === 0 || subtotal >= FREE_DELIVERY_FROM_PENCE ? 0 : DELIVERY_PENCE;
  return { subtotal, delivery, total: subtotal + delivery };
}
