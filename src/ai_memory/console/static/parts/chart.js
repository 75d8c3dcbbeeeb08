// @ts-check
/** A small live chart: one or two lines over the last minutes. */
import { html, useEffect, useRef, useState } from '../core/html.js';
import { number } from '../core/words.js';

const HEIGHT = 132;
const COLOURS = ['--c1', '--c2', '--c3'];

/** A round number at or above a value. @param {number} value */
function above(value) {
  const step = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return [1, 2, 5, 10].map((each) => each * step).find((each) => each >= value) ?? value;
}

/** @param {{title: string, lines: {name: string, values: (number | null)[]}[], times: number[], show?: (value: number) => string}} props */
export function Chart({ title, lines, times, show = (value) => number(value, { maximumFractionDigits: 1 }) }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [width, setWidth] = useState(420);
  const [hover, setHover] = useState(-1);
  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) => setWidth(Math.max(200, entry.contentRect.width)));
    watcher.observe(/** @type {HTMLElement} */ (box.current));
    return () => watcher.disconnect();
  }, []);
  const values = lines.flatMap((line) => line.values).filter((value) => value !== null);
  const top = above(Math.max(lines.some((line) => line.values.some((value) => value)) ? 1e-6 : 1, .../** @type {number[]} */ (values)));
  const left = 46;
  const [from, to] = [times[0] ?? 0, times.at(-1) ?? 1];
  const x = (/** @type {number} */ at) => left + ((at - from) / Math.max(to - from, 1)) * (width - left - 6);
  const y = (/** @type {number} */ value) => HEIGHT - 20 - (value / top) * (HEIGHT - 32);
  const latest = hover >= 0 ? Math.min(hover, times.length - 1) : times.length - 1;
  const point = (/** @type {(number | null)[]} */ all) => all[latest] ?? null;
  const move = (/** @type {any} */ event) => {
    const at = from + ((event.clientX - event.currentTarget.getBoundingClientRect().left - left) / (width - left - 6)) * (to - from);
    setHover(times.reduce((best, each, place) => (Math.abs(each - at) < Math.abs(times[best] - at) ? place : best), 0));
  };
  return html`<figure class="panel column tight" ref=${box}>
    <figcaption class="row between"><h2>${title}</h2><span class="row numbers quiet">${lines.map((line, place) => html`<span class="row tight" key=${line.name}><span class="swatch" style=${{ background: `var(${COLOURS[place]})` }}></span>${line.name} <b class="ink">${point(line.values) === null ? '–' : show(/** @type {number} */ (point(line.values)))}</b></span>`)}</span></figcaption>
    <svg class="chart" width=${width} height=${HEIGHT} viewBox=${`0 0 ${width} ${HEIGHT}`} role="img" aria-label=${title} onMouseMove=${move} onMouseLeave=${() => setHover(-1)}>
      ${[0, top / 2, top].map((value) => html`<g key=${value}><line class="axis" x1=${left} x2=${width - 6} y1=${y(value)} y2=${y(value)} /><text x=${left - 6} y=${y(value) + 4} text-anchor="end">${show(value)}</text></g>`)}
      ${lines.map((line, place) => html`<path key=${line.name} d=${drawn(line.values, times, x, y)} fill="none" style=${{ stroke: `var(${COLOURS[place]})` }} stroke-width="2" stroke-linejoin="round" />`)}
      ${hover >= 0 && html`<line class="axis" x1=${x(times[latest])} x2=${x(times[latest])} y1="8" y2=${HEIGHT - 20} />`}
      ${times.length > 1 && html`<text x=${left} y=${HEIGHT - 4}>${new Date(from).toLocaleTimeString()}</text><text x=${width - 6} y=${HEIGHT - 4} text-anchor="end">${new Date(times[latest]).toLocaleTimeString()}</text>`}
    </svg></figure>`;
}

/** @param {(number | null)[]} values @param {number[]} times @param {(at: number) => number} x @param {(value: number) => number} y */
function drawn(values, times, x, y) {
  let path = '';
  let down = false;
  values.forEach((value, at) => {
    if (value === null) down = false;
    else {
      path += `${down ? 'L' : 'M'}${x(times[at]).toFixed(1)} ${y(value).toFixed(1)}`;
      down = true;
    }
  });
  return path;
}
