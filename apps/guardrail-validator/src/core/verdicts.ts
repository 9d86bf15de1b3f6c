import {
  type ActionProposed,
  type Consents,
  type Control,
  type Profile,
  profileKey,
  type ReviewDecided,
  topics,
} from '@countersign/contracts';
import {
  accountFact,
  adAccountFact,
  type Concerns,
  type Counts,
  campaignsOf,
  consentFact,
  contactFact,
  controlFact,
  type Draw,
  type EnrolmentFact,
  type Examined,
  enrolsIn,
  examine,
  type Facts,
  type Judgement,
  judgeExamined,
  type Known,
  type MoneyLedger,
  originFact,
  type PolicyInForce,
  type ReadAction,
  type ReviewFact,
  rateOf,
  ratesFact,
  type Slots,
  slotOf,
  stopsIn,
  subjectOf,
  type TaskFact,
  taskAbout,
  whereaboutsFact,
  windowOf,
  withHeld,
} from '@countersign/gate';

/** One proposal to be judged, for the first time or with a person's answer. */
export interface VerdictRequest {
  readonly proposal: ActionProposed;
  /** The agent whose topic it came from. */
  readonly author: string;
  /** When the broker took it; absent with a review. */
  readonly takenAt?: string;
  /** A person's answer, with why it rejects. The rules do not look at that. */
  readonly review?: ReviewFact & Pick<ReviewDecided, 'category'>;
  /** Its action, if it was read before. */
  readonly read?: ReadAction;
}

/**
 * A request with everything that follows from the proposal and the policy alone. It is read once, and used to load, to judge and
 * to store.
 */
export interface Prepared {
  readonly request: VerdictRequest;
  readonly examined: Examined;
  readonly tally: Tally;
  readonly step: NamedStep | undefined;
}

/** Proposals that are counted together: those of an author under a task. Those of one enrolment are counted separately. */
export interface Tally {
  readonly name: string;
  readonly author: string;
  readonly taskId: string;
  /** For the messages of a sequence; otherwise empty. */
  readonly enrolment: string;
}

/** An action that is approved only once: a step of an enrolment, or the enrolment itself, which has a key of its own kind. */
export interface Step {
  readonly enrolment: string;
  readonly n: number;
}

/** A step with the agent that it counts for, and a name for both. */
export type NamedStep = Step & { readonly name: string; readonly author: string };

/** Actions for a step: those that were approved and did not come to nothing, and those that wait for a person. */
export interface StepCount {
  readonly approved: number;
  readonly waiting: number;
}

/** What a request needs of other services' state and of the ledgers, by key. */
export interface Needed {
  readonly tasks: readonly string[];
  readonly profiles: readonly string[];
  readonly consents: readonly string[];
  readonly controls: readonly string[];
  /** Each with the time before which its counts no longer matter. */
  readonly ledgers: readonly { readonly ledger: string; readonly since: string | null }[];
  /** Ledgers of approvals, in the same form. */
  readonly rates: readonly { readonly ledger: string; readonly since: string }[];
  /** Contacts for whom it must be known whether they were ever touched. */
  readonly contacts: readonly string[];
  readonly tallies: readonly Tally[];
  readonly steps: readonly NamedStep[];
  /** Authors for whom it must be known how many actions wait for a person. */
  readonly authors: readonly string[];
  /** Kinds of which it must be known how many actions people have decided, up to `most`. */
  readonly decisions: readonly Decisions[];
}

/** Actions of one kind by one author, in people's decisions. */
export interface Decisions {
  readonly name: string;
  readonly author: string;
  readonly kind: string;
  readonly most: number;
}

