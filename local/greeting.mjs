import { defaultPort, demoUser } from "./settings.mjs";

/**
 * What a person needs next: addresses, keys, and two events to try, one accepted and one rejected.
 *
 * @param {import("./stack.mjs").Stack} stack
 * @param {{ asked: number | undefined, folder: string }} context
 */
export function greeting({ url, publishableKey, secretKey }, { asked, folder }) {
  const moved = asked === undefined && !url.endsWith(`:${defaultPort}`)
    ? `\n  Port ${defaultPort} is taken, so this is the next free one.\n`
    : "";
  return `
audience-gate is running.
${moved}
  Playground        ${url}/
  Demo page         ${url}/demo/
  Dashboard         ${url}/dashboard/   ${demoUser.email} · ${demoUser.password}
  Events go to      ${url}/functions/v1/ingest
  REST and sign-in  ${url}/rest/v1   ${url}/auth/v1

  Publishable key   ${publishableKey}
  Secret key        ${secretKey}
  Data and log      ${folder}

An event that is accepted:

${curl(url, publishableKey, accepted)}

And one that is rejected, because four seconds are too short for a view:

${curl(url, publishableKey, rejected)}

Stop with Ctrl-C; the data stays. npm start -- --reset starts afresh.`;
}

export const accepted = {
  session_id: "readme-session",
  event_type: "content_view",
  event_category: "engagement",
  event_source: "web",
  metadata: { content_id: "hello", duration_seconds: 42 },
};

export const rejected = { ...accepted, metadata: { content_id: "hello", duration_seconds: 4 } };

function curl(/** @type {string} */ url, /** @type {string} */ key, /** @type {object} */ event) {
  return `  curl -s ${url}/functions/v1/ingest \\
    -H 'apikey: ${key}' -H 'content-type: application/json' \\
    -d '${JSON.stringify(event)}'`;
}
