// @ts-check
/** Draws a layout on a canvas, and takes the hands: drag, pan, zoom, choose. */
import { html, useEffect, useRef } from '../core/html.js';

/** @typedef {import('./layout.js').Node} Node */
/** @typedef {import('./layout.js').Layout} Layout */

const KINDS = ['memory', 'person', 'organisation', 'place', 'product', 'date', 'event', 'version'];

/** The colour of a kind, by the design's names. @param {string} kind */
export function colourOf(kind) {
  if (kind === 'memory') return '--edge';
  const at = KINDS.indexOf(kind);
  return `--c${at > 0 ? at : 8}`;
}

/** @param {Node} node */
export const radius = (node) => (node.kind === 'memory' ? 4 : 5 + Math.min(13, Math.sqrt(node.weight) * 0.85));

/** @param {string} text @param {number} length */
const short = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

/**
 * @param {{layout: Layout, version: number, chosen: string, path: Set<string>, labels: string, label: string,
 *   choose: (id: string) => void, expand: (id: string) => void, control: {current: any}}} props
 */
export function Canvas({ layout, version, chosen, path, labels, label, choose, expand, control }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const state = useRef({ x: 0, y: 0, scale: 1, hover: '', fitted: false, dirty: true });
  const props = useRef({ chosen, path, labels, choose, expand });
  props.current = { chosen, path, labels, choose, expand };
  useEffect(() => {
    state.current.dirty = true;
  }, [version, chosen, path, labels]);
  useEffect(() => {
    const place = /** @type {HTMLCanvasElement} */ (canvas.current);
    const view = state.current;
    let frame = 0;
    let running = true;
    const loop = () => {
      if (!running) return;
      if (!layout.resting) {
        const until = performance.now() + 7; // the rest of the frame is for drawing
        do layout.tick();
        while (performance.now() < until && !layout.resting && layout.nodes.size < 800);
        if (!view.fitted) fit(place, layout, view);
        view.dirty = true;
      }
      if (view.dirty) {
        draw(place, layout, view, props.current);
        view.dirty = false;
      }
      frame = requestAnimationFrame(loop);
    };
    const size = () => {
      const ratio = devicePixelRatio || 1;
      place.width = place.clientWidth * ratio;
      place.height = place.clientHeight * ratio;
      view.dirty = true;
    };
    const watcher = new ResizeObserver(size);
    watcher.observe(place);
    const themes = new MutationObserver(() => (view.dirty = true));
    themes.observe(document.documentElement, { attributes: true });
    size();
    control.current = {
      fit: () => (fit(place, layout, view), (view.dirty = true)),
      zoom: (/** @type {number} */ factor) => ((view.fitted = true), (view.scale = clamp(view.scale * factor)), (view.dirty = true)),
      picture: () => new Promise((resolve) => place.toBlob(resolve, 'image/png')),
      centre: (/** @type {Node} */ node) => ((view.fitted = true), (view.x = node.x), (view.y = node.y), (view.dirty = true)),
      refit: () => (view.fitted = false),
      where: (/** @type {string} */ id) => {
        const node = layout.nodes.get(id);
        return node && { x: (node.x - view.x) * view.scale + place.clientWidth / 2, y: (node.y - view.y) * view.scale + place.clientHeight / 2 };
      },
    };
    const release = hands(place, layout, view, props);
    loop();
    return () => {
      running = false;
      cancelAnimationFrame(frame);
      watcher.disconnect();
      themes.disconnect();
      release();
    };
  }, [layout]);
  return html`<canvas class="graph-canvas" ref=${canvas} tabindex="0" role="img" aria-label=${label}></canvas>`;
}

/** @param {number} scale */
const clamp = (scale) => Math.min(6, Math.max(0.06, scale));

