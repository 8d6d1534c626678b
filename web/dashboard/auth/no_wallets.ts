/** Stands in for signing in with a wallet of Ethereum. */
export const createSiweMessage = refuse;
export const fromHex = refuse;
export const getAddress = refuse;
export const toHex = refuse;

function refuse(): never {
  throw new Error("wallets are left out of this page: see web/dashboard/vite.config.js");
}
