import assert from "node:assert/strict";
import { check } from "../../../tests/function/check.ts";
import { badToken, identify } from "./caller.ts";
import { Refusal, type RefusalCode } from "./refusal.ts";

const USER = "7d9f5a4e-3c1b-4f0a-9b3e-2a6d1c8e4f50";
const KEYS = {
  publishable: ["sb_publishable_one", "anon.legacy.jwt"],
  secret: ["sb_secret_one", "sb_secret_two", "service.legacy.jwt"],
};
const verifyUser = (token: string) => token === "user.valid.jwt" ? Promise.resolve(USER) : Promise.reject(badToken());

interface Case {
  name: string;
  apikey?: string;
  bearer?: string;
  authorization?: string;
  inAddress?: string;
  is?: "visitor" | "user" | "trusted";
  refused?: RefusalCode;
}

Deno.test("every form of credential makes the caller it stands for", async () => {
  const cases: Case[] = [
    { name: "nothing", refused: "no_credentials" },
    { name: "publishable", apikey: "sb_publishable_one", is: "visitor" },
    { name: "legacy anon", apikey: "anon.legacy.jwt", is: "visitor" },
    { name: "secret", apikey: "sb_secret_one", is: "trusted" },
    { name: "another secret", apikey: "sb_secret_two", is: "trusted" },
    {
      name: "legacy service_role",
      apikey: "service.legacy.jwt",
      is: "trusted",
    },
    {
      name: "unknown key",
      apikey: "sb_secret_none",
      refused: "bad_credentials",
    },
    {
      name: "a key's beginning",
      apikey: "sb_secret_on",
      refused: "bad_credentials",
    },
    {
      name: "a key and more",
      apikey: "sb_secret_oneX",
      refused: "bad_credentials",
    },
    {
      name: "a key twice over",
      apikey: "sb_secret_onesb_secret_one",
      refused: "bad_credentials",
    },
    { name: "empty key", apikey: "", refused: "bad_credentials" },
    {
      name: "publishable in the address",
      inAddress: "sb_publishable_one",
      is: "visitor",
    },
    {
      name: "secret in the address",
      inAddress: "sb_secret_one",
      refused: "bad_credentials",
    },
    {
      name: "unknown in the address",
      inAddress: "nobody",
      refused: "bad_credentials",
    },
    {
      name: "the header before the address",
      apikey: "sb_secret_one",
      inAddress: "nobody",
      is: "trusted",
    },
    {
      name: "the key repeated as bearer",
      apikey: "sb_publishable_one",
      bearer: "sb_publishable_one",
      is: "visitor",
    },
    {
      name: "the secret repeated as bearer",
      apikey: "sb_secret_one",
      bearer: "sb_secret_one",
      is: "trusted",
    },
    {
      name: "publishable, secret as bearer",
      apikey: "sb_publishable_one",
      bearer: "service.legacy.jwt",
      is: "trusted",
    },
    {
      name: "secret, publishable as bearer",
      apikey: "sb_secret_one",
      bearer: "anon.legacy.jwt",
      is: "trusted",
    },
    {
      name: "only a key as bearer",
      bearer: "service.legacy.jwt",
      is: "trusted",
    },
    {
      name: "only a publishable key as bearer",
      bearer: "sb_publishable_one",
      is: "visitor",
    },
    {
      name: "unknown key, good bearer",
      apikey: "nobody",
      bearer: "sb_secret_one",
      refused: "bad_credentials",
    },
    {
      name: "a user",
      apikey: "sb_publishable_one",
      bearer: "user.valid.jwt",
      is: "user",
    },
    {
      name: "a user by beacon",
      inAddress: "anon.legacy.jwt",
      bearer: "user.valid.jwt",
      is: "user",
    },
    {
      name: "a user narrows a secret key",
      apikey: "sb_secret_one",
      bearer: "user.valid.jwt",
      is: "user",
    },
    {
      name: "a user without a key",
      bearer: "user.valid.jwt",
      refused: "no_credentials",
    },
    {
      name: "a bad token",
      apikey: "sb_publishable_one",
      bearer: "user.forged.jwt",
      refused: "bad_credentials",
    },
    {
      name: "a bad token with a secret",
      apikey: "sb_secret_one",
      bearer: "user.forged.jwt",
      refused: "bad_credentials",
    },
    {
      name: "not a bearer",
      apikey: "sb_publishable_one",
      authorization: "Basic dXNlcg==",
      refused: "bad_credentials",
    },
    {
      name: "an empty bearer",
      apikey: "sb_publishable_one",
      authorization: "Bearer ",
      refused: "bad_credentials",
    },
    {
      name: "bearer in lower case",
      apikey: "sb_publishable_one",
      authorization: "bearer user.valid.jwt",
      is: "user",
    },
  ];
  await check(
    cases,
    async ({ apikey, bearer, authorization, inAddress, is, refused }) => {
      const headers = new Headers();
      if (apikey !== undefined) headers.set("apikey", apikey);
      if (bearer !== undefined) {
        headers.set(
          "authorization",
          `Bearer ${bearer}`,
        );
      }
      if (authorization !== undefined) {
        headers.set(
          "authorization",
          authorization,
        );
      }
      const url = new URL("http://gate.test/ingest");
      if (inAddress !== undefined) url.searchParams.set("apikey", inAddress);
      const identified = identify(
        new Request(url, { headers }),
        url,
        KEYS,
        verifyUser,
      );
      if (refused) {
        await assert.rejects(
          identified,
          (error) => error instanceof Refusal && error.code === refused,
        );
      } else {
        assert.deepEqual(await identified, {
          kind: is,
          id: is === "user" ? USER : null,
        });
      }
    },
  );
});
