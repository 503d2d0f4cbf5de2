export const goods = [
  { id: 'lantern', name: 'Storm lantern', cents: 2450 },
  { id: 'kettle', name: 'Steel kettle', cents: 3200 },
  { id: 'blanket', name: 'Wool blanket', cents: 5900 },
];

export const price = (cents) => `€${(cents / 100).toFixed(2)}`;

export const cart = () => JSON.parse(localStorage.getItem('cart') ?? '{}');

export function add(id) {
  const items = cart();
  items[id] = (items[id] ?? 0) + 1;
  localStorage.setItem('cart', JSON.stringify(items));
}