/** @param {HTMLCanvasElement} place @param {Layout} layout @param {any} view */
function fit(place, layout, view) {
  const nodes = [...layout.nodes.values()];
  if (!nodes.length) return;
  const xs = nodes.map((node) => node.x).sort((one, other) => one - other);
  const ys = nodes.map((node) => node.y).sort((one, other) => one - other);
  const [left, right, top, bottom] = [xs[0], xs[xs.length - 1], ys[0], ys[ys.length - 1]];
  view.x = (left + right) / 2;
  view.y = (top + bottom) / 2;
  view.scale = clamp(Math.min((place.clientWidth - 140) / Math.max(right - left, 60), (place.clientHeight - 180) / Math.max(bottom - top, 60), 1.9));
  view.y += 26 / view.scale; // the legend covers the lower edge
}

/** @param {HTMLCanvasElement} place @param {Layout} layout @param {any} view @param {any} props */
function draw(place, layout, view, props) {
  const paint = /** @type {CanvasRenderingContext2D} */ (place.getContext('2d'));
  const ratio = devicePixelRatio || 1;
  const styles = getComputedStyle(document.documentElement);
  const colour = (/** @type {string} */ name) => styles.getPropertyValue(name).trim();
  const [ground, ink, soft, rule, accent, edgeInk] = ['--ground', '--ink', '--soft', '--rule', '--accent', '--edge'].map(colour);
  /** @type {Map<string, string>} */
  const kinds = new Map();
  paint.setTransform(1, 0, 0, 1, 0, 0);
  paint.fillStyle = ground;
  paint.fillRect(0, 0, place.width, place.height);
  const scale = view.scale * ratio;
  paint.setTransform(scale, 0, 0, scale, place.width / 2 - view.x * scale, place.height / 2 - view.y * scale);
  const focus = view.hover || props.chosen;
  const beside = new Set([focus]);
  for (const { source, target } of layout.edges.values()) {
    if (source.id === focus) beside.add(target.id);
    if (target.id === focus) beside.add(source.id);
  }
  const lit = (/** @type {string} */ id) => !focus || beside.has(id) || props.path.has(id);
  const boxes = screen(place, view);
  paint.lineCap = 'round';
  // Thin lines are drawn a hundred at a time, which measured fastest: 10 ms for 2,600, and 16 with a stroke for each.
  paint.globalAlpha = focus ? 0.18 : 0.75;
  paint.strokeStyle = rule;
  paint.lineWidth = 0.9 / Math.max(view.scale, 0.5);
  paint.beginPath();
  /** @type {import('./layout.js').Edge[]} */
  const marked = [];
  let lines = 0;
  for (const edge of layout.edges.values()) {
    const { source, target } = edge;
    if (outside(source, boxes) && outside(target, boxes)) continue;
    if (edge.count > 1 || props.path.has(edge.id) || (focus && (source.id === focus || target.id === focus))) {
      marked.push(edge);
      continue;
    }
    paint.moveTo(source.x, source.y);
    paint.lineTo(target.x, target.y);
    if (++lines % 100 === 0) {
      paint.stroke();
      paint.beginPath();
    }
  }
  paint.stroke();
  for (const edge of marked) {
    const { source, target } = edge;
    const onPath = props.path.has(edge.id);
    const near = focus && (source.id === focus || target.id === focus);
    paint.globalAlpha = onPath || near ? 0.95 : focus ? 0.18 : 0.75;
    paint.strokeStyle = onPath ? accent : near ? edgeInk : rule;
    paint.lineWidth = (onPath ? 2.6 : Math.min(4, 0.9 + Math.log2(edge.count) * 0.45)) / Math.max(view.scale, 0.5);
    paint.beginPath();
    paint.moveTo(source.x, source.y);
    paint.lineTo(target.x, target.y);
    paint.stroke();
    if ((near || onPath) && view.scale > 0.55 && edge.type && edge.type !== 'MENTIONS') typed(paint, edge, view.scale, soft, ground);
  }
  for (const node of layout.nodes.values()) {
    if (outside(node, boxes)) continue;
    const name = colourOf(node.kind);
    if (!kinds.has(name)) kinds.set(name, colour(name));
    paint.globalAlpha = lit(node.id) ? 1 : 0.3;
    paint.fillStyle = /** @type {string} */ (kinds.get(name));
    paint.beginPath();
    const size = radius(node);
    if (node.kind === 'memory') paint.rect(node.x - size * 0.85, node.y - size * 0.85, size * 1.7, size * 1.7);
    else paint.arc(node.x, node.y, size, 0, 2 * Math.PI);
    paint.fill();
    if (node.id === props.chosen || node.id === view.hover || props.path.has(node.id)) {
      paint.lineWidth = 2.5 / view.scale;
      paint.strokeStyle = accent;
      paint.stroke();
    }
  }
  names(paint, layout, view, props, { ink, ground, lit, boxes, focus, beside });
  paint.globalAlpha = 1;
}

