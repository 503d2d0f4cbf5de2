/**
 * What the shop sells. Prices are whole pence, so that sums are exact.
 *
 * @typedef {{id: string, name: string, category: string, pence: number, inStock: boolean,
 *            picture: string, summary: string, details: string[]}} Product
 */

export const CATEGORIES = ["Kitchen", "Navigation", "Clothing", "Camp"];

/** @type {Product[]} */
export const PRODUCTS = [
  {
    id: "enamel-mug", name: "Enamel mug", category: "Kitchen", pence: 1200, inStock: true,
    picture: "A green enamel mug of hot coffee",
    summary: "Holds a generous brew and does not mind being dropped.",
    details: ["350 ml", "Steel under two coats of enamel", "Safe on an open flame"],
  },
  {
    id: "ridge-map", name: "Ridge map", category: "Navigation", pence: 995, inStock: true,
    picture: "A folded map with a dotted path and a red pin",
    summary: "Every path, stile and bad-weather route along the ridge.",
    details: ["Scale 1:25,000", "Waterproof paper", "Folds to pocket size"],
  },
  {
    id: "wool-socks", name: "Wool socks", category: "Clothing", pence: 1600, inStock: true,
    picture: "A pair of purple socks with yellow heels",
    summary: "Warm when wet, and thick where boots rub.",
    details: ["70 % merino wool", "Padded heel and toe", "One pair"],
  },
  {
    id: "storm-lantern", name: "Storm lantern", category: "Camp", pence: 5400, inStock: true,
    picture: "A lit lantern at night",
    summary: "Keeps its light in wind that takes your hat.",
    details: ["Burns for 20 hours", "Glass guard", "1.1 kg"],
  },
  {
    id: "brass-compass", name: "Brass compass", category: "Navigation", pence: 4600, inStock: true,
    picture: "A brass compass with a red needle",
    summary: "Points north without a battery.",
    details: ["Liquid-damped needle", "Sighting lid", "Made to be handed down"],
  },
  {
    id: "rain-jacket", name: "Rain jacket", category: "Clothing", pence: 11900, inStock: true,
    picture: "A yellow hooded jacket in the rain",
    summary: "Three layers between you and the forecast.",
    details: ["Taped seams", "Hood fits over a hat", "420 g"],
  },
  {
    id: "pocket-stove", name: "Pocket stove", category: "Kitchen", pence: 3800, inStock: true,
    picture: "A small gas stove with its flame lit",
    summary: "Boils half a litre in three minutes.",
    details: ["Folds to 9 cm", "Fits screw-on cartridges", "85 g"],
  },
  {
    id: "two-person-tent", name: "Two-person tent", category: "Camp", pence: 18900, inStock: false,
    picture: "An orange tent in front of mountains",
    summary: "Up in four minutes, even in the dark.",
    details: ["1.9 kg", "Two doors", "Stands in a gale"],
  },
  {
    id: "bobble-hat", name: "Bobble hat", category: "Clothing", pence: 2100, inStock: true,
    picture: "A red woollen hat with a white bobble",
    summary: "Knitted in one piece; the bobble is not optional.",
    details: ["Pure wool", "Fleece band", "One size"],
  },
  {
    id: "steel-flask", name: "Steel flask", category: "Kitchen", pence: 2450, inStock: true,
    picture: "A steel flask with an orange band",
    summary: "Tea at the summit as hot as at the door.",
    details: ["750 ml", "Hot for 12 hours", "Cup in the lid"],
  },
  {
    id: "field-notebook", name: "Field notebook", category: "Navigation", pence: 725, inStock: true,
    picture: "A red notebook and a pencil",
    summary: "For sketches, bearings and the names of birds.",
    details: ["96 ruled pages", "Paper takes pencil when wet", "Pencil included"],
  },
  {
    id: "day-rucksack", name: "Day rucksack", category: "Camp", pence: 8400, inStock: true,
    picture: "An olive rucksack with leather straps",
    summary: "Room for lunch, a layer and one bad idea.",
    details: ["22 litres", "Waxed cotton", "Rain cover in the base"],
  },
];

/** The product with this id, or undefined. */
export function findProduct(id) {
  return PRODUCTS.find((product) => product.id === id);
}

/** Products whose name or summary holds every word of `text` and whose category is `category` (empty: any). */
export function searchProducts(text, category) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return PRODUCTS.filter((product) => {
    const haystack = `${product.name} ${product.summary}`.toLowerCase();
    return (!category || product.category === category) && words.every((word) => haystack.includes(word));
  });
}
