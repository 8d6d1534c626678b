/** Stands in for the administration of users, of which a page that reads as its reader only ends a session. */
interface Options {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export default class SignOut {
  readonly #options: Options;
  constructor(options: Options) {
    this.#options = options;
  }

  /** Whether or not the server hears of it, the session is forgotten here. */
  async signOut(token: string, scope: string): Promise<{ readonly data: null; readonly error: null }> {
    const { url, headers } = this.#options;
    const request = { method: "POST", headers: { ...headers, authorization: `Bearer ${token}` } };
    await fetch(`${url}/logout?scope=${scope}`, request).catch((error: unknown) => console.error(error));
    return { data: null, error: null };
  }
}
