// @ts-check
/** What differs between two texts, word by word. */
import { html } from '../core/html.js';

const LONGEST = 4000;

/** @param {string} text */
const wordsOf = (text) => text.match(/\s+|[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? [];

/**
 * The steps from one list to the other: `=`, `-` or `+` with a run of text. Long texts are compared as a whole.
 * @param {string} before @param {string} after
 * @returns {[string, string][]}
 */
export function steps(before, after) {
  const one = wordsOf(before);
  const two = wordsOf(after);
  let start = 0;
  while (start < one.length && start < two.length && one[start] === two[start]) start++;
  let end = 0;
  while (end < one.length - start && end < two.length - start && one[one.length - 1 - end] === two[two.length - 1 - end]) end++;
  const [middleOne, middleTwo] = [one.slice(start, one.length - end), two.slice(start, two.length - end)];
  const middle = middleOne.length * middleTwo.length > LONGEST * LONGEST ? [['-', middleOne.join('')], ['+', middleTwo.join('')]] : longest(middleOne, middleTwo);
  return joined(/** @type {[string, string][]} */ ([['=', one.slice(0, start).join('')], ...middle, ['=', one.slice(one.length - end).join('')]]));
}

/** By the longest common subsequence. @param {string[]} one @param {string[]} two @returns {[string, string][]} */
function longest(one, two) {
  const width = two.length + 1;
  const table = new Uint16Array((one.length + 1) * width);
  for (let i = one.length - 1; i >= 0; i--)
    for (let j = two.length - 1; j >= 0; j--)
      table[i * width + j] = one[i] === two[j] ? table[(i + 1) * width + j + 1] + 1 : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
  /** @type {[string, string][]} */
  const found = [];
  let [i, j] = [0, 0];
  while (i < one.length || j < two.length) {
    if (i < one.length && j < two.length && one[i] === two[j]) found.push(['=', one[i++]]), j++;
    else if (j >= two.length || (i < one.length && table[(i + 1) * width + j] >= table[i * width + j + 1])) found.push(['-', one[i++]]);
    else found.push(['+', two[j++]]);
  }
  return found;
}

/** @param {[string, string][]} found @returns {[string, string][]} */
function joined(found) {
  /** @type {[string, string][]} */
  const runs = [];
  for (const [kind, text] of found) {
    if (!text) continue;
    const last = runs.at(-1);
    if (last && last[0] === kind) last[1] += text;
    else runs.push([kind, text]);
  }
  return runs;
}

/** @param {{before: string, after: string, side?: 'before' | 'after'}} props */
export function Diff({ before, after, side }) {
  return html`<div class="diff" dir="auto">
    ${steps(before, after).map(([kind, text], at) => {
      if (kind === '=') return html`<span key=${at}>${text}</span>`;
      if (kind === '-') return side !== 'after' && html`<del key=${at}>${text}</del>`;
      return side !== 'before' && html`<ins key=${at}>${text}</ins>`;
    })}
  </div>`;
}
