// @ts-check
/** The service over REST: one function for each operation that the console uses. */
import { key, keyWanted, proof } from './session.js';

/** @typedef {import('../api').components['schemas']} Schemas */
/** @typedef {Record<string, unknown>} Fields */
/** @typedef {{signal?: AbortSignal}} Options */

/** An error that the service answered with, or `unreachable` where nothing answered. */
export class ApiError extends Error {
  /** @param {number} status @param {{code: string, message: string, hint?: string | null, details?: Fields}} body */
  constructor(status, body) {
    super(body.message);
    this.status = status;
    this.code = body.code;
    this.hint = body.hint ?? '';
    this.details = body.details ?? {};
  }
}

/** The address with the fields as its query; lists are written as JSON, so that a comma stays a comma. @param {string} path @param {Fields} fields */
function address(path, fields) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || value === null || value === '' || (Array.isArray(value) && !value.length)) continue;
    query.set(name, Array.isArray(value) ? JSON.stringify(value) : String(value));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/** Headers that show who asks. */
export function credentials() {
  /** @type {Record<string, string>} */
  const headers = {};
  if (key.get()) headers.Authorization = `Bearer ${key.get()}`;
  if (proof.get()) Object.assign(headers, { 'X-AI-Memory-Actor': 'person', 'X-AI-Memory-Proof': proof.get() });
  return headers;
}

/**
 * The response itself. Raises ApiError.
 * @param {string} method @param {string} path
 * @param {{query?: Fields, body?: Fields, raw?: BodyInit, type?: string, accept?: string} & Options} [options]
 */
export async function ask(method, path, { query = {}, body, raw, type = 'application/json', accept, signal } = {}) {
  const headers = credentials();
  if (accept) headers.Accept = accept;
  if (body || raw) headers['Content-Type'] = type;
  /** @type {Response} */
  let response;
  try {
    response = await fetch(address(path, query), { method, headers, body: body ? JSON.stringify(given(body)) : raw, signal, redirect: 'error' });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, { code: 'unreachable', message: '' });
  }
  if (!response.ok) {
    const answer = await response.json().catch(() => ({}));
    const found = answer.error?.code ? answer.error : { code: String(response.status), message: response.statusText };
    if (response.status === 401) keyWanted.set(true);
    throw new ApiError(response.status, found);
  }
  return response;
}

/** Fields that were given. @param {Fields} fields */
const given = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** @param {string} method @param {string} path @param {Parameters<typeof ask>[2]} [options] @returns {Promise<any>} */
const json = async (method, path, options) => (await ask(method, path, options)).json();
/** @param {string} id */
const at = (id) => encodeURIComponent(id);

/** @param {string} path @returns {(fields?: Fields, options?: Options) => Promise<any>} */
const reads = (path) => (query = {}, options = {}) => json('GET', path, { query, ...options });
/** @param {string} path @returns {(fields?: Fields, options?: Options) => Promise<any>} */
const writes = (path) => (body = {}, options = {}) => json('POST', path, { body, ...options });

