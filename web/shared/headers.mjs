// The headers that every page is served with: what it may load, that nobody may frame it, and that it tells no other
// site where it is. The local server sends them, and DEPLOY.md has them for the common hosts.

/**
 * @param {string} [project] origin of the project that the page reads; none, where it is served from the same origin
 * @returns {Record<string, string>}
 */
export const pageHeaders = (project) => ({
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    // Charts set their own styles.
    "style-src 'self' 'unsafe-inline'",
    "font-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self'${project ? ` ${project} ${project.replace(/^http/, "ws")}` : ""}`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; "),
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
});
