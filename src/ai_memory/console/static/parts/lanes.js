// @ts-check
/** When memories held: a lane for each group, a line for each memory, and how many began in each month above them. */
import { html, useEffect, useMemo, useRef, useState } from '../core/html.js';
import { day, language, named, number, t } from '../core/words.js';
import { openMemory } from './memory.js';

const GROUPS = 7;
const TRACKS = 9;
const TRACK = 4;
const DENSITY = 52;

/** The first instants of the years or months between two instants, as many as fit. @param {number} from @param {number} to @param {number} most */
function ticks(from, to, most) {
  const first = new Date(from);
  const months = (to - from) / 2_629_800_000;
  const step = [1, 2, 3, 6, 12, 24, 60, 120, 240].find((each) => months / each <= most) ?? 600;
  const found = [];
  for (let at = new Date(first.getFullYear(), Math.floor(first.getMonth() / Math.min(step, 12)) * Math.min(step, 12), 1); at.getTime() <= to; at = new Date(at.getFullYear(), at.getMonth() + step, 1)) {
    if (at.getTime() >= from) found.push({ at: at.getTime(), label: new Intl.DateTimeFormat(language.get(), step >= 12 ? { year: 'numeric' } : { month: 'short', year: '2-digit' }).format(at) });
  }
  return found;
}

/** Each group's memories, packed into tracks; what does not fit is counted. @param {any[]} memories @param {string} by @param {number} from @param {number} to */
function packed(memories, by, from, to) {
  /** @type {Map<string, any[]>} */
  const groups = new Map();
  for (const memory of memories) {
    const name = (by === 'context' ? memory.context.split('/').slice(0, 2).join('/') : memory[by]) || t('time.none');
    groups.set(name, [...(groups.get(name) ?? []), memory]);
  }
  const sorted = [...groups].sort((one, other) => other[1].length - one[1].length);
  const gap = (to - from) / 260;
  return sorted.slice(0, GROUPS).map(([name, members]) => {
    const ends = new Array(TRACKS).fill(-Infinity);
    const lines = [];
    let left = 0;
    for (const memory of [...members].sort((one, other) => start(one) - start(other))) {
      const end = memory.valid_to ? Date.parse(memory.valid_to) : memory.type === 'episodic' || memory.type === 'conversation' ? start(memory) + gap : Math.min(to, start(memory) + gap * 5);
      const track = ends.findIndex((each) => each < start(memory));
      if (track < 0) left++;
      else {
        ends[track] = Math.max(end, start(memory) + gap) + gap / 3;
        lines.push({ memory, track, from: start(memory), to: Math.max(end, start(memory) + gap) });
      }
    }
    return { name, lines, left, total: members.length, tracks: Math.max(1, ...lines.map((each) => each.track + 1)) };
  });
}

/** @param {any} memory */
const start = (memory) => Date.parse(memory.valid_from ?? memory.created_at);

/** @param {{memories: any[], by: string, from: number, to: number, asOf: number, holds: (memory: any) => boolean, pick: (at: number) => void}} props */
export function Lanes({ memories, by, from, to, asOf, holds, pick }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [width, setWidth] = useState(900);
  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) => setWidth(Math.max(280, entry.contentRect.width)));
    watcher.observe(/** @type {HTMLElement} */ (box.current));
    return () => watcher.disconnect();
  }, []);
  const left = width < 560 ? 8 : 132;
  const end = to + (to - from) * 0.01;
  const x = (/** @type {number} */ at) => left + ((at - from) / (end - from)) * (width - left - 8);
  const lanes = useMemo(() => packed(memories, by, from, end), [memories, by, from, end]);
  const months = useMemo(() => density(memories, from, end, Math.round((width - left) / 9)), [memories, from, end, width]);
  let y = DENSITY + 14;
  const placed = lanes.map((lane) => {
    const head = width < 560 ? 16 : 0;
    const top = y + head;
    y = top + lane.tracks * (TRACK + 2) + 14;
    return { ...lane, top };
  });
  const height = y + 18;
  const most = Math.max(1, ...months.map((each) => each.count));
  const at = (/** @type {MouseEvent} */ event) => {
    const rect = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    return from + ((event.clientX - rect.left - left) / (width - left - 8)) * (end - from);
  };
  const click = (/** @type {any} */ event) => {
    const id = event.target.dataset?.id;
    if (id) openMemory(id);
    else if (event.clientX - event.currentTarget.getBoundingClientRect().left > left) pick(Math.min(to, Math.max(from, at(event))));
  };
  return html`<div class="lanes" ref=${box}><svg class="chart" width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} role="img" aria-label=${t('time.lanes', { n: memories.length, from: day(from), to: day(to) })} onClick=${click}>
    <defs><linearGradient id="still"><stop class="still" offset="0.35" /><stop class="still over" offset="1" /></linearGradient></defs>
    ${ticks(from, end, Math.max(3, (width - left) / 84)).map((tick) => html`<g key=${tick.at}><line class="axis" x1=${x(tick.at)} x2=${x(tick.at)} y1="0" y2=${height - 18} /><text x=${Math.min(x(tick.at), width - 22)} y=${height - 4} text-anchor="middle">${tick.label}</text></g>`)}
    ${months.map((each) => html`<rect key=${each.from} class="dense" x=${x(each.from) + 0.5} width=${Math.max(1, x(each.to) - x(each.from) - 1)} y=${DENSITY - (each.count / most) * (DENSITY - 6)} height=${(each.count / most) * (DENSITY - 6)} rx="1.5"><title>${`${day(each.from)}: ${number(each.count)}`}</title></rect>`)}
    ${placed.map(
      (lane) => html`<g key=${lane.name}>
        <text class="lane-name" x=${width < 560 ? left : left - 12} y=${width < 560 ? lane.top - 5 : lane.top + 8} text-anchor=${width < 560 ? 'start' : 'end'}>${cut(by === 'type' ? named('type', lane.name) : lane.name, width < 560 ? 30 : 17)}<title>${lane.name}</title></text>
        ${width >= 560 && lane.tracks > 2 && html`<text x=${left - 12} y=${lane.top + 23} text-anchor="end">${lane.left ? t('time.lane.left', { n: lane.total }) : number(lane.total)}</text>`}
        ${lane.lines.map((line) => html`<rect key=${line.memory.id} data-id=${line.memory.id} class=${`life ${holds(line.memory) ? 'on' : ''} ${line.memory.valid_to ? '' : 'open'}`} x=${x(line.from)} width=${Math.max(3, x(line.to) - x(line.from))} y=${lane.top + line.track * (TRACK + 2)} height=${TRACK} rx="2"><title>${line.memory.text.slice(0, 120)}</title></rect>`)}
      </g>`,
    )}
    <line class="now-line" x1=${x(asOf)} x2=${x(asOf)} y1="0" y2=${height - 18} /><circle class="now-dot" cx=${x(asOf)} cy="4" r="4.5" />
  </svg></div>`;
}

/** @param {string} text @param {number} length */
const cut = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

/** How many began in each part of the time. @param {any[]} memories @param {number} from @param {number} to @param {number} parts */
function density(memories, from, to, parts) {
  const size = (to - from) / parts;
  const found = Array.from({ length: parts }, (_, at) => ({ from: from + at * size, to: from + (at + 1) * size, count: 0 }));
  for (const memory of memories) {
    const at = Math.floor((start(memory) - from) / size);
    if (found[at]) found[at].count++;
  }
  return found;
}
