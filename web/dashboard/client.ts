/**
 * The parts of a Supabase project that the dashboard talks to: sign-in, tables and functions of the database, the Edge
 * Function, Realtime. `supabase-js` has them too, with storage and all that Realtime can, which are half of its weight.
 */
import { AuthClient } from "@supabase/auth-js";
import { rest } from "./rest.ts";

export type Client = ReturnType<typeof connect>;

export function connect(url: string, key: string) {
  const auth = new AuthClient({
    url: `${url}/auth/v1`,
    headers: { apikey: key, authorization: `Bearer ${key}` },
    storageKey: "audience-gate.session",
  });
  const { from, rpc } = rest(`${url}/rest/v1`, asReader);
  return {
    auth,
    from,
    rpc,
    /** The address of the project's Realtime. */
    realtime: `${url.replace(/^http/, "ws")}/realtime/v1/websocket?apikey=${encodeURIComponent(key)}&vsn=1.0.0`,
    /** What the Edge Function answers; throws where it does not, or not to a page from here. */
    post: async (path: string): Promise<unknown> => {
      const response = await asReader(`${url}/functions/v1/${path}`, { method: "POST" });
      if (!response.ok) throw new Error(`${path} answered ${response.status}`);
      return await response.json();
    },
  };

  /** As whoever is signed in; the session is renewed first where it has run out. */
  async function asReader(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const { data: { session } } = await auth.getSession();
    const headers = new Headers(init?.headers);
    headers.set("apikey", key);
    headers.set("authorization", `Bearer ${session?.access_token ?? key}`);
    return fetch(input, { ...init, headers });
  }
}