export const api = {
  /** @type {(fields: Fields, options?: Options) => Promise<Schemas['Answer']>} */
  recall: writes('/v1/recall'),
  /** @type {(fields: Fields, options?: Options) => Promise<Schemas['Page']>} */
  list: reads('/v1/memories'),
  /** @type {(fields: Fields, options?: Options) => Promise<Schemas['Receipt']>} */
  remember: writes('/v1/memories'),
  /** @type {(id: string, fields?: Fields, options?: Options) => Promise<Schemas['MemoryRecord']>} */
  get: (id, query = {}, options = {}) => json('GET', `/v1/memories/${at(id)}`, { query, ...options }),
  /** @type {(id: string, fields: Fields) => Promise<Schemas['Receipt']>} */
  revise: (id, body) => json('PATCH', `/v1/memories/${at(id)}`, { body }),
  /** @type {(id: string, fields: Fields) => Promise<Schemas['Receipt']>} */
  retire: (id, body) => json('POST', `/v1/memories/${at(id)}/retire`, { body }),
  /** @type {(id: string, fields: Fields) => Promise<Schemas['Forgotten']>} */
  forget: (id, query) => json('DELETE', `/v1/memories/${at(id)}`, { query }),
  /** @type {(fields: Fields, options?: Options) => Promise<Schemas['Forgotten']>} */
  forgetMany: writes('/v1/memories/forget'),
  /** @type {(id: string, fields: Fields, options?: Options) => Promise<Schemas['History']>} */
  history: (id, query, options = {}) => json('GET', `/v1/memories/${at(id)}/history`, { query, ...options }),
  /** @type {(id: string, fields: Fields) => Promise<Schemas['Judged']>} */
  feedback: (id, body) => json('POST', `/v1/memories/${at(id)}/feedback`, { body }),
  /** @type {(fields: Fields) => Promise<Schemas['Relation']>} */
  relate: writes('/v1/relations'),
  /** @type {(id: string, fields: Fields) => Promise<Schemas['Relation']>} */
  unrelate: (id, query) => json('DELETE', `/v1/relations/${at(id)}`, { query }),
  /** @type {(id: string, fields: Fields, options?: Options) => Promise<Schemas['Neighbours']>} */
  neighbours: (id, query, options = {}) => json('GET', `/v1/neighbours/${at(id)}`, { query, ...options }),
  /** @type {(fields: Fields, options?: Options) => Promise<Schemas['Entities']>} */
  entities: reads('/v1/entities'),
  /** @type {(fields: Fields, options?: Options) => Promise<Schemas['Paths']>} */
  path: reads('/v1/path'),
  /** @type {(fields: Fields, options?: Options) => Promise<Schemas['Graph']>} */
  graph: reads('/v1/graph'),
  /** @type {(fields: Fields) => Promise<Schemas['Decision']>} */
  merge: writes('/v1/decisions/merge'),
  /** @type {(fields: Fields) => Promise<Schemas['Decision']>} */
  split: writes('/v1/decisions/split'),
  /** @type {(fields: Fields, options?: Options) => Promise<Schemas['MadeDecisions']>} */
  decisions: reads('/v1/decisions'),
  /** @type {(id: string, fields: Fields) => Promise<Schemas['Decision']>} */
  undo: (id, query) => json('DELETE', `/v1/decisions/${at(id)}`, { query }),
  /** @type {(fields: Fields, options?: Options) => Promise<Schemas['Proposals']>} */
  proposals: reads('/v1/proposals'),
  /** @type {(id: string, fields: Fields) => Promise<Schemas['Proposed']>} */
  decide: (id, body) => json('POST', `/v1/proposals/${at(id)}`, { body }),
  /** @type {(fields: Fields, options?: Options) => Promise<Schemas['Timeline']>} */
  timeline: reads('/v1/timeline'),
  /** @type {(fields: Fields, options?: Options) => Promise<Schemas['Contexts']>} */
  contexts: reads('/v1/contexts'),
  /** @type {(fields: Fields, options?: Options) => Promise<Schemas['Changes']>} */
  changes: reads('/v1/changes'),
  /** @type {(fields?: Fields, options?: Options) => Promise<Schemas['Namespaces']>} */
  namespaces: reads('/v1/namespaces'),
  /** @type {(fields?: Fields, options?: Options) => Promise<Schemas['Stats']>} */
  stats: reads('/v1/stats'),
  /** @type {(fields?: Fields, options?: Options) => Promise<Schemas['Health']>} */
  health: reads('/v1/health'),
  /** @type {(fields?: Fields, options?: Options) => Promise<Schemas['Generations']>} */
  generations: reads('/v1/generations'),
  /** @type {(fields: Fields) => Promise<Schemas['Generations']>} */
  reembed: writes('/v1/generations'),
  /** @type {(fields?: Fields) => Promise<Schemas['Generations']>} */
  cancelReembed: writes('/v1/generations/cancel'),
  /** @type {(fields?: Fields) => Promise<Schemas['Generations']>} */
  activateGeneration: writes('/v1/generations/activate'),
  /** @type {(fields?: Fields) => Promise<Schemas['Generations']>} */
  takeBack: writes('/v1/generations/back'),
  /** @type {(fields?: Fields) => Promise<Schemas['Generations']>} */
  pruneGenerations: writes('/v1/generations/prune'),
  /** @type {(fields?: Fields, options?: Options) => Promise<Schemas['Jobs']>} */
  jobs: reads('/v1/jobs'),
  /** @type {(id: string, action: string) => Promise<Schemas['Jobs']>} */
  steerJob: (id, action) => json('POST', `/v1/jobs/${at(id)}`, { body: { action } }),
  /** @type {(fields: Fields, options?: Options) => Promise<Schemas['Events']>} */
  events: reads('/v1/events'),
  /** @type {(fields: Fields) => Promise<Schemas['Task']>} */
  check: writes('/v1/check'),
  /** @type {(fields?: Fields, options?: Options) => Promise<Schemas['Findings']>} */
  findings: reads('/v1/check'),
  /** @type {(fields?: Fields, options?: Options) => Promise<Schemas['Backups']>} */
  backups: reads('/v1/backups'),
  /** @type {(fields?: Fields) => Promise<Schemas['Task']>} */
  makeBackup: writes('/v1/backups'),
  /** @type {(name: string) => Promise<Schemas['Task']>} */
  verifyBackup: (name) => json('POST', `/v1/backups/${at(name)}/verify`, { body: {} }),
  /** @type {(name: string) => Promise<Schemas['Backups']>} */
  deleteBackup: (name) => json('DELETE', `/v1/backups/${at(name)}`),
  /** @type {(name: string) => Promise<Response>} */
  backupFile: (name) => ask('GET', `/v1/backups/${at(name)}/file`),
  /** @type {(fields?: Fields, options?: Options) => Promise<Schemas['Models']>} */
  models: reads('/v1/embedding-models'),
  /** @type {(name: string) => Promise<Schemas['Task']>} */
  fetchModel: (name) => json('POST', `/v1/embedding-models/${at(name)}/fetch`, { body: {} }),
  /** @type {(lines: Blob | string, fields: Fields, options?: Options) => Promise<Schemas['ImportReport']>} */
  importLines: (raw, query, options = {}) => json('POST', '/v1/import', { raw, query, type: 'application/x-ndjson', ...options }),
  /** @type {(fields: Fields, options?: Options) => Promise<Response>} */
  export: (query, options = {}) => ask('GET', '/v1/export', { query, ...options }),
  /** @type {(options?: Options) => Promise<{name: string, title: string, file: string, plain: string, scoped: string}[]>} */
  programs: (options = {}) => json('GET', '/console/programs.json', options),
  /** @type {(options?: Options) => Promise<string>} */
  metrics: async (options = {}) => (await ask('GET', '/metrics', options)).text(),
};
