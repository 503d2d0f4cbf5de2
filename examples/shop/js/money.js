const FORMAT = new Intl.NumberFormat("en-GB", { style: "currency", currency: "GBP" });

/** 1234 → "£12.34". */
export function formatPence(pence) {
  return FORMAT.format(pence / 100);
}
