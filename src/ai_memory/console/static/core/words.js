// @ts-check
/** The words of the page in the language of its reader, and dates and numbers as that language writes them. */
import en from '../locales/en.js';
import { cell } from './cell.js';
import { chosenLanguage } from './session.js';

/** @typedef {Record<string, string | Record<string, string>>} Words */

/** The languages: a code, its own name, and its file. A further language is one file and one line here. */
export const LANGUAGES = {
  en: { name: 'English', load: async () => en },
  ru: { name: 'Русский', load: async () => (await import('../locales/ru.js')).default },
};

/** The code of the language on the page; changes once its words are there. */
export const language = cell('en');
/** @type {Words} */
let words = en;

/** @returns {string} */
function wanted() {
  const codes = [chosenLanguage.get(), ...navigator.languages.map((code) => code.slice(0, 2))];
  return codes.find((code) => code in LANGUAGES) ?? 'en';
}

/** Loads the words of the language that is wanted. */
export async function speak() {
  const code = wanted();
  words = await LANGUAGES[/** @type {'en'} */ (code)].load();
  document.documentElement.lang = code;
  language.set(code);
}
chosenLanguage.watch(() => void speak());

/**
 * The words for a key; `{name}` is replaced from `values`. Where the words depend on a number, it is `values.n`.
 * @param {string} name
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(name, values = {}) {
  let found = words[name] ?? /** @type {Words} */ (en)[name] ?? name;
  if (typeof found !== 'string') {
    const form = new Intl.PluralRules(language.get()).select(Number(values.n));
    found = found[form] ?? found.other;
  }
  return found.replace(/\{(\w+)\}/g, (whole, each) => {
    const value = values[each];
    return value === undefined ? whole : typeof value === 'number' ? number(value) : value;
  });
}

/** Whether there are words for a key. @param {string} name */
export const has = (name) => name in words;

/** @param {number} value @param {Intl.NumberFormatOptions} [options] */
export const number = (value, options) => new Intl.NumberFormat(language.get(), options).format(value);

/** @param {number} value between 0 and 1 */
export const percent = (value) => number(value, { style: 'percent', maximumFractionDigits: 0 });

/** @param {number} value */
export function bytes(value) {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  const step = Math.min(units.length - 1, Math.floor(Math.log(Math.max(value, 1)) / Math.log(1000)));
  return number(value / 1000 ** step, { style: 'unit', unit: units[step], maximumFractionDigits: step ? 1 : 0 });
}

/** @param {string | number | Date | null | undefined} value */
export function day(value) {
  return value ? new Intl.DateTimeFormat(language.get(), { dateStyle: 'medium' }).format(new Date(value)) : '';
}

/** @param {string | number | Date | null | undefined} value */
export function moment(value) {
  if (!value) return '';
  return new Intl.DateTimeFormat(language.get(), { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(value));
}

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** How long ago, or in how long. @param {string | number | Date} value */
export function ago(value) {
  const seconds = (new Date(value).getTime() - Date.now()) / 1000;
  const format = new Intl.RelativeTimeFormat(language.get(), { numeric: 'auto' });
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) return format.format(Math.trunc(seconds / length), unit);
  }
  return format.format(0, 'second');
}

/** The words for a value of an enumeration, or the value itself. @param {string} group @param {string} value */
export const named = (group, value) => (has(`${group}.${value}`) ? t(`${group}.${value}`) : value);
