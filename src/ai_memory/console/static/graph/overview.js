// @ts-check
/** From all nodes and relations to a start that can be read: the best known entities, and what joins them. */

/**
 * Entities named by the most memories, and edges of two kinds among them: relations that are stated, and how often both are named.
 * @param {any} graph @param {number} count
 */
export function overview(graph, count) {
  const kinds = new Map(graph.nodes.map((/** @type {any} */ node) => [node.id, node]));
  /** @type {Map<string, string[]>} */
  const named = new Map();
  /** @type {Map<string, number>} */
  const weight = new Map();
  /** @type {any[]} */
  const stated = [];
  for (const edge of graph.edges) {
    const [source, target] = [kinds.get(edge.source), kinds.get(edge.target)];
    if (!source || !target) continue;
    if (source.kind === 'memory' && target.kind !== 'memory') {
      named.set(source.id, [...(named.get(source.id) ?? []), target.id]);
      weight.set(target.id, (weight.get(target.id) ?? 0) + 1);
    } else if (source.kind !== 'memory' && target.kind !== 'memory') {
      stated.push(edge);
      for (const id of [source.id, target.id]) weight.set(id, (weight.get(id) ?? 0) + 1);
    }
  }
  const best = [...weight].sort((one, other) => other[1] - one[1]).slice(0, count).map(([id]) => id);
  const shown = new Set(best);
  /** @type {Map<string, number>} */
  const together = new Map();
  for (const ids of named.values()) {
    const inside = [...new Set(ids)].filter((id) => shown.has(id)).sort();
    for (let i = 0; i < inside.length; i++) for (let j = i + 1; j < inside.length; j++) together.set(`${inside[i]} ${inside[j]}`, (together.get(`${inside[i]} ${inside[j]}`) ?? 0) + 1);
  }
  // Of a dense group each keeps its strongest ties, else everything would be joined with everything.
  /** @type {Map<string, number>} */
  const kept = new Map();
  const ties = [...together].sort((one, other) => other[1] - one[1]).filter(([pair]) => {
    const ends = pair.split(' ');
    if (ends.every((id) => (kept.get(id) ?? 0) >= 4)) return false;
    for (const id of ends) kept.set(id, (kept.get(id) ?? 0) + 1);
    return true;
  });
  return {
    nodes: best.map((id) => ({ ...kinds.get(id), weight: weight.get(id) ?? 1 })),
    edges: [
      ...ties.map(([pair, times]) => ({ id: pair, source: pair.split(' ')[0], target: pair.split(' ')[1], type: '', count: times })),
      ...stated.filter((edge) => shown.has(edge.source) && shown.has(edge.target)).map((edge) => ({ id: edge.id, source: edge.source, target: edge.target, type: edge.type, count: 1, relation: edge })),
    ],
  };
}