/** The names of nodes, the best known first, none over another. @param {CanvasRenderingContext2D} paint @param {Layout} layout @param {any} view @param {any} props @param {any} given */
function names(paint, layout, view, props, { ink, ground, lit, boxes, focus, beside }) {
  if (props.labels === 'none') return;
  const size = 12 / view.scale;
  paint.font = `500 ${size}px ${getComputedStyle(document.body).fontFamily}`;
  paint.textAlign = 'center';
  paint.textBaseline = 'top';
  paint.lineJoin = 'round';
  /** @type {[number, number, number, number][]} */
  const taken = [...layout.nodes.values()].filter((node) => node.kind !== 'memory' && lit(node.id)).map((node) => [node.x - radius(node), node.y - radius(node), node.x + radius(node), node.y + radius(node)]);
  const rank = (/** @type {Node} */ node) => (node.id === focus ? 1e9 : 0) + (beside.has(node.id) || props.path.has(node.id) ? 1e6 : 0) + (node.kind === 'memory' ? 0 : 1e3) + node.weight;
  const order = [...layout.nodes.values()].filter((node) => !outside(node, boxes) && (node.kind !== 'memory' || view.scale > 0.8 || beside.has(node.id))).sort((one, other) => rank(other) - rank(one)).slice(0, 160);
  for (const node of order) {
    const text = short(node.label, props.labels === 'full' ? 80 : node.kind === 'memory' ? 30 : 24);
    const half = paint.measureText(text).width / 2 + 3 / view.scale;
    const top = node.y + radius(node) + 3 / view.scale;
    const box = /** @type {[number, number, number, number]} */ ([node.x - half, top, node.x + half, top + size * 1.25]);
    if (node.id !== focus && taken.some((each) => each[0] < box[2] && each[2] > box[0] && each[1] < box[3] && each[3] > box[1])) continue;
    taken.push(box);
    paint.globalAlpha = lit(node.id) ? 1 : 0.35;
    paint.lineWidth = 3.5 / view.scale;
    paint.strokeStyle = ground;
    paint.strokeText(text, node.x, top);
    paint.fillStyle = ink;
    paint.fillText(text, node.x, top);
  }
}

/** The type of an edge, in its middle. @param {CanvasRenderingContext2D} paint @param {any} edge @param {number} scale @param {string} soft @param {string} ground */
function typed(paint, edge, scale, soft, ground) {
  const [x, y] = [(edge.source.x + edge.target.x) / 2, (edge.source.y + edge.target.y) / 2];
  paint.font = `${9.5 / scale}px ${getComputedStyle(document.body).fontFamily}`;
  paint.textAlign = 'center';
  paint.textBaseline = 'middle';
  paint.lineWidth = 3 / scale;
  paint.strokeStyle = ground;
  paint.strokeText(edge.type, x, y);
  paint.fillStyle = soft;
  paint.fillText(edge.type, x, y);
}

/** The part of the plane that is seen. @param {HTMLCanvasElement} place @param {any} view */
function screen(place, view) {
  const [w, h] = [place.clientWidth / 2 / view.scale + 40, place.clientHeight / 2 / view.scale + 40];
  return { left: view.x - w, right: view.x + w, top: view.y - h, bottom: view.y + h };
}
/** @param {Node} node @param {any} box */
const outside = (node, box) => node.x < box.left || node.x > box.right || node.y < box.top || node.y > box.bottom;