/** Everything that was loaded for a batch of requests. */
export interface Loaded {
  /** The assigned tasks, as far as this service has read. */
  readonly tasks: ReadonlyMap<string, TaskFact>;
  readonly profiles: ReadonlyMap<string, Known<Profile>>;
  readonly consents: ReadonlyMap<string, Known<Consents>>;
  readonly controls: ReadonlyMap<string, Known<Control>>;
  /** Locked, so no other transaction can change them before the commit. */
  readonly ledgers: ReadonlyMap<string, MoneyLedger | Counts | Slots>;
  readonly touched: ReadonlySet<string>;
  /** By the name of each tally: the noted proposals, the ones of these requests included. */
  readonly proposals: ReadonlyMap<string, number>;
  /** By the name of each step, if there is any message for it. */
  readonly steps: ReadonlyMap<string, StepCount>;
  /** By the name of each tally, if an enrolment of it was approved. */
  readonly enrolments: ReadonlyMap<string, EnrolmentFact>;
  /** How many actions of an author wait for a person. */
  readonly waiting: ReadonlyMap<string, number>;
  /** How many actions of a kind people have decided, by the name of its `Decisions`. */
  readonly decided: ReadonlyMap<string, number>;
}

export interface VerdictResult {
  readonly judgement: Judgement;
  readonly facts: Facts;
  readonly prepared: Prepared;
}

type Read = ReadAction['read'];
/** The parts of a proposal that steps and marks need. */
type Under = Pick<ActionProposed, 'taskId' | 'action'>;

/** The step of a message of a sequence; undefined for any other action. An enrolment is written in one way only. */
function messageStep(read: Read): Step | undefined {
  const step = read.ok ? read.subject.sequence?.step : undefined;
  return step && { enrolment: step.enrolment.toLowerCase(), n: step.n };
}

/**
 * The step of an action that is approved only once: a step of an enrolment, or the enrolment of a contact in a sequence under a
 * task. The key of the latter has spaces, which the enrolment id of a step never has.
 */
export function stepOf({ taskId, action }: Under, read: Read = subjectOf(action)): Step | undefined {
  const sequence = read.ok ? enrolsIn(read.subject) : undefined;
  if (!read.ok || sequence === undefined) return messageStep(read);
  const [contact = ''] = read.subject.contacts;
  return { enrolment: `${taskId.toLowerCase()} ${contact.toLowerCase()} ${sequence}`, n: 0 };
}

/** The mark that is stored with a permit: the step, or that it stops a sequence for a contact, whoever enrolled the contact. */
export function markOf(under: Under, read: Read = subjectOf(under.action)): Step | undefined {
  const sequence = read.ok ? stopsIn(read.subject) : undefined;
  if (!read.ok || sequence === undefined) return stepOf(under, read);
  const [contact = ''] = read.subject.contacts;
  return { enrolment: `stop ${contact.toLowerCase()} ${sequence}`, n: 0 };
}

/** The enrolment that a message of a sequence names; otherwise empty. */
export const enrolmentOf = (read: Read): string => messageStep(read)?.enrolment ?? '';

function namedStep({ proposal, author }: VerdictRequest, read: Read): NamedStep | undefined {
  const step = stepOf(proposal, read);
  return step && { ...step, name: `${author} ${step.enrolment} ${step.n}`, author };
}

function tallyOf({ proposal: { taskId }, author }: VerdictRequest, read: Read): Tally {
  const enrolment = enrolmentOf(read);
  return { name: `${author} ${taskId} ${enrolment}`, author, taskId, enrolment };
}

/** Reads requests once, for `neededBy` and `decideVerdicts`. */
export const prepare = (
  requests: readonly VerdictRequest[],
  policy: PolicyInForce | null,
  at: string,
): readonly Prepared[] =>
  requests.map((request) => {
    const examined = examine(request.proposal, policy, at, request.read);
    const { read } = examined;
    return { request, examined, tally: tallyOf(request, read), step: namedStep(request, read) };
  });

/**
 * The enrolment of an approved proposal, for the messages of `tally`. Undefined if the proposal is none, or belongs to another
 * agent or task: an agent can write the id of any proposal under any task.
 */
export function enrolmentBy(
  { agent, taskId, action }: ActionProposed,
  tally: Pick<Tally, 'author' | 'taskId'>,
): EnrolmentFact | undefined {
  if (agent !== tally.author || taskId !== tally.taskId) return undefined;
  const read = subjectOf(action);
  const sequenceId = read.ok ? enrolsIn(read.subject) : undefined;
  const [contactId] = read.ok ? read.subject.contacts : [];
  return sequenceId !== undefined && contactId !== undefined ? { contactId, sequenceId } : undefined;
}

