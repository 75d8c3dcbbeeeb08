// @ts-check
/** Why a hit is where it is: each term of its score, against the same term of the next hit. */
import { html } from '../core/html.js';
import { named, number, t } from '../core/words.js';

/** @param {number} value */
const signed = (value) => number(value, { signDisplay: 'exceptZero', maximumFractionDigits: 2, minimumFractionDigits: 2 });

/** @param {{stages: any[], next?: any[] | null}} props */
export function Bars({ stages, next }) {
  const beside = new Map((next ?? []).map((each) => [each.name, each.contribution]));
  const shown = stages.filter((each) => Math.abs(each.contribution) > 0.005 || Math.abs(beside.get(each.name) ?? 0) > 0.005);
  const values = shown.flatMap((each) => [each.contribution, beside.get(each.name) ?? 0]);
  const [low, high] = [Math.min(0, ...values), Math.max(0.001, ...values)];
  const at = (/** @type {number} */ value) => ((value - low) / (high - low)) * 100;
  const place = (/** @type {number} */ value) => ({ left: `${at(Math.min(value, 0))}%`, width: `${at(Math.max(value, 0)) - at(Math.min(value, 0))}%` });
  return html`<div class="bars" role="table" aria-label=${t('why.bars')}>
    ${shown.map((each) => {
      const other = beside.get(each.name);
      return html`<div role="row" style=${{ display: 'contents' }} key=${each.name}>
        <span role="rowheader">${named('stage', each.name)}</span>
        <span role="presentation" class="track" style=${{ '--zero': `${at(0)}%` }}>
          <span class=${`bar ${each.contribution < 0 ? 'minus' : ''}`} style=${place(each.contribution)}></span>
          ${other !== undefined && html`<span class="bar next" style=${place(other)}></span>`}
        </span>
        <span role="cell" class="numbers">${signed(each.contribution)}${other !== undefined && html`<span class="quiet small"> / ${signed(other)}</span>`}</span>
      </div>`;
    })}
  </div>`;
}