/** @param {HTMLCanvasElement} place @param {Layout} layout @param {any} view @param {{current: any}} props */
function hands(place, layout, view, props) {
  /** @type {Map<number, {x: number, y: number}>} */
  const fingers = new Map();
  /** @type {{node: Node | null, moved: boolean}} */
  let held = { node: null, moved: false };
  const at = (/** @type {{offsetX: number, offsetY: number}} */ event) => ({ x: (event.offsetX - place.clientWidth / 2) / view.scale + view.x, y: (event.offsetY - place.clientHeight / 2) / view.scale + view.y });
  const hit = (/** @type {any} */ event) => {
    const { x, y } = at(event);
    let [best, near] = [/** @type {Node | null} */ (null), Infinity];
    for (const node of layout.nodes.values()) {
      const distance = Math.hypot(node.x - x, node.y - y) - radius(node);
      if (distance < 8 / view.scale && distance < near) [best, near] = [node, distance];
    }
    return best;
  };
  const down = (/** @type {PointerEvent} */ event) => {
    place.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    held = { node: fingers.size === 1 ? hit(event) : null, moved: false };
    if (held.node) held.node.fixed = true;
  };
  const move = (/** @type {PointerEvent} */ event) => {
    const finger = fingers.get(event.pointerId);
    if (!finger) {
      const over = hit(event)?.id ?? '';
      if (over !== view.hover) [view.hover, view.dirty] = [over, true];
      place.style.cursor = over ? 'pointer' : 'grab';
      return;
    }
    const [dx, dy] = [event.offsetX - finger.x, event.offsetY - finger.y];
    if (Math.abs(dx) + Math.abs(dy) > 3) held.moved = true;
    if (fingers.size === 2) {
      const other = /** @type {{x: number, y: number}} */ ([...fingers].find(([id]) => id !== event.pointerId)?.[1]);
      view.scale = clamp((view.scale * Math.hypot(event.offsetX - other.x, event.offsetY - other.y)) / Math.max(1, Math.hypot(finger.x - other.x, finger.y - other.y)));
    } else if (held.node) {
      Object.assign(held.node, at(event));
      layout.warm(0.25);
    } else if (held.moved) {
      view.x -= dx / view.scale;
      view.y -= dy / view.scale;
    } else return;
    [finger.x, finger.y] = [event.offsetX, event.offsetY];
    view.fitted = view.dirty = true;
  };
  const up = (/** @type {PointerEvent} */ event) => {
    fingers.delete(event.pointerId);
    if (held.node) held.node.fixed = false;
    if (!held.moved && event.type === 'pointerup') props.current.choose(held.node?.id ?? '');
    held = { node: null, moved: false };
  };
  const twice = (/** @type {MouseEvent} */ event) => {
    const node = hit(event);
    if (node) props.current.expand(node.id);
  };
  const wheel = (/** @type {WheelEvent} */ event) => {
    event.preventDefault();
    const before = at(event);
    view.scale = clamp(view.scale * Math.exp(-event.deltaY * 0.0015));
    const after = at(event);
    view.x += before.x - after.x;
    view.y += before.y - after.y;
    view.fitted = view.dirty = true;
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowLeft: [-40, 0], ArrowRight: [40, 0], ArrowUp: [0, -40], ArrowDown: [0, 40] }[event.key];
    if (step) [view.x, view.y] = [view.x + step[0] / view.scale, view.y + step[1] / view.scale];
    else if (event.key === '+' || event.key === '=') view.scale = clamp(view.scale * 1.2);
    else if (event.key === '-') view.scale = clamp(view.scale / 1.2);
    else return;
    event.preventDefault();
    view.fitted = view.dirty = true;
  };
  const heard = /** @type {[string, any][]} */ ([['pointerdown', down], ['pointermove', move], ['pointerup', up], ['pointercancel', up], ['dblclick', twice], ['wheel', wheel], ['keydown', keys]]);
  for (const [name, listen] of heard) place.addEventListener(name, listen, { passive: false });
  return () => heard.forEach(([name, listen]) => place.removeEventListener(name, listen));
}
