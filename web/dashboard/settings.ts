/** Which project this dashboard reads: two variables at build time, or the local stack that serves the page. */

interface Settings {
  readonly url: string;
  readonly key: string;
  /** Who may sign in on a local stack; absent for a project. */
  readonly demo: { readonly email: string; readonly password: string } | undefined;
}

declare const LOCAL: { readonly key: string; readonly demo: NonNullable<Settings["demo"]> } | undefined;

export function settings(): Settings {
  if (LOCAL) return { url: location.origin, key: LOCAL.key, demo: LOCAL.demo };
  return { url: variable("VITE_SUPABASE_URL"), key: variable("VITE_SUPABASE_PUBLISHABLE_KEY"), demo: undefined };
}

function variable(name: string): string {
  const value: unknown = import.meta.env[name];
  if (typeof value !== "string" || value === "") throw new Error(`${name} was not set when this page was built`);
  return value;
}
