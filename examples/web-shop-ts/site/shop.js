import { add, cart, goods, price } from '/goods.js';

const list = document.querySelector('#goods');
const stock = await (await fetch('/api/stock')).json();

function count() {
  const number = Object.values(cart()).reduce((sum, each) => sum + each, 0);
  document.querySelector('#count').textContent = String(number);
}

function entry(item) {
  const row = document.createElement('li');
  const button = document.createElement('button');
  button.textContent = stock[item.id] ? 'Add to cart' : 'Sold out';
  button.disabled = !stock[item.id];
  button.addEventListener('click', () => {
    add(item.id);
    count();
  });
  row.append(`${item.name}, ${price(item.cents)} `, button);
  return row;
}

function show(wanted) {
  const found = goods.filter((item) => item.name.toLowerCase().includes(wanted.toLowerCase()));
  list.replaceChildren(...found.map(entry));
  document.querySelector('#none').hidden = found.length > 0;
}

document.querySelector('#search').addEventListener('input', (event) => show(event.target.value));
document.querySelector('#menu').addEventListener('click', ({ target }) => {
  const open = target.getAttribute('aria-expanded') !== 'true';
  target.setAttribute('aria-expanded', String(open));
  document.querySelector('#links').classList.toggle('open', open);
});
show('');
count();
