/** The rules of the checkout form: each returns what is wrong, in words for the customer, or "". */

const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]{2,}$/;
const POSTCODE = /^[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}$/i;

/** The Luhn checksum: doubles every second digit from the right; the digit sum must end in 0. */
export function passesLuhn(digits) {
  const sum = Array.from(digits).reverse().reduce((total, sign, index) => {
    const digit = Number(sign) * (index % 2 === 1 ? 2 : 1);
    return total + (digit > 9 ? digit - 9 : digit);
  }, 0);
  return sum % 10 === 0;
}

function checkCard(value) {
  const digits = value.replace(/[ -]/g, "");
  if (!/^[0-9]{12,19}$/.test(digits)) return "Enter a card number of 12 to 19 digits.";
  return passesLuhn(digits) ? "" : "This card number has a mistake in it. Check the digits.";
}

/** Field name → what to say when it is empty, and what else to check. */
export const RULES = {
  name: { missing: "Enter your full name." },
  email: {
    missing: "Enter your e-mail address.",
    check: (value) => (EMAIL.test(value) ? "" : "Enter an e-mail address like name@example.com."),
  },
  address: { missing: "Enter your street and house number." },
  town: { missing: "Enter your town or city." },
  postcode: {
    missing: "Enter your postcode.",
    check: (value) => (POSTCODE.test(value) ? "" : "Enter a full UK postcode, like CA12 5AB."),
  },
  card: { missing: "Enter your card number.", check: checkCard },
};

/** What is wrong with this field's value, or "". */
export function problemWith(field, value) {
  const trimmed = value.trim();
  if (trimmed === "") return RULES[field].missing;
  return RULES[field].check?.(trimmed) ?? "";
}
