/** Ten tasks of a team, each done in a browser as a person does it: by what is seen on the page, from the figures on. */
import { COLLEAGUE, signedRight, signer, SITE } from "./scene.mjs";

/** @typedef {import("./scene.mjs").Scene} Scene */
/** @typedef {import("./scene.mjs").Hand} Hand */
/** @typedef {import("./scene.mjs").Page} Page */
/**
 * @typedef {object} Task
 * @property {string} name of its pictures
 * @property {string} asks
 * @property {(page: Page, hand: Hand, scene: Scene) => Promise<unknown>} act what was read or done
 * @property {(scene: Scene) => Promise<unknown>} expected the same, from the database alone
 */

const number = (/** @type {string} */ text) => Number(text.replaceAll(/[^\d.-]/g, ""));
const link = (/** @type {Page} */ page, /** @type {string} */ name) => page.getByRole("link", { name, exact: true });

/** The event that was chosen, by which the database finds whose it is. */
let opened = "";

/** @type {Task[]} */
export const TASKS = [
  {
    name: "why-fewer",
    asks: "Newsletter sign-ups of the app fell on one day: why?",
    act: async (page, { click, read }) => {
      await click(link(page, "Refusals"));
      await click(page.locator("label", { hasText: "Sender" }));
      await click(page.locator(".folding tr", { hasText: /app \d/ }).getByRole("link", { name: "ios", exact: true }));
      await click(page.locator(".folding").getByRole("link", { name: "subscription.consent", exact: true }));
      await read(page.getByRole("heading", { name: "What to send instead" }));
      const text = await page.locator("main").innerText();
      return [/app \d\.\d\.\d/.exec(text)?.[0], /consent_recorded/.test(text)];
    },
    expected: async ({ value }) => [
      await value(
        `select metadata #>> '{original_payload_snapshot,metadata,tracker}' from public.audience_events
         where rejected and metadata ->> 'validation_rule_id' = 'subscription.consent'
         group by 1 order by count(*) filter (where metadata #>> '{original_payload_snapshot,event_source}' = 'ios') desc limit 1`,
      ),
      true,
    ],
  },
  {
    name: "mend-and-replay",
    asks: "A sender writes a time as a word: allow it in the schema, and replay what was refused.",
    act: async (page, { click, fill, read }) => {
      await click(link(page, "Registry"));
      await click(link(page, "page_performance"));
      const schema = page.getByLabel("What its metadata must hold; empty: anything");
      await schema.waitFor();
      const known = JSON.parse(await schema.inputValue());
      known.properties.load_ms = { anyOf: [known.properties.load_ms, { const: "fast" }] };
      await fill(schema, JSON.stringify(known));
      await click(page.getByRole("button", { name: "Save", exact: true }));
      await read(page.locator(".told", { hasText: "page_performance was saved" }));
      await click(link(page, "Refusals"));
      await click(link(page, "registry.payload"));
      await click(page.getByRole("button", { name: "Preview a replay" }));
      const replay = page.getByRole("button", { name: /^Replay \d+$/ });
      const promised = number(await read(replay));
      await click(replay);
      await read(`${promised} were accepted`);
      return promised;
    },
    expected: ({ value }) =>
      value(
        `select count(*)::int from public.audience_event_replays r join public.audience_events e on e.id = r.event_id
         where not e.rejected and e.event_type = 'page_performance'`,
      ),
  },
  {
    name: "which-campaign",
    asks: "Which campaign brings people who start a plan?",
    act: async (page, { click, read }) => {
      const panel = page.locator("#campaigns");
      await click(panel.locator("summary"));
      await read(panel.locator("table tbody tr").first());
      const rows = await panel.locator("table tbody tr").evaluateAll((all) =>
        all.map((row) => [...row.children].map((cell) => cell.textContent ?? ""))
      );
      const brought = rows.filter(([name = ""]) => name !== "none");
      const [most] = brought.toSorted((a, b) => number(b[7] ?? "") - number(a[7] ?? ""));
      return [most?.[1], most?.[2], most?.[0]].join(" ");
    },
    expected: ({ value }) =>
      value(
        `with known as (
           select session_id, min(user_id::text) as only_user from public.audience_events
           where site_id = $1 and not rejected and event_category <> 'retention' group by 1 having count(distinct user_id) = 1
         ), a as (
           select e.*, coalesce(e.user_id::text, k.only_user, e.session_id) as person, coalesce(e.occurred_at, e.created_at) as done
           from public.audience_events e left join known k on k.session_id = e.session_id
           where e.site_id = $1 and not e.rejected and e.contract is not null
         ), v as (
           select session_id, min(person) as person, min(done) as began, max(done) as ended from a
           group by 1 having bool_or(event_type = 'plan_started')
         )
         select concat_ws(' ', t.utm_source, t.utm_medium, t.utm_campaign)
         from v cross join lateral (
           select * from a where a.person = v.person and a.done <= v.ended and a.utm_source is not null order by a.done desc limit 1) t
         where v.began >= date_trunc('day', now(), 'UTC') - interval '27 days'
         group by 1 order by count(*) desc limit 1`,
        SITE,
      ),
  },
  {
    name: "what-happened",
    asks: "What happened to this member?",
    act: async (page, { click, choose, read }) => {
      await click(link(page, "Events"));
      await choose(page.getByLabel("Tier", { exact: true }), "practitioner");
      await click(page.locator(".folding tr", { hasText: "signed in" }).first().getByRole("link").first());
      const everything = page.getByRole("link", { name: "Everything of this person" });
      await everything.waitFor();
      opened = new URL(page.url()).searchParams.get("event") ?? "";
      await click(everything);
      await read(page.locator(".steps .moved").first());
      return /now (S\d)/.exec(await read(/now S\d/))?.[1];
    },
    expected: ({ value }) =>
      value(
        `select s.current_state from public.audience_events e
         join public.audience_site_state s on s.user_id = e.user_id and s.site_id = e.site_id where e.id = $1`,
        opened,
      ),
  },
  {
    name: "who-moved-it",
    asks: "Who moved this enquiry, and why?",
    act: async (page, { click, fill, press, read }) => {
      await click(link(page, "Lifecycles"));
      await fill(page.getByLabel("The history of one enquiry: its id"), "2");
      await press("Enter");
      await read("received → contacted");
      return /system:[a-z-]+/.exec(await page.locator("main").innerText())?.[0];
    },
    expected: ({ value }) =>
      value("select actor from public.demo_enquiry_events where enquiry_id = 2 and to_stage = 'contacted'"),
  },
  {
    name: "add-a-type",
    asks: "Add an event type.",
    act: async (page, { click, fill, read }) => {
      await click(link(page, "Registry"));
      await click(link(page, "Add a type"));
      await fill(page.getByLabel("Name", { exact: true }), "offer_seen");
      await fill(page.getByLabel("What happened, in a sentence"), "An offer was seen.");
      await click(page.getByRole("button", { name: "Add type" }));
      return await read(page.getByRole("heading", { name: "offer_seen" }));
    },
    expected: ({ value }) =>
      value("select id from public.audience_event_types where description = 'An offer was seen.'"),
  },
  {
    name: "watch-a-rule",
    asks: "Watch a rule before it is enforced.",
    act: async (page, { click, fill, choose, read }, { send }) => {
      await click(link(page, "Rules"));
      await choose(page.getByLabel("Binds"), "page_view");
      await fill(
        page.getByLabel("What an event must satisfy, as a JSON Schema"),
        '{"properties": {"metadata": {"properties": {"page_path": {"not": {"const": "/secret"}}}}}}',
      );
      await fill(page.getByLabel("Name, after own."), "no_secret_page");
      await fill(page.getByLabel("What is wrong, and what to send instead"), "the page is internal; do not track it");
      await click(page.getByRole("button", { name: "Save in observe" }));
      const card = page.locator('[data-rule="own.no_secret_page"]');
      await read(card.getByText("It has counted nothing in observe"));
      const seen = await send({
        event_type: "page_view",
        event_category: "engagement",
        metadata: { page_path: "/secret" },
      });
      await click(link(page, "Rules"));
      return [seen, number(/^[\d,]+/.exec(await read(card.getByText(/events? that it would refuse/)))?.[0] ?? "")];
    },
    expected: async ({ value }) => [
      "accepted",
      await value("select sum(events)::int from public.audience_observations where rule_id = 'own.no_secret_page'"),
    ],
  },
  {
    name: "be-told",
    asks: "Be told when a sender falls silent.",
    act: async (page, { click, fill, choose, read }, { webhook, value, exec, sendAlerts, received }) => {
      const alerts = page.getByRole("link", { name: /^Alerts/ });
      await click(alerts);
      await fill(page.getByLabel("Name", { exact: true }), "operations");
      await fill(page.getByLabel("Address"), webhook);
      await click(page.getByRole("button", { name: "Add webhook" }));
      await read(page.locator('[data-destination="operations"]'));
      const form = page.locator('form[aria-labelledby="new-alert"]');
      await choose(form.getByLabel("When", { exact: true }), "silence");
      await fill(form.getByLabel("Sender; empty: all of them"), "kiosk");
      await fill(form.getByLabel("Within so many minutes"), "30");
      await click(page.getByRole("button", { name: "Add alert" }));
      const card = page.locator(".alert", { hasText: "kiosk" });
      await read(card.getByText("quiet"));
      // Fifty minutes pass, in which the kiosk sends nothing.
      await exec(`
        begin; set local role audience_gate_store;
        insert into public.audience_events (created_at, session_id, event_type, event_category, event_source, contract)
        values (now() - interval '50 minutes', 'session-of-kiosk', 'page_view', 'engagement', 'kiosk', audience_gate.contract_fingerprint());
        commit`);
      await value("select audience_gate.run_job('check_alerts')");
      await sendAlerts();
      await click(alerts);
      await read(card.getByText("fires", { exact: true }));
      return received.filter((message) => /kiosk/.test(message.body) && signedRight(message)).length;
    },
    expected: ({ value }) =>
      value(
        `select count(*)::int from public.audience_alert_deliveries d join public.audience_alert_firings f on f.id = d.firing_id
         where d.state = 'delivered' and f.source = 'kiosk'`,
      ),
  },
  {
    name: "give-access",
    asks: "Give a colleague read access.",
    act: async (page, { click, fill, choose, read }, { colleague, signedIn }) => {
      await click(link(page, "Registry"));
      await click(link(page, "Site and members"));
      await fill(page.getByLabel("Id of the account"), colleague);
      await choose(page.locator("#member-role"), "viewer");
      await click(page.getByRole("button", { name: "Give access" }));
      await read(page.locator(".told", { hasText: "The access was given" }));
      const theirs = await signedIn(COLLEAGUE);
      await theirs.getByRole("link", { name: "Rules" }).click();
      await theirs.getByText("Owners of the site can add and change its rules").waitFor();
      const buttons = await theirs.locator(".cards input").count();
      await theirs.context().close();
      return ["viewer", buttons];
    },
    expected: async ({ value, colleague }) => [
      await value("select role from public.audience_site_members where user_id = $1", colleague),
      0,
    ],
  },
  {
    name: "prove-it",
    asks: "Prove that an event is as it was recorded.",
    act: async (page, { click, fill, read }, { value }) => {
      const { verifier, note } = signer();
      // What the project's operator does: sealing begins, and a checkpoint is signed.
      await value("select audience_gate.start_sealing()");
      while (Number(await value("select (audience_gate.seal_rows('{}') ->> 'sealed')::int")) > 0);
      const size = Number(await value("select max(size)::int from audience_gate.seal"));
      const root = await value("select root from audience_gate.seal order by size desc limit 1");
      await value("insert into audience_gate.checkpoint (size, note) values ($1, $2)", size, note(size, root));
      await click(link(page, "Events"));
      await click(page.locator(".folding tbody tr").first().getByRole("link").first());
      await click(page.getByText("Is this what was recorded?"));
      await fill(page.getByLabel("Public key of whoever signs the checkpoints"), verifier);
      await click(page.getByRole("button", { name: "Prove this event" }));
      return number(/of the ([\d,]+) under a checkpoint/.exec(await read(/^Proven: /))?.[1] ?? "");
    },
    expected: ({ value }) => value("select max(size)::int from audience_gate.checkpoint"),
  },
];
