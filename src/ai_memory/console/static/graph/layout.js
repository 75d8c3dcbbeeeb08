// @ts-check
/** Where the nodes of a graph go: they repel each other, edges pull, and far away ones count as groups (Barnes and Hut, 1986). */

/** @typedef {{id: string, kind: string, label: string, weight: number, x: number, y: number, vx: number, vy: number, fixed?: boolean}} Node */
/** @typedef {{id: string, source: Node, target: Node, type: string, count: number, relation?: any}} Edge */

const THETA2 = 0.9;
const REPULSION = 900;
const COOLING = 0.982;

export class Layout {
  /** @type {Map<string, Node>} */
  nodes = new Map();
  /** @type {Map<string, Edge>} */
  edges = new Map();
  alpha = 1;

  /** Adds a node near another, or around the middle; returns the one that is there. @param {{id: string, kind: string, label: string, weight?: number}} node @param {Node} [near] */
  add(node, near) {
    const before = this.nodes.get(node.id);
    if (before) return before;
    const turn = this.nodes.size * 2.399963; // the golden angle: no two begin at the same place
    const far = near ? 46 : 26 * Math.sqrt(this.nodes.size + 1);
    const added = { weight: 1, ...node, x: (near?.x ?? 0) + far * Math.cos(turn), y: (near?.y ?? 0) + far * Math.sin(turn), vx: 0, vy: 0 };
    this.nodes.set(node.id, added);
    return added;
  }

  /** @param {{id: string, source: string, target: string, type: string, count?: number, relation?: any}} edge */
  join(edge) {
    const [source, target] = [this.nodes.get(edge.source), this.nodes.get(edge.target)];
    if (source && target && source !== target && !this.edges.has(edge.id)) this.edges.set(edge.id, { count: 1, ...edge, source, target });
  }

  /** @param {string} id */
  remove(id) {
    this.nodes.delete(id);
    for (const [key, edge] of this.edges) if (edge.source.id === id || edge.target.id === id) this.edges.delete(key);
  }

  warm(alpha = 0.7) {
    this.alpha = Math.max(this.alpha, alpha);
  }

  get resting() {
    return this.alpha < 0.012;
  }

  /** One step. */
  tick() {
    const nodes = [...this.nodes.values()];
    if (!nodes.length) return;
    const degree = new Map();
    for (const { source, target } of this.edges.values()) {
      degree.set(source, (degree.get(source) ?? 0) + 1);
      degree.set(target, (degree.get(target) ?? 0) + 1);
    }
    const tree = build(nodes);
    for (const node of nodes) {
      repel(node, tree, this.alpha);
      node.vx -= node.x * 0.012 * this.alpha;
      node.vy -= node.y * 0.012 * this.alpha;
    }
    for (const { source, target, count } of this.edges.values()) {
      const [dx, dy] = [target.x - source.x, target.y - source.y];
      const distance = Math.hypot(dx, dy) || 1;
      const wanted = 62 + 5 * Math.sqrt(source.weight + target.weight);
      const few = Math.min(degree.get(source), degree.get(target));
      const force = (((distance - wanted) / distance) * this.alpha * Math.min(0.7, 0.25 + count * 0.02)) / few;
      const share = degree.get(source) / (degree.get(source) + degree.get(target));
      target.vx -= dx * force * share;
      target.vy -= dy * force * share;
      source.vx += dx * force * (1 - share);
      source.vy += dy * force * (1 - share);
    }
    for (const node of nodes) {
      if (node.fixed) {
        node.vx = node.vy = 0;
        continue;
      }
      node.vx *= 0.62;
      node.vy *= 0.62;
      node.x += Math.max(-60, Math.min(60, node.vx));
      node.y += Math.max(-60, Math.min(60, node.vy));
    }
    this.alpha *= COOLING;
  }
}

/** @typedef {{x: number, y: number, size: number, mass: number, cx: number, cy: number, node: Node | null, parts: (Quad | null)[] | null}} Quad */

/** The square that holds all nodes, cut into quarters. @param {Node[]} nodes @returns {Quad} */
function build(nodes) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y } of nodes) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x);
    bottom = Math.max(bottom, y);
  }
  const root = quad(left, top, Math.max(right - left, bottom - top, 1));
  for (const node of nodes) insert(root, node, 0);
  return root;
}

/** @param {number} x @param {number} y @param {number} size @returns {Quad} */
const quad = (x, y, size) => ({ x, y, size, mass: 0, cx: 0, cy: 0, node: null, parts: null });

/** @param {Quad} into @param {Node} node @param {number} depth */
function insert(into, node, depth) {
  const mass = 1 + Math.sqrt(node.weight) * 0.4;
  into.cx = (into.cx * into.mass + node.x * mass) / (into.mass + mass);
  into.cy = (into.cy * into.mass + node.y * mass) / (into.mass + mass);
  into.mass += mass;
  if (!into.parts && !into.node) {
    into.node = node;
    return;
  }
  if (depth > 18) return; // as good as the same place
  if (!into.parts) {
    into.parts = [null, null, null, null];
    const former = /** @type {Node} */ (into.node);
    into.node = null;
    below(into, former, depth);
  }
  below(into, node, depth);
}

/** @param {Quad} into @param {Node} node @param {number} depth */
function below(into, node, depth) {
  const half = into.size / 2;
  const [right, low] = [node.x >= into.x + half ? 1 : 0, node.y >= into.y + half ? 1 : 0];
  const at = right + 2 * low;
  const parts = /** @type {(Quad | null)[]} */ (into.parts);
  parts[at] ??= quad(into.x + right * half, into.y + low * half, half);
  insert(/** @type {Quad} */ (parts[at]), node, depth + 1);
}

/** @param {Node} node @param {Quad} tree @param {number} alpha */
function repel(node, tree, alpha) {
  const stack = [tree];
  while (stack.length) {
    const each = /** @type {Quad} */ (stack.pop());
    let [dx, dy] = [node.x - each.cx, node.y - each.cy];
    let square = dx * dx + dy * dy;
    if (each.parts && each.size * each.size >= THETA2 * square) {
      for (const part of each.parts) if (part) stack.push(part);
      continue;
    }
    if (each.node === node) continue;
    if (square < 1) {
      [dx, dy, square] = [0.5 - Math.random(), 0.5 - Math.random(), 1];
    }
    if (square > 640_000) continue;
    if (each.node) {
      const apart = 26 + 0.9 * (Math.sqrt(each.node.weight) + Math.sqrt(node.weight)); // no node lies over another's name
      if (square < apart * apart) {
        const push = (apart / Math.sqrt(square) - 1) * 0.5 * Math.max(alpha, 0.15);
        node.vx += dx * push;
        node.vy += dy * push;
      }
    }
    const force = (REPULSION * each.mass * alpha) / (square + 60);
    const distance = Math.sqrt(square);
    node.vx += (dx / distance) * force * 0.06 * Math.sqrt(distance);
    node.vy += (dy / distance) * force * 0.06 * Math.sqrt(distance);
  }
}
