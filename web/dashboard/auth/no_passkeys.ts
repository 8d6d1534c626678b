/** Stands in for passkeys and security keys, a fifth of the sign-in's weight: this page takes a password. */
export const browserSupportsWebAuthn = (): false => false;
export const createCredential = refuse;
export const deserializeCredentialCreationOptions = refuse;
export const deserializeCredentialRequestOptions = refuse;
export const getCredential = refuse;
export const serializeCredentialCreationResponse = refuse;
export const serializeCredentialRequestResponse = refuse;
export const webAuthnAbortService = { createNewAbortSignal: refuse };
export class WebAuthnApi {}

function refuse(): never {
  throw new Error("passkeys are left out of this page: see web/dashboard/vite.config.js");
}
