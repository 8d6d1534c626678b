// What an owner does in the registry by page: the hand that does it, the tasks, and what the database has of each then.
import assert from "node:assert/strict";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").Locator} Locator */

const SOMEBODY = "99999999-0000-4000-8000-000000000009";
const WAIT = { timeout: 120_000 };

/** A hand that counts its presses: clicks, and choices of a list. Typing is told apart. @param {Page} page */
export function hand(page) {
  const count = { presses: 0, typed: 0 };
  return {
    count,
    press: async (/** @type {Locator} */ what) => {
      count.presses += 1;
      await what.click();
    },
    choose: async (/** @type {Locator} */ what, /** @type {string} */ value) => {
      count.presses += 1;
      await what.selectOption(value);
    },
    type: async (/** @type {Locator} */ what, /** @type {string} */ text) => {
      count.typed += 1;
      await what.fill(text);
    },
    told: (/** @type {string} */ text) => page.locator(".told", { hasText: text }).waitFor(WAIT),
  };
}

/**
 * What an owner does, from the first page on: how, and what the database then has.
 * @type {[what: string, act: (page: Page, h: ReturnType<typeof hand>) => Promise<void>, query: string, expected: unknown][]}
 */
export const TASKS = [
  [
    "an event type is refused from now on",
    async (page, { press, told }) => {
      await press(page.getByRole("link", { name: "Registry" }));
      await press(page.getByRole("link", { name: "page_view", exact: true }));
      await press(page.getByLabel("Accepted; else refused from now on"));
      await press(page.getByRole("button", { name: "Save", exact: true }));
      await told("page_view was saved");
    },
    "select active from public.audience_event_types where id = 'page_view'",
    false,
  ],
  [
    "that is taken back",
    async (page, { press, told }) => {
      await press(page.getByRole("link", { name: "Registry" }));
      await press(page.getByRole("link", { name: "page_view", exact: true }));
      await press(page.getByRole("button", { name: /^Undo: Event type page_view/ }).first());
      await told("It was taken back");
      await page.getByText("taken back since").waitFor(WAIT);
    },
    "select active from public.audience_event_types where id = 'page_view'",
    true,
  ],
  [
    "its payload has a schema, tried on an event",
    async (page, { press, type, told }) => {
      await press(page.getByRole("link", { name: "Registry" }));
      await press(page.getByRole("link", { name: "page_view", exact: true }));
      const verdict = page.locator("#type-verdict");
      await verdict.getByText("would pass").waitFor(WAIT);
      await type(
        page.getByLabel("What its metadata must hold; empty: anything"),
        '{"$defs": {"name": {"type": "string"}}, "properties": {"brand": {"$ref": "#/$defs/name"}}, "required": ["brand"]}',
      );
      await verdict.getByText("registry.payload").waitFor(WAIT);
      await verdict.getByText(/^Of the last \d+ stored that it binds/).waitFor(WAIT);
      await type(
        page.getByLabel("What its metadata must hold; empty: anything"),
        '{"properties": {"full_name": {"type": "string"}, "page_path": {"maxLength": 500}}}',
      );
      await press(page.getByLabel("full_name is not personal here"));
      await press(page.getByRole("button", { name: "Save", exact: true }));
      await told("page_view was saved");
    },
    "select payload_schema -> 'properties' from public.audience_event_types where id = 'page_view'",
    {
      full_name: { type: "string", personal: false },
      page_path: { maxLength: 500 },
    },
  ],
  [
    "an event type is added",
    async (page, { press, type }) => {
      await press(page.getByRole("link", { name: "Registry" }));
      await press(page.getByRole("link", { name: "Add a type" }));
      await type(page.getByLabel("Name", { exact: true }), "offer_seen");
      await type(page.getByLabel("What happened, in a sentence"), "An offer was seen.");
      await press(page.getByRole("button", { name: "Add type" }));
      await page.getByRole("heading", { name: "offer_seen" }).waitFor(WAIT);
    },
    "select tier from public.audience_event_types where id = 'offer_seen'",
    "consumer",
  ],
  [
    "an origin is allowed",
    async (page, { press, type, told }) => {
      await press(page.getByRole("link", { name: "Registry" }));
      await press(page.getByRole("link", { name: "Site and members" }));
      const origins = page.getByLabel("Origins that may send for it, one on each line");
      await type(origins, "https://Example.com/");
      await page.getByText("is no origin").waitFor(WAIT);
      assert.ok(await page.getByRole("button", { name: "Save", exact: true }).isDisabled());
      await type(origins, "https://www.example.com");
      await press(page.getByRole("button", { name: "Save", exact: true }));
      await told("The site was saved");
    },
    "select origins::text from public.audience_sites where id = '00000000-0000-4000-8000-000000000001'",
    "{https://www.example.com}",
  ],
  [
    "every origin is again",
    async (page, { press, told }) => {
      await press(page.getByRole("link", { name: "Registry" }));
      await press(page.getByRole("link", { name: "Site and members" }));
      await press(page.getByRole("button", { name: /^Undo: Site/ }).first());
      await told("It was taken back");
    },
    "select origins from public.audience_sites where id = '00000000-0000-4000-8000-000000000001'",
    null,
  ],
  [
    "access is given",
    async (page, { press, type, choose, told }) => {
      await press(page.getByRole("link", { name: "Registry" }));
      await press(page.getByRole("link", { name: "Site and members" }));
      await type(page.getByLabel("Id of the account"), SOMEBODY);
      await choose(page.locator("#member-role"), "analyst");
      await press(page.getByRole("button", { name: "Give access" }));
      await told("The access was given");
    },
    `select role from public.audience_site_members where user_id = '${SOMEBODY}'`,
    "analyst",
  ],
  [
    "a role is changed",
    async (page, { press, choose, told }) => {
      await press(page.getByRole("link", { name: "Registry" }));
      await press(page.getByRole("link", { name: "Site and members" }));
      await choose(page.locator(`#role-${SOMEBODY}`), "owner");
      await told("The role is Owner now");
    },
    `select role from public.audience_site_members where user_id = '${SOMEBODY}'`,
    "owner",
  ],
  [
    "access is taken",
    async (page, { press, told }) => {
      await press(page.getByRole("link", { name: "Registry" }));
      await press(page.getByRole("link", { name: "Site and members" }));
      await press(page.getByRole("button", { name: `Remove ${SOMEBODY}` }));
      await told("The access was taken");
    },
    `select count(*)::integer from public.audience_site_members where user_id = '${SOMEBODY}'`,
    0,
  ],
  [
    "a schedule is switched on",
    async (page, { press, told }) => {
      await press(page.getByRole("link", { name: "Registry" }));
      await press(page.getByRole("link", { name: "Schedules" }));
      await press(page.getByRole("button", { name: "Switch on: Seal what was recorded" }));
      await told("Seal what was recorded is on");
    },
    "select active from audience_gate.jobs where name = 'seal_rows'",
    true,
  ],
  [
    "and off again, from the whole history",
    async (page, { press, told }) => {
      await press(page.getByRole("link", { name: "Registry" }));
      await press(page.getByRole("link", { name: "History", exact: true }));
      await press(page.getByRole("button", { name: /^Undo: Schedule seal_rows/ }).first());
      await told("It was taken back");
    },
    "select active from audience_gate.jobs where name = 'seal_rows'",
    false,
  ],
  [
    "a rule is edited",
    async (page, { press, type, told }) => {
      await press(page.getByRole("link", { name: "Rules" }));
      await press(page.locator('[data-rule="own.edited"]').getByRole("link", { name: "Edit" }));
      await type(page.getByLabel("What is wrong, and what to send instead"), "say it otherwise");
      await press(page.getByRole("button", { name: "Save", exact: true }));
      await told("own.edited was saved");
    },
    "select reasons ->> 'en' from public.audience_own_rules where id = 'own.edited'",
    "say it otherwise",
  ],
  [
    "a rule is enforced",
    async (page, { press, told }) => {
      await press(page.getByRole("link", { name: "Rules" }));
      await press(page.locator('[data-rule="own.edited"] label', { hasText: "Enforce" }));
      await told("own.edited was saved");
    },
    "select mode from public.audience_own_rules where id = 'own.edited'",
    "enforce",
  ],
  [
    "and observes again",
    async (page, { press, told }) => {
      await press(page.getByRole("link", { name: "Rules" }));
      await press(page.locator('[data-rule="own.edited"]').getByText("Who changed it"));
      await press(page.locator('[data-rule="own.edited"]').getByRole("button", { name: /^Undo/ }).first());
      await told("It was taken back");
    },
    "select mode from public.audience_own_rules where id = 'own.edited'",
    "observe",
  ],
  [
    "an alert fires at another number",
    async (page, { press, type, told }) => {
      await press(page.getByRole("link", { name: "Alerts" }));
      const card = page.locator('.alert[data-kind="contract_drift"]');
      await press(card.getByText("Change when it fires"));
      await type(card.getByLabel("More events than"), "12");
      await press(card.getByRole("button", { name: "Save" }));
      await told("The alert was saved");
    },
    "select threshold::integer from public.audience_alerts where kind = 'contract_drift'",
    12,
  ],
  [
    "a deleted alert is put back",
    async (page, { press, told }) => {
      await press(page.getByRole("link", { name: "Alerts" }));
      const card = page.locator('.alert[data-kind="contract_drift"]');
      await press(card.getByRole("button", { name: "Delete" }));
      await card.waitFor({ state: "detached" });
      await press(page.getByRole("button", { name: /^Undo: Alert contract_drift/ }).first());
      await told("It was taken back");
      await card.waitFor(WAIT);
    },
    "select threshold::integer from public.audience_alerts where kind = 'contract_drift'",
    12,
  ],
  [
    "a state asks for another score",
    async (page, { press, type, told }) => {
      await press(page.getByRole("link", { name: "Registry" }));
      await press(page.getByRole("link", { name: "States", exact: true }));
      await type(page.locator('[data-state="S3"]').getByLabel("From a score of"), "30");
      await press(page.getByRole("button", { name: "Save S3" }));
      await told("S3 was saved");
    },
    "select min_score::integer from public.audience_states where id = 'S3'",
    30,
  ],
  [
    "that is taken back, too",
    async (page, { press, told }) => {
      await press(page.getByRole("link", { name: "Registry" }));
      await press(page.getByRole("link", { name: "States", exact: true }));
      await press(page.getByRole("button", { name: /^Undo: State S3/ }).first());
      await told("It was taken back");
    },
    "select min_score::integer from public.audience_states where id = 'S3'",
    25,
  ],
  [
    "a state is added above all others",
    async (page, { press, type, told }) => {
      await press(page.getByRole("link", { name: "Registry" }));
      await press(page.getByRole("link", { name: "States", exact: true }));
      const form = page.locator('[data-state="new"]');
      await type(form.getByLabel("Id, by which events name it"), "S6");
      await type(form.getByLabel("Name", { exact: true }), "Partner");
      await type(form.getByLabel("From a score of"), "500");
      await type(form.getByLabel("What is true of a person in it"), "sells for us");
      await press(form.getByRole("button", { name: "Add the state" }));
      await told("S6 was saved");
    },
    "select name || ' ' || rank from public.audience_states where id = 'S6'",
    "Partner 6",
  ],
  [
    "one in which somebody stands is not removed",
    async (page, { press }) => {
      await press(page.getByRole("link", { name: "Registry" }));
      await press(page.getByRole("link", { name: "States", exact: true }));
      await press(page.getByRole("button", { name: "Remove S2" }));
      await page.getByText("It stays: somebody stands or stood in it").waitFor(WAIT);
    },
    "select count(*)::integer from public.audience_states",
    7,
  ],
  [
    "one that nobody was in is removed",
    async (page, { press, told }) => {
      await press(page.getByRole("link", { name: "Registry" }));
      await press(page.getByRole("link", { name: "States", exact: true }));
      await press(page.getByRole("button", { name: "Remove S6" }));
      await told("S6 was removed");
    },
    "select count(*)::integer from public.audience_states",
    6,
  ],
  [
    "a funnel is made",
    async (page, { press, type, choose, told }) => {
      await press(page.getByRole("link", { name: "Registry" }));
      await press(page.getByRole("link", { name: "Funnels", exact: true }));
      const form = page.locator('[data-funnel="new"]');
      await type(form.getByLabel("Id, by which figures name it"), "readers");
      await type(form.getByLabel("Name", { exact: true }), "Readers");
      await type(form.getByLabel("Days within which"), "7");
      await type(form.getByLabel("Name of step 1"), "Read");
      await choose(form.getByLabel("Event type of step 1"), "content_view");
      await press(form.getByRole("button", { name: "Add the funnel" }));
      await told("readers was saved");
    },
    "select conversion_window::text || ' ' || event_type from public.audience_funnels f join public.audience_funnel_steps s on s.funnel_id = f.id where f.id = 'readers'",
    "7 days content_view",
  ],
  [
    "it gets a second step, which goes first",
    async (page, { press, type, told }) => {
      await page.goto(page.url().replace(/\?.*$/, "?view=registry&part=funnels"));
      const form = page.locator('[data-funnel="readers"]');
      await press(form.getByRole("button", { name: "Add a step" }));
      await type(form.getByLabel("Name of step 2"), "First");
      await press(form.getByRole("button", { name: "Move step 2 up" }));
      await press(form.getByRole("button", { name: "Save readers" }));
      await told("readers was saved");
    },
    "select string_agg(name, ' ' order by position) from public.audience_funnel_steps where funnel_id = 'readers'",
    "First Read",
  ],
  [
    "a funnel is removed",
    async (page, { press, told }) => {
      await press(page.getByRole("link", { name: "Registry" }));
      await press(page.getByRole("link", { name: "Funnels", exact: true }));
      await press(page.getByRole("button", { name: "Remove readers" }));
      await told("readers was removed");
    },
    "select count(*)::integer from public.audience_funnel_steps where funnel_id = 'readers'",
    0,
  ],
];
