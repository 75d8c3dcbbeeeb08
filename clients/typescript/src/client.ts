// The transport of the client: one fetch for each call, errors as one class, a second try where that is safe.

/** What went wrong, with the stable code of the service (`not_found`, `invalid_input`, `service_unavailable` …). */
export class MemoryServiceError extends Error {
  readonly code: string;
  /** What to do about it, in the service's words. */
  readonly hint: string | undefined;
  /** The status of the HTTP answer; 0 where there was none. */
  readonly status: number;
  /** More about the error, such as the field that was wrong. */
  readonly details: Record<string, unknown>;

  constructor(code: string, message: string, status: number, hint?: string, details: Record<string, unknown> = {}) {
    super(message);
    this.name = "MemoryServiceError";
    this.code = code;
    this.status = status;
    this.hint = hint;
    this.details = details;
  }
}

/** Where the service is, and how to reach it. */
export interface ClientOptions {
  /** The address of the service. Default: http://127.0.0.1:7677 */
  url?: string;
  /** The key, where the service asks for one. */
  apiKey?: string;
  /** The namespace of requests that name none. */
  namespace?: string;
  /** Milliseconds until a call that was not answered fails. Default: 60000. */
  timeoutMs?: number;
  /** Another fetch than the global one, for tests and proxies. */
  fetch?: typeof fetch;
}

/** What one call may have besides its request. */
export interface CallOptions {
  /** Ends the call early. */
  signal?: AbortSignal;
}

/** How an operation is carried over HTTP. */
export interface Route {
  method: string;
  path: string;
  /** Whether it only reads: then it may be sent again. */
  reads: boolean;
  /** Whether a refused write is an answer with a receipt, and not an error. */
  refusal: boolean;
  /** Whether it works in a namespace. */
  scoped: boolean;
}

const PREFIX = "/v1";

/** Sends requests to one service. `MemoryClient` adds a method for each operation. */
export class Caller {
  readonly url: string;
  readonly #headers: Record<string, string>;
  readonly #namespace: string | undefined;
  readonly #timeoutMs: number;
  readonly #fetch: typeof fetch;

  constructor(options: ClientOptions = {}) {
    const url = options.url ?? "http://127.0.0.1:7677";
    if (!/^https?:\/\/./.test(url)) {
      throw new MemoryServiceError("invalid_input", `${JSON.stringify(url)} is not the address of a service`, 0, "write http://127.0.0.1:7677");
    }
    this.url = url.replace(/\/+$/, "");
    this.#headers = { Accept: "application/json" };
    if (options.apiKey) this.#headers["Authorization"] = `Bearer ${options.apiKey}`;
    this.#namespace = options.namespace;
    this.#timeoutMs = options.timeoutMs ?? 60_000;
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  }

  /** Carry out an operation: its fields go into the path, and into the query or the body. */
  async call<T>(route: Route, request: object, options: CallOptions = {}): Promise<T> {
    const values: Record<string, unknown> = { ...request };
    if (route.scoped && this.#namespace !== undefined) values["namespace"] ??= this.#namespace;
    const target = this.#target(route, values);
    const inQuery = route.method === "GET" || route.method === "DELETE";
    const body = inQuery ? undefined : JSON.stringify(values);
    const again = route.reads || typeof values["idempotency_key"] === "string";
    const response = await this.#send(route.method, target + (inQuery ? query(values) : ""), body, again, options);
    const answer = await readJson(response);
    if (response.ok) return answer as T;
    const error = errorOf(response.status, answer);
    if (route.refusal && response.status === 409 && error.details["receipt"] !== undefined) {
      return error.details["receipt"] as T; // a write that was refused is an answer, as in every other client
    }
    throw error;
  }

  /** The lines of an archive, one JSON object each, as they come. */
  async *exportLines(request: { namespace?: string; current_only?: boolean; tombstones?: boolean } = {}, options: CallOptions = {}): AsyncGenerator<string> {
    const response = await this.#send("GET", `${PREFIX}/export${query({ namespace: this.#namespace, ...request })}`, undefined, true, options);
    if (!response.ok) throw errorOf(response.status, await readJson(response));
    const reader = response.body?.getReader();
    if (reader === undefined) return;
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      const lines = (rest + decoder.decode(value, { stream: !done })).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
      if (done) break;
    }
    if (rest) yield rest;
  }

  /** Import lines: drafts with the fields of remember, or the lines of an archive. */
  async importLines(
    lines: Iterable<string | object>,
    request: { namespace?: string; resume_key?: string; reinstate?: boolean; tombstones?: boolean } = {},
    options: CallOptions = {},
  ): Promise<{ lines: number; counts: Record<string, number>; rejected: { line: number; code: string; reason: string }[] }> {
    const body = [...lines].map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
    const response = await this.#send("POST", `${PREFIX}/import${query({ namespace: this.#namespace, ...request })}`, body, false, options, "application/x-ndjson");
    const answer = await readJson(response);
    if (!response.ok) throw errorOf(response.status, answer);
    return answer as never;
  }

  /** The path with the fields that belong into it, which are taken out of the values. */
  #target(route: Route, values: Record<string, unknown>): string {
    const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = values[name];
      delete values[name];
      if (typeof value !== "string" || value === "") throw new MemoryServiceError("invalid_input", `${name} is missing`, 0, undefined, { field: name });
      return encodeURIComponent(value);
    });
    return PREFIX + path;
  }

  async #send(method: string, target: string, body: string | undefined, again: boolean, options: CallOptions, type = "application/json"): Promise<Response> {
    const headers: Record<string, string> = { ...this.#headers };
    if (body !== undefined) headers["Content-Type"] = type;
    for (let last = !again; ; last = true) {
      const limit = AbortSignal.timeout(this.#timeoutMs);
      const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
      try {
        return await this.#fetch(this.url + target, { method, headers, body: body ?? null, signal });
      } catch (error) {
        if (options.signal?.aborted) throw error;
        if (limit.aborted) {
          throw new MemoryServiceError("service_unavailable", `${this.url} did not answer within ${this.#timeoutMs / 1000} s`, 0, "give the client a longer timeoutMs, or look at the server's log");
        }
        if (last) {
          const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
          throw new MemoryServiceError("service_unavailable", `no service answers at ${this.url}: ${cause}`, 0, "start it: ai-memory serve");
        }
      }
    }
  }
}

function query(values: Record<string, unknown>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === null) continue;
    if (Array.isArray(value)) {
      const one = String(value[0] ?? "");
      if (value.length === 1 && (one.includes(",") || one.startsWith("[") || one === "")) parameters.append(name, JSON.stringify(value));
      else for (const each of value) parameters.append(name, String(each));
    } else parameters.append(name, typeof value === "object" ? JSON.stringify(value) : String(value));
  }
  const text = parameters.toString();
  return text ? `?${text}` : "";
}

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new MemoryServiceError("service_unavailable", `what answers is no AI Memory Service (status ${response.status})`, response.status, "check the address");
  }
}

function errorOf(status: number, answer: unknown): MemoryServiceError {
  const error = (answer as { error?: Record<string, unknown> } | null)?.error ?? {};
  const { code, message, hint, details, ...rest } = error;
  const more = typeof details === "object" && details !== null ? (details as Record<string, unknown>) : {};
  return new MemoryServiceError(String(code ?? "internal"), String(message ?? `status ${status}`), status, typeof hint === "string" ? hint : undefined, { ...rest, ...more });
}
