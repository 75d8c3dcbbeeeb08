// @ts-check
/** Reads Prometheus' text format, and what happened between two readings. */

/** @typedef {{name: string, labels: Record<string, string>, value: number}} Sample */

/** @param {string} text @returns {Sample[]} */
export function samples(text) {
  const found = [];
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!match) continue;
    const labels = Object.fromEntries([...(match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map((each) => [each[1], each[2]]));
    found.push({ name: match[1], labels, value: Number(match[3]) });
  }
  return found;
}

/** @param {Sample[]} all @param {string} name @param {(labels: Record<string, string>) => boolean} [wanted] */
export const sum = (all, name, wanted = () => true) => all.filter((each) => each.name === name && wanted(each.labels)).reduce((total, each) => total + each.value, 0);

/** A quantile of what was answered between two readings, in milliseconds; null where nothing was. @param {Sample[]} before @param {Sample[]} after @param {number} share @param {(labels: Record<string, string>) => boolean} wanted */
export function quantile(before, after, share, wanted) {
  const name = 'ai_memory_request_seconds_bucket';
  const edges = [...new Set(after.filter((each) => each.name === name).map((each) => each.labels.le))].sort((one, other) => limit(one) - limit(other));
  const counts = edges.map((le) => sum(after, name, (labels) => labels.le === le && wanted(labels)) - sum(before, name, (labels) => labels.le === le && wanted(labels)));
  const total = counts.at(-1) ?? 0;
  if (total <= 0) return null;
  const at = counts.findIndex((count) => count >= share * total);
  const [low, high] = [at > 0 ? limit(edges[at - 1]) : 0, limit(edges[at])];
  if (!Number.isFinite(high)) return low * 1000;
  const under = at > 0 ? counts[at - 1] : 0;
  return (low + (high - low) * ((share * total - under) / Math.max(counts[at] - under, 1))) * 1000;
}

/** @param {string} le */
const limit = (le) => (le === '+Inf' ? Infinity : Number(le));
