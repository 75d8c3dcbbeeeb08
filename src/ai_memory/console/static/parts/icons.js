// @ts-check
/** Icons, drawn as lines of one weight on a field of 20 by 20. */
import { html } from '../core/html.js';

/** @type {Record<string, string>} */
const PATHS = {
  ask: 'M9 15.5A6.5 6.5 0 1 1 9 2.5a6.5 6.5 0 0 1 0 13Zm5-1.5 4 4',
  memories: 'M4 3.5h12v13H4zM7 7h6M7 10h6M7 13h3.5',
  time: 'M10 17.5a7.5 7.5 0 1 1 0-15 7.5 7.5 0 0 1 0 15ZM10 6v4.2l3 1.8',
  graph: 'M6.2 6.6 9 12M13.6 6.6 11 12M7 5.2h5.6M5 7a2 2 0 1 1 0-4 2 2 0 0 1 0 4Zm10 0a2 2 0 1 1 0-4 2 2 0 0 1 0 4Zm-5 9.5a2.3 2.3 0 1 1 0-4.6 2.3 2.3 0 0 1 0 4.6Z',
  inbox: 'M3 11.5 5.2 4h9.6L17 11.5v4.5H3zM3 11.5h4l1 2h4l1-2h4',
  upkeep: 'M12.8 3.2a4 4 0 0 0-4.6 5.5L3 13.9 6.1 17l5.2-5.2a4 4 0 0 0 5.5-4.6l-2.5 2.5-2.5-.6-.6-2.5z',
  transfer: 'M6.5 15V4M3.5 7l3-3 3 3M13.5 5v11M10.5 13l3 3 3-3',
  watch: 'M2.5 11h3.2l2-6 4 10.5 2.3-6.5 1 2h2.5',
  connect: 'M8 12 12 8M7 9.5 5 11.500a2.600 2.600 0 0 0 3.700 3.700l2-2M13 10.500l2-2a2.600 2.600 0 0 0-3.700-3.700l-2 2',
  plus: 'M10 4v12M4 10h12',
  close: 'M5 5l10 10M15 5 5 15',
  check: 'M4 10.5 8 14.500 16 6',
  filter: 'M3 5h14M6 10h8M8.500 15h3',
  table: 'M3 4h14v12H3zM3 8h14M8 8v8',
  cards: 'M3 4h6v5H3zM11 4h6v5h-6zM3 11h6v5H3zM11 11h6v5h-6z',
  pin: 'M10 12v5.500M6 12h8l-1.200-3V4H7.200v5z',
  edit: 'M4 16l.6-3L13 4.600 15.400 7 7 15.400zM11.500 6.100l2.400 2.400',
  trash: 'M4 5.500h12M8 5.500V3.500h4v2M5.500 5.500l.8 11h7.400l.8-11M8.500 8.500v5M11.500 8.500v5',
  archive: 'M3 4h14v3.500H3zM4.500 7.500V16h11V7.500M8 10.500h4',
  link: 'M8 12 12 8M7 9.500 5 11.500a2.600 2.600 0 0 0 3.700 3.700l2-2M13 10.500l2-2a2.600 2.600 0 0 0-3.700-3.700l-2 2',
  copy: 'M7 7h9v9H7zM13 7V4H4v9h3',
  more: 'M5 10h.01M10 10h.01M15 10h.01',
  warn: 'M10 3 18 16.500H2zM10 8v4M10 14.200v.01',
  info: 'M10 17.500a7.500 7.500 0 1 1 0-15 7.500 7.500 0 0 1 0 15ZM10 9v4.500M10 6.500v.01',
  play: 'M6 4v12l10-6z',
  pause: 'M7 4v12M13 4v12',
  undo: 'M4 8h8a4 4 0 0 1 0 8H8M7 4.500 3.500 8 7 11.500',
  later: 'M10 17.500a7.500 7.500 0 1 1 0-15 7.500 7.500 0 0 1 0 15ZM10 6v4.200l3 1.800',
  up: 'M5 12.500 10 7.500l5 5',
  down: 'M5 7.500l5 5 5-5',
  right: 'M7.500 5l5 5-5 5',
  sun: 'M10 13.500a3.500 3.500 0 1 1 0-7 3.500 3.500 0 0 1 0 7ZM10 2v2M10 16v2M2 10h2M16 10h2M4.300 4.300l1.400 1.400M14.300 14.300l1.400 1.400M4.300 15.700l1.400-1.400M14.300 5.700l1.400-1.400',
  moon: 'M16 11.500A6.500 6.500 0 0 1 8.500 4a6.500 6.500 0 1 0 7.500 7.500Z',
  picture: 'M3 4h14v12H3zM3 13l4-4 4 4 2-2 4 4M13 8h.01',
  download: 'M10 3.500V13M6 9.500l4 4 4-4M4 16.500h12',
  file: 'M5 2.500h6.500L15 6v11.500H5zM11.500 2.500V6H15',
  fit: 'M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4',
  expand: 'M10 4v12M4 10h12',
  gear: 'M10 12.500a2.500 2.500 0 1 1 0-5 2.500 2.500 0 0 1 0 5ZM10 2.500v2.200M10 15.300v2.200M2.500 10h2.200M15.300 10h2.200M4.700 4.700l1.600 1.600M13.700 13.700l1.600 1.600M4.700 15.300l1.600-1.600M13.700 6.300l1.600-1.600',
};

/** @param {{name: string, size?: number}} props */
export function Icon({ name, size = 18 }) {
  return html`<svg width=${size} height=${size} viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d=${PATHS[name] ?? PATHS.info} /></svg>`;
}