/** A campaign's key is the longest: its kind and two foreign ids. */
const maxKey = 500;

/** The state topic and key of a name in `madeFrom`; undefined if the name stands for none. */
export function stateNamed(
  name: string,
): { readonly topic: typeof topics.profiles | typeof topics.consents; readonly key: string } | undefined {
  const key = name.slice(name.indexOf(':') + 1);
  // The database holds no NUL in a text. Such a key cannot exist, and a statement with it would fail.
  if (key.includes('\0') || key.length === 0 || key.length > maxKey) return undefined;
  if (name.startsWith('profile:')) return { topic: topics.profiles, key };
  if (name.startsWith('consent:')) return { topic: topics.consents, key };
  return undefined;
}

/** The decisions of people that must be counted for a request; undefined if its charter asks for none. */
function decisionsFor({ request: { proposal, author }, examined: { concerns } }: Prepared): Decisions | undefined {
  const { kind } = proposal.action;
  return concerns.decisions > 0 ? { name: `${author} ${kind}`, author, kind, most: concerns.decisions } : undefined;
}

/** What to load, and which ledgers to lock, for these requests. */
export function neededBy(prepared: readonly Prepared[], at: string): Needed {
  const profiles = new Set<string>();
  const consents = new Set<string>();
  const controls = new Set<string>();
  const contacts = new Set<string>();
  const ledgers = new Map<string, string | null>();
  const rates = new Map<string, string>();
  // A proposal with a person's answer was counted before.
  const fresh = prepared.filter(({ request }) => !request.review);
  for (const { examined } of prepared) {
    const { proposal, concerns } = examined;
    for (const id of concerns.contacts) {
      profiles.add(profileKey.contact(id));
      consents.add(id);
      contacts.add(id);
    }
    for (const id of concerns.adAccounts) profiles.add(profileKey.adAccount(id));
    for (const { adAccountId, campaignId } of concerns.campaigns)
      profiles.add(profileKey.campaign(adAccountId, campaignId));
    if (proposal.action.accountId !== undefined) profiles.add(profileKey.account(proposal.action.accountId));
    for (const scope of concerns.controls) controls.add(scope);
    for (const name of Object.keys(proposal.madeFrom)) {
      const state = stateNamed(name);
      if (state) (state.topic === topics.profiles ? profiles : consents).add(state.key);
    }
    for (const draw of concerns.draws) {
      if ('rateMs' in draw) {
        rates.set(draw.ledger, new Date(slotOf(at) - draw.rateMs).toISOString());
        continue;
      }
      // It is judged by its own send time, which is never before `at`. Nothing older than this can count.
      const since = 'windowMs' in draw ? new Date(Date.parse(at) - draw.windowMs).toISOString() : null;
      ledgers.set(draw.ledger, since);
    }
  }
  return {
    tasks: [...new Set(prepared.map(({ request }) => request.proposal.taskId))].sort(),
    profiles: [...profiles].sort(),
    consents: [...consents].sort(),
    controls: [...controls].sort(),
    contacts: [...contacts].sort(),
    ledgers: [...ledgers].map(([ledger, since]) => ({ ledger, since })).sort(byLedger),
    rates: [...rates].map(([ledger, since]) => ({ ledger, since })).sort(byLedger),
    tallies: byName(fresh.map(({ tally }) => tally)),
    steps: byName(prepared.map(({ step }) => step).filter((step) => step !== undefined)),
    authors: [...new Set(fresh.map(({ request }) => request.author))],
    decisions: byName(prepared.map(decisionsFor).filter((decisions) => decisions !== undefined)),
  };
}

const byName = <T extends { readonly name: string }>(all: readonly T[]): readonly T[] => [
  ...new Map(all.map((entry) => [entry.name, entry])).values(),
];
const byLedger = (a: { ledger: string }, b: { ledger: string }): number => (a.ledger < b.ledger ? -1 : 1);

/**
 * Judges the requests one after the other: each sees the reservations of the ones before it. Returns a result for each request,
 * in order, with the facts that it depends on.
 */
