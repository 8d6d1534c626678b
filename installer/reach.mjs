/** Why a database cannot be reached, and what to do: said without its address, which holds the password. */

/** Where a password has one of these, an address ends there. */
const WRITTEN = "in a password, write / as %2F, # as %23, ? as %3F, @ as %40 and % as %25";

/** Codes for what the driver says in words alone. @type {[words: RegExp, code: string][]} */
const WORDS = [
  [/does not support SSL/, "NO_TLS"],
  [/timeout/, "ETIMEDOUT"],
  [/terminated/, "ECONNRESET"],
];

/** By the code of the error, as Node, OpenSSL and Postgres have them. @type {[codes: RegExp, remedy: string][]} */
const REMEDIES = [
  [/^(ENOTFOUND|EAI_AGAIN)$/, `no server of that name is known; check it, and ${WRITTEN}`],
  [
    /^(ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL)$/,
    "the direct address of a project has IPv6 alone; without it, take that of the session pooler, which the dashboard shows under Connect",
  ],
  [/^ECONNREFUSED$/, "no server listens there; check host and port, and whether it has been started"],
  [
    /^ETIMEDOUT$/,
    "nothing answers there; check host and port, whether the project is paused, and whether its network restrictions let this machine in",
  ],
  [/^ECONNRESET$/, "the server ended the connection; check the port, and look into the server's log"],
  [
    /^NO_TLS$/,
    "the server speaks no TLS, which the address asks for; if it is on this machine or in a network of your own, end the address with ?sslmode=disable",
  ],
  [/^28/, `check user and password; ${WRITTEN}`],
  [/^XX000$/, "check the user, which is postgres.YOUR-REF at a pooler"],
  [
    /CERT|SSL|ISSUER|VERIFY/,
    "the server's certificate is not one that Node knows; name Supabase's in NODE_EXTRA_CA_CERTS, or end the address with ?sslmode=no-verify",
  ],
];

/** @param {unknown} error of a connection that was refused */
export function unreachable(error) {
  const { code: said, message = "" } = /** @type {{ code?: string, message?: string }} */ (error);
  const code = said ?? WORDS.find(([words]) => words.test(message))?.[1] ?? "no reason given";
  const remedy = REMEDIES.find(([codes]) => codes.test(code))?.[1] ?? "check address and password";
  return `the database of --db-url cannot be reached (${code}); ${remedy}`;
}

export const UNREADABLE = `the address of --db-url cannot be read; ${WRITTEN}`;
