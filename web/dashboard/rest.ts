/**
 * The part of PostgREST's interface that the dashboard uses: rows of a table by equal columns, and functions. The names are
 * those of `postgrest-js`, which has the whole interface, at five times the weight.
 */

export interface Answer {
  readonly data: unknown;
  readonly error: { readonly code: string; readonly message: string } | null;
}
type Send = (url: string, init: RequestInit) => Promise<Response>;
type Method = "GET" | "POST" | "PATCH" | "DELETE";

export function rest(url: string, send: Send) {
  const table = (name: string, method: Method, body?: object) =>
    new Query(send, new URL(`${url}/${name}`), method, body);
  return {
    from: (name: string) => ({
      select: (columns: string) => table(name, "GET").select(columns),
      insert: (row: object) => table(name, "POST", row),
      update: (changed: object) => table(name, "PATCH", changed),
      delete: () => table(name, "DELETE"),
    }),
    rpc: (name: string, args: object): PromiseLike<Answer> => table(`rpc/${name}`, "POST", args),
  };
}

/** A request that is sent when it is awaited. */
class Query implements PromiseLike<Answer> {
  readonly #send: Send;
  readonly #url: URL;
  readonly #method: Method;
  readonly #body: object | undefined;

  constructor(send: Send, url: URL, method: Method, body: object | undefined) {
    this.#send = send;
    this.#url = url;
    this.#method = method;
    this.#body = body;
  }

  /** The columns that are answered; of a change, those of the rows that it reached. */
  select(columns: string): this {
    return this.#with("select", columns.replaceAll(" ", ""));
  }
  eq(column: string, value: string): this {
    return this.#with(column, `eq.${value}`);
  }
  order(column: string, { ascending = true } = {}): this {
    return this.#with("order", `${column}.${ascending ? "asc" : "desc"}`);
  }
  limit(most: number): this {
    return this.#with("limit", String(most));
  }

  then<A = Answer, B = never>(
    done?: ((answer: Answer) => A | PromiseLike<A>) | null,
    failed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#answer().then(done, failed);
  }

  #with(name: string, value: string): this {
    this.#url.searchParams.append(name, value);
    return this;
  }

  async #answer(): Promise<Answer> {
    const headers: Record<string, string> = {};
    if (this.#body !== undefined) headers["content-type"] = "application/json";
    if (this.#method !== "GET" && this.#url.searchParams.has("select")) headers["prefer"] = "return=representation";
    const body = this.#body === undefined ? null : JSON.stringify(this.#body);
    const response = await this.#send(this.#url.href, { method: this.#method, headers, body });
    const text = await response.text();
    if (!response.ok) return { data: null, error: problem(response, text) };
    return { data: text === "" ? null : JSON.parse(text) as unknown, error: null };
  }
}

/** What PostgREST says of a refusal; in front of it, a gateway may say something else. */
function problem(response: Response, text: string): NonNullable<Answer["error"]> {
  try {
    const { code, message } = JSON.parse(text) as { readonly code?: unknown; readonly message?: unknown };
    if (typeof code === "string" && typeof message === "string") return { code, message };
  } catch {
    // It is no JSON: the status has to do.
  }
  return { code: String(response.status), message: response.statusText };
}