export function decideVerdicts(prepared: readonly Prepared[], loaded: Loaded, at: string): readonly VerdictResult[] {
  const ledgers = new Map([...loaded.ledgers].map(([name, ledger]) => [name, ownCopy(ledger)] as const));
  const waiting = new Map(loaded.waiting);
  const steps = new Map(loaded.steps);
  // All these proposals were noted before any was counted. Each comes after the proposals outside the batch, and after those
  // before it in the batch.
  const proposals = new Map(loaded.proposals);
  const add = (to: Map<string, number>, name: string, n: number) => to.set(name, (to.get(name) ?? 0) + n);
  for (const { request, tally } of prepared) if (!request.review) add(proposals, tally.name, -1);
  return prepared.map((entry) => {
    const { request, examined, tally, step } = entry;
    const facts = factsOf(entry, { ...loaded, ledgers, proposals, waiting, steps }, at);
    const judgement = judgeExamined(examined, facts);
    if (!request.review) add(proposals, tally.name, 1);
    const { outcome } = judgement.verdict;
    if (outcome === 'escalated') add(waiting, request.author, 1);
    if (outcome === 'approved') for (const draw of examined.concerns.draws) reserve(ledgers, draw, at);
    if (step && outcome !== 'refused') {
      const { approved, waiting: asked } = steps.get(step.name) ?? noStep;
      steps.set(
        step.name,
        outcome === 'approved' ? { approved: approved + 1, waiting: asked } : { approved, waiting: asked + 1 },
      );
    }
    return { judgement, facts, prepared: entry };
  });
}

/** A rolling ledger is long. So new reservations go into one copy of it, not into a new copy each time. */
type OwnLedger = MoneyLedger | Slots | { readonly held: number[]; readonly committed: readonly number[] };

const ownCopy = (ledger: MoneyLedger | Counts | Slots): OwnLedger =>
  'currency' in ledger || 'slots' in ledger ? ledger : { held: [...ledger.held], committed: ledger.committed };

function reserve(ledgers: Map<string, OwnLedger>, draw: Draw, at: string): void {
  const ledger = ledgers.get(draw.ledger);
  if (!ledger) return;
  if ('currency' in draw && 'currency' in ledger) {
    ledgers.set(draw.ledger, withHeld(ledger, draw.amount, draw.currency));
  } else if ('rateMs' in draw && 'slots' in ledger) {
    ledgers.set(draw.ledger, { slots: [...ledger.slots, [slotOf(at), draw.amount]] });
  } else if ('countsAt' in draw && 'held' in ledger && !('currency' in ledger)) {
    const time = Date.parse(draw.countsAt);
    const place = ledger.held.findLastIndex((other) => other <= time) + 1;
    ledger.held.splice(place, 0, ...Array.from({ length: draw.amount }, () => time));
  } else throw new Error(`ledger ${draw.ledger} is of another kind than ${draw.kind}`);
}

/** A ledger as the action that uses it sees it; undefined if it was not loaded, or is of another kind. */
function seenBy(draw: Draw, ledger: MoneyLedger | Counts | Slots | undefined, at: string) {
  if (!ledger || 'currency' in ledger) return ledger;
  if ('slots' in ledger) return 'rateMs' in draw ? rateOf(draw, ledger, at) : undefined;
  return 'countsAt' in draw ? windowOf(draw, ledger) : undefined;
}

const none = { version: 0, data: null };
const noStep: StepCount = { approved: 0, waiting: 0 };

/** Facts that are checked before a person is asked, and not again after the answer. */
function firstJudged({ request, tally }: Prepared, loaded: Loaded): Pick<Facts, 'takenAt' | 'counted' | 'enrolment'> {
  const { author, takenAt, review } = request;
  if (review) return {};
  const { name, enrolment } = tally;
  return {
    ...(takenAt !== undefined && { takenAt }),
    counted: { proposals: loaded.proposals.get(name) ?? 0, waiting: loaded.waiting.get(author) ?? 0 },
    ...(enrolment !== '' && { enrolment: loaded.enrolments.get(name) ?? null }),
  };
}

/**
 * With an answer, waiting actions are not counted: they are the answered one, or have waited beside it since before steps were
 * noted.
 */
