import { cart, goods, price } from '/goods.js';

const rows = document.querySelector('#rows');
let total = 0;
for (const item of goods) {
  const number = cart()[item.id] ?? 0;
  if (!number) continue;
  total += number * item.cents;
  const row = rows.insertRow();
  for (const text of [item.name, String(number), price(number * item.cents)]) row.insertCell().textContent = text;
}
document.querySelector('#total').textContent = price(total);

document.querySelector('#order').addEventListener('submit', (event) => {
  event.preventDefault();
  const email = document.querySelector('#email').value;
  const fault = document.querySelector('#fault');
  fault.textContent = total === 0 ? 'There is nothing in the cart.' : 'Please give an e-mail address.';
  fault.hidden = total > 0 && /^\S+@\S+\.\S+$/.test(email);
  if (!fault.hidden) return;
  localStorage.removeItem('cart');
  document.querySelector('#thanks').textContent = `Thank you! We will write to ${email}.`;
  document.querySelector('#thanks').hidden = false;
});
