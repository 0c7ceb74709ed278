import luhn from 'luhn-js';

/** Whether a string of 2 or more decimal digits ends in its Luhn check digit (ISO/IEC 7812-1 annex B). */
export function passesLuhn(digits: string): boolean {
  return /^\d{2,}$/.test(digits) && luhn.isValid(digits);
}