function sameStep({ request, step }: Prepared, { steps }: Loaded): Pick<Facts, 'sameStep'> {
  if (!step) return {};
  const { approved, waiting } = steps.get(step.name) ?? noStep;
  return { sameStep: request.review ? approved : approved + waiting };
}

function factsOf(prepared: Prepared, loaded: Loaded, at: string): Facts {
  const { proposal, author, review } = prepared.request;
  const concerns: Concerns = prepared.examined.concerns;
  const versions: Record<string, number> = Object.fromEntries(
    Object.keys(proposal.madeFrom).flatMap((name) => {
      const state = stateNamed(name);
      if (!state) return [];
      const rows: ReadonlyMap<string, Known<unknown>> = state.topic === topics.profiles
        ? loaded.profiles
        : loaded.consents;
      return [[name, rows.get(state.key)?.version ?? 0]];
    }),
  );
  const task = loaded.tasks.get(proposal.taskId);
  const ledgers = Object.fromEntries(
    concerns.draws.flatMap((draw) => {
      const seen = seenBy(draw, loaded.ledgers.get(draw.ledger), at);
      return seen ? [[draw.ledger, seen] as const] : [];
    }),
  );
  const rates = ratesOf(prepared.examined, ledgers);
  const decisions = decisionsFor(prepared);
  return {
    author,
    task: task ? taskAbout(task, concerns.contacts) : null,
    ...firstJudged(prepared, loaded),
    ...(decisions && { decided: loaded.decided.get(decisions.name) ?? 0 }),
    ...sameStep(prepared, loaded),
    // The length of its RFC 8785 form: that form reorders members, which changes no length, and writes values as JSON.stringify
    // does.
    proposalBytes: new TextEncoder().encode(JSON.stringify(proposal)).length,
    contacts: pick(concerns.contacts, (id) =>
      contactFact(loaded.profiles.get(profileKey.contact(id)) ?? none, loaded.touched.has(id)),
    ),
    ...(concerns.origins.length > 0 && {
      origins: pick(concerns.origins, (id) => originFact(loaded.profiles.get(profileKey.contact(id)) ?? none)),
    }),
    ...(concerns.whereabouts.length > 0 && {
      whereabouts: pick(concerns.whereabouts, (id) =>
        whereaboutsFact(loaded.profiles.get(profileKey.contact(id)) ?? none),
      ),
    }),
    accounts: pick(concerns.accounts, (id) => accountFact(loaded.profiles.get(profileKey.account(id)) ?? none)),
    adAccounts: pick(concerns.adAccounts, (id) =>
      adAccountFact(loaded.profiles.get(profileKey.adAccount(id)) ?? none, campaignsOf(concerns, id), (campaignId) =>
        loaded.profiles.get(profileKey.campaign(id, campaignId)),
      ),
    ),
    consents: pick(concerns.contacts, (id) => consentFact(loaded.consents.get(id) ?? none)),
    controls: pick(concerns.controls, (scope) => controlFact(loaded.controls.get(scope) ?? none)),
    ledgers,
    ...(rates && { rates }),
    versions,
    ...(review && { review: judgedPart(review) }),
  };
}

/** The part of an answer that a verdict depends on, as `ReviewFact` has it. */
function judgedPart({ category: _category, ...fact }: NonNullable<VerdictRequest['review']>): ReviewFact {
  return fact;
}

/** The exchange rates that the action needs, by its own currency and those of its ledgers. */
function ratesOf({ policy, charter, read }: Examined, ledgers: Facts['ledgers']): Facts['rates'] {
  const rates = policy?.content.rates;
  if (!rates || !charter || !read.ok) return undefined;
  const booked = Object.values(ledgers).flatMap((ledger) =>
    'currency' in ledger ? [ledger.currency, ...(ledger.others ?? []).map(({ currency }) => currency)] : [],
  );
  return ratesFact(rates, charter.currency, [read.subject.currency, ...booked]);
}

function pick<V>(keys: readonly string[], factOf: (key: string) => V | undefined): Record<string, V> {
  // Not by assignment: an assignment to `__proto__` makes no member.
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = factOf(key);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}
