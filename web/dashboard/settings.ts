/** Which project this dashboard reads: variables at build time, or the local stack that serves the page. */

interface Settings {
  readonly url: string;
  readonly key: string;
  /** Where the playground is, if there is one to open an event in. */
  readonly playground: string | undefined;
  /** Who may sign in on a local stack; absent for a project. */
  readonly demo: { readonly email: string; readonly password: string } | undefined;
}

declare const LOCAL: { readonly key: string; readonly demo: NonNullable<Settings["demo"]> } | undefined;

export function settings(): Settings {
  if (LOCAL) return { url: location.origin, key: LOCAL.key, playground: "/", demo: LOCAL.demo };
  return {
    url: variable("VITE_SUPABASE_URL"),
    key: variable("VITE_SUPABASE_PUBLISHABLE_KEY"),
    playground: optional("VITE_PLAYGROUND_URL"),
    demo: undefined,
  };
}

function variable(name: string): string {
  const value = optional(name);
  if (value === undefined) throw new Error(`${name} was not set when this page was built`);
  return value;
}

function optional(name: string): string | undefined {
  const value: unknown = import.meta.env[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}
