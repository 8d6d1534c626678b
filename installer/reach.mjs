/** Why a database cannot be reached, and what to do: said without its address, which holds the password. */

/** Where a password has one of these, an address ends there. */
const WRITTEN = "in a password, write / as %2F, # as %23, ? as %3F, @ as %40 and % as %25";

/** By the code of the error, as Node, OpenSSL and Postgres have them. @type {[codes: RegExp, remedy: string][]} */
const REMEDIES = [
  [/^(ENOTFOUND|EAI_AGAIN)$/, `no server of that name is known; check it, and ${WRITTEN}`],
  [
    /^(ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL)$/,
    "the direct address of a project has IPv6 alone; without it, take that of the session pooler, which the dashboard shows under Connect",
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
  const { code = "no reason given" } = /** @type {{ code?: string }} */ (error);
  const remedy = REMEDIES.find(([codes]) => codes.test(code))?.[1] ?? "check address and password";
  return `the database of --db-url cannot be reached (${code}); ${remedy}`;
}

export const UNREADABLE = `the address of --db-url cannot be read; ${WRITTEN}`;
