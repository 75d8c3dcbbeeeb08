// @ts-check
/** Files as drafts of memories: JSON lines, JSON, CSV and TSV, Markdown, and plain text. */

/** @typedef {{format: string, lines: string[], skipped: string[]}} Read */

/** @param {string} name @param {string} text @returns {Read} */
export function read(name, text) {
  const body = text.replace(/^\uFEFF/, '');
  const end = name.toLowerCase().split('.').at(-1) ?? '';
  if (['jsonl', 'ndjson'].includes(end)) return { format: 'jsonl', lines: body.split('\n').filter((line) => line.trim()), skipped: [] };
  if (end === 'json') return json(body);
  if (end === 'csv' || end === 'tsv') return table(body, end === 'tsv' ? '\t' : delimiter(body));
  if (['md', 'markdown'].includes(end)) return { format: 'markdown', lines: sections(body, name).map((each) => JSON.stringify(each)), skipped: [] };
  if (/^\s*\{.*\}\s*$/m.test(body.slice(0, 4000)) && looksLikeLines(body)) return { format: 'jsonl', lines: body.split('\n').filter((line) => line.trim()), skipped: [] };
  return { format: 'text', lines: body.split(/\n\s*\n/).map((part) => part.trim()).filter(Boolean).map((part) => JSON.stringify({ text: part, source: name })), skipped: [] };
}

/** @param {string} body */
function looksLikeLines(body) {
  try {
    return typeof JSON.parse(body.trim().split('\n')[0]) === 'object';
  } catch {
    return false;
  }
}

/** @param {string} body @returns {Read} */
function json(body) {
  const found = JSON.parse(body);
  const items = Array.isArray(found) ? found : Object.values(found).find(Array.isArray) ?? [found];
  const lines = items.map((/** @type {unknown} */ item) => JSON.stringify(typeof item === 'string' ? { text: item } : item));
  return { format: 'json', lines, skipped: [] };
}

/** @param {string} body */
function delimiter(body) {
  const head = body.split('\n', 1)[0];
  return [',', ';', '\t'].sort((one, other) => head.split(other).length - head.split(one).length)[0];
}

/** @param {string} body @param {string} comma @returns {Read} */
function table(body, comma) {
  const rows = cells(body, comma);
  const head = (rows.shift() ?? []).map((name) => name.trim().toLowerCase());
  const text = ['text', 'content', 'memory', 'body', 'message'].find((name) => head.includes(name));
  if (!text) throw new Error(`no column is called text; the columns are: ${head.join(', ').slice(0, 200)}`);
  const skipped = [];
  const lines = [];
  for (const [at, row] of rows.entries()) {
    const fields = Object.fromEntries(head.map((name, place) => [name === text ? 'text' : name, row[place] ?? '']).filter(([, value]) => value !== ''));
    if (fields.text) lines.push(JSON.stringify(fields));
    else if (row.some((each) => each)) skipped.push(`${at + 2}`);
  }
  return { format: comma === '\t' ? 'tsv' : 'csv', lines, skipped };
}

/** @param {string} body @param {string} comma @returns {string[][]} */
function cells(body, comma) {
  /** @type {string[][]} */
  const rows = [[]];
  let cell = '';
  let quoted = false;
  for (let at = 0; at < body.length; at++) {
    const each = body[at];
    if (quoted) {
      if (each !== '"') cell += each;
      else if (body[at + 1] === '"') (cell += '"'), at++;
      else quoted = false;
    } else if (each === '"' && !cell) quoted = true;
    else if (each === comma) (rows.at(-1)?.push(cell), (cell = ''));
    else if (each === '\n') (rows.at(-1)?.push(cell.replace(/\r$/, '')), (cell = ''), rows.push([]));
    else cell += each;
  }
  rows.at(-1)?.push(cell);
  return rows.filter((row) => row.length > 1 || row[0]);
}

/** @param {string} body @param {string} source */
function sections(body, source) {
  return body
    .split(/^(?=#{1,3} )/m)
    .map((part) => ({ part, title: /^#{1,3} (.*)/.exec(part)?.[1]?.trim() }))
    .filter(({ part, title }) => part.replace(/^#.*/, '').trim() || title)
    .map(({ part, title }) => ({ text: part.trim(), ...(title ? { title } : {}), type: 'documentation', source }));
}
