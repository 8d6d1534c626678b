import assert from "node:assert/strict";
import { check } from "../../../tests/function/check.ts";
import { settle } from "./answer.ts";
import type { StoreAnswer } from "./store.ts";

const ids = ["a", "b", "c"];
const rejection = {
  rule_id: "base.session_id",
  reason: "session_id is missing",
  violations: [{ rule_id: "base.session_id", path: "/session_id" }],
};
const late = {
  rule_id: "duplicate.double_fire",
  reason: "sent twice",
  violations: [{ rule_id: "duplicate.double_fire", path: "" }],
};

/** The gate's judgement of three events, of which those at `rejected` are refused. */
function judgement(rejected: readonly number[], readable = true) {
  const results = ids.map((id, index) =>
    rejected.includes(index) ? { index, id, status: "rejected", ...rejection } : { index, id, status: "accepted" }
  );
  const counts = {
    accepted: 3 - rejected.length,
    replayed: 0,
    rejected: rejected.length,
  };
  const answer = new TextEncoder().encode(
    JSON.stringify({ ...counts, contract: { version: "1" }, results }),
  );
  return { ...counts, total: 3, readable, argument: new Uint8Array(), answer };
}

Deno.test("the answer tells what the store did", async () => {
  const cases: {
    name: string;
    rejected?: number[];
    readable?: boolean;
    stored: Partial<StoreAnswer>;
    status: number;
    counts: [number, number, number];
    untouched?: boolean;
  }[] = [
    {
      name: "all recorded",
      stored: {},
      status: 200,
      counts: [3, 0, 0],
      untouched: true,
    },
    {
      name: "some refused by the gate",
      rejected: [1],
      stored: {},
      status: 207,
      counts: [2, 0, 1],
      untouched: true,
    },
    {
      name: "all refused by the gate",
      rejected: [0, 1, 2],
      stored: {},
      status: 422,
      counts: [0, 0, 3],
      untouched: true,
    },
    {
      name: "unreadable",
      rejected: [0, 1, 2],
      readable: false,
      stored: {},
      status: 400,
      counts: [0, 0, 3],
      untouched: true,
    },
    {
      name: "empty lists",
      stored: { replayed: [], rejected: [] },
      status: 200,
      counts: [3, 0, 0],
      untouched: true,
    },
    {
      name: "some replayed",
      stored: { replayed: [0, 2] },
      status: 200,
      counts: [1, 2, 0],
    },
    {
      name: "all replayed",
      stored: { replayed: [0, 1, 2] },
      status: 200,
      counts: [0, 3, 0],
    },
    {
      name: "a rejection replayed stays one",
      rejected: [1],
      stored: { replayed: [1] },
      status: 207,
      counts: [2, 0, 1],
    },
    {
      name: "refused by the store",
      stored: { rejected: [{ index: 2, ...late }] },
      status: 207,
      counts: [2, 0, 1],
    },
    {
      name: "refused by both",
      rejected: [0],
      stored: { replayed: [1], rejected: [{ index: 2, ...late }] },
      status: 207,
      counts: [0, 1, 2],
    },
    {
      name: "all refused by the store",
      stored: { rejected: ids.map((_, index) => ({ index, ...late })) },
      status: 422,
      counts: [0, 0, 3],
    },
  ];
  await check(
    cases,
    (
      { rejected = [], readable, stored, status, counts, untouched = false },
    ) => {
      const judged = judgement(rejected, readable);
      const settled = settle(judged, { recorded: true, ...stored });
      assert.equal(settled.status, status);
      assert.deepEqual(Object.values(settled.counts), counts);
      assert.equal(settled.body === judged.answer, untouched);
      const body = JSON.parse(
        typeof settled.body === "string" ? settled.body : new TextDecoder().decode(settled.body),
      );
      assert.deepEqual([body.accepted, body.replayed, body.rejected], counts);
      assert.deepEqual(body.contract, { version: "1" });
      for (const { index, ...why } of stored.rejected ?? []) {
        assert.deepEqual(body.results[index], {
          index,
          id: ids[index],
          status: "rejected",
          ...why,
        });
      }
    },
  );
});
