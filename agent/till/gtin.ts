/**
 * A GTIN-8, -12, -13 or -14 as GTIN-14, or `null` when length or check digit is wrong.
 * @see GS1 General Specifications, 7.9: weights 3 and 1 alternate from the right, the check digit left out
 */
export function toGtin14(text: string): string | null {
  if (!/^(\d{8}|\d{12,14})$/.test(text)) return null;
  const digits = text.padStart(14, '0');
  let sum = 0;
  for (let index = 0; index < 13; index++) sum += Number(digits[index]) * (index % 2 === 0 ? 3 : 1);
  return (10 - (sum % 10)) % 10 === Number(digits[13]) ? digits : null;
}
