import { type ActionKindName, kindSpec } from './catalogue.js';
import { type Complain, checkPlain, known, repeatedOnes } from './complaints.js';
import type { Part, Path } from './config-file.js';
import { agentKinds, executorConnectors } from './installed.js';
import { holdsLinkHost, readLinkHost } from './link-hosts.js';
import { currencyCodes, currencyFault } from './money.js';
import { didYouMean } from './nearest.js';
import { placeholderFault, placeholderNames } from './placeholders.js';
import type { Charter, Play, Rates, Route, Rules, Sequence } from './policy.js';
import { isPlain } from './primitives.js';
import { settingKinds, TaskSettings } from './task-settings.js';
import { checkTexts } from './text-checks.js';
import { triggerFaults } from './trigger-checks.js';

/*
 * Checks for parts that are valid by their schema, but can never match, can never run or do not mean what they say. A schema cannot
 * find these, because it sees one value.
 */

/** What the parts of a configuration are checked against. Each list is complete, or undefined if it could not be read. */
export interface Known {
  readonly people: readonly string[] | undefined;
  readonly agents: readonly string[] | undefined;
  readonly executors: readonly string[] | undefined;
  /** The CloudEvents `source` of each source. */
  readonly sources: readonly string[] | undefined;
  /** Agents that have a charter, and ids of sequences. */
  readonly chartered: readonly string[] | undefined;
  readonly sequences: readonly string[] | undefined;
}

export function checkCharter(
  part: Part<Charter>,
  { people, agents, sources }: Known,
  rules: Part<Rules> | undefined,
  complain: Complain,
): void {
  const { agent, owner, reviewers, signers, kinds, currency, timeZone, limits, texts } = part.value;
  if (agents && !agents.includes(agent)) complain(part, ['agent'], `no such agent; ${known(agents, agent)}`);
  checkPeople(part, [[['owner'], owner], ...named(['reviewers'], reviewers)], people, complain);
  repeatedOnes(part, ['reviewers'], reviewers, complain);
  if (signers) {
    checkPeople(part, named(['signers'], signers), people, complain);
    repeatedOnes(part, ['signers'], signers, complain);
    if (!Object.values(kinds).includes('approve'))
      complain(part, ['signers'], 'no kind has the tier approve, so nobody would be asked to sign');
  }
  const able = (agentKinds as Readonly<Record<string, readonly string[] | undefined>>)[agent];
  for (const kind of able ? Object.keys(kinds) : [])
    if (!able?.includes(kind))
      complain(part, ['kinds', kind], `${agent} cannot propose it; it proposes ${able?.join(', ')}`);
  const noCurrency = currencyFault(currency);
  if (noCurrency !== undefined) complain(part, ['currency'], `${noCurrency}${didYouMean(currency, currencyCodes)}`);
  if (!isTimeZone(timeZone)) {
    const meant = didYouMean(timeZone, Intl.supportedValuesOf('timeZone'));
    complain(part, ['timeZone'], `"${timeZone}" is not an IANA time zone such as Europe/Paris${meant}`);
  }
  checkLimits(part, limits, complain);
  if (texts) {
    checkTexts(part, ['texts'], texts, sources, complain);
    narrowing(part, texts, rules?.value, complain);
  }
  for (const [kind, tier] of Object.entries(kinds)) {
    if (tier === 'observe') continue;
    if (kindSpec(kind)?.touches && limits.sendsPerHour === 0)
      complain(part, ['limits', 'sendsPerHour'], `0 sends leave nothing of ${kind}, which the charter allows`);
    if (!spends.includes(kind)) continue;
    for (const cap of spendCaps)
      if (limits[cap] === 0) complain(part, ['limits', cap], `0 leaves nothing of ${kind}, which the charter allows`);
  }
}

/** Kinds whose every action counts against the caps of money. */
const spends: readonly string[] = ['ads.shift_budget', 'ads.resume_campaign'] satisfies ActionKindName[];

const spendCaps = [
  'campaignSpendPerDayMinor',
  'campaignSpendPerMonthMinor',
  'adAccountSpendPerDayMinor',
  'adAccountSpendPerMonthMinor',
  'agentSpendPerDayMinor',
  'agentSpendPerMonthMinor',
] as const;

/** A limit above these limits nothing. Money in minor units. */
const most = {
  // A cut is at most 100, and a raise above that is more than a doubling.
  approvalAbovePercent: 100,
  approvalAboveMinor: 1e12,
  approvalAboveAdAccountTotalPerDayMinor: 1e12,
  ...(Object.fromEntries(spendCaps.map((cap) => [cap, 1e12])) as Record<(typeof spendCaps)[number], number>),
  sendsPerHour: 1e6,
  reviewsWaiting: 1e5,
} as const;

function checkLimits(part: Part<Charter>, limits: Charter['limits'], complain: Complain): void {
  for (const [name, highest] of Object.entries(most)) {
    const given = (limits as Readonly<Record<string, unknown>>)[name];
    if (typeof given === 'number' && given > highest)
      complain(part, ['limits', name], `${given} is no limit any more; at most ${highest} is expected`);
  }
}

/** A charter narrows what the rules allow to everybody. What it cannot narrow, it says for nothing. */
function narrowing(
  part: Part<Charter>,
  { linkHosts = [], requiredElements = [], placeholdersMustFill }: NonNullable<Charter['texts']>,
  rules: Rules | undefined,
  complain: Complain,
): void {
  if (placeholdersMustFill === false)
    complain(part, ['texts', 'placeholdersMustFill'], 'changes nothing: a charter can only narrow; leave it out');
  const open = rules?.linkHosts?.flatMap((host) => readLinkHost(host) ?? []);
  for (const [i, written] of open ? linkHosts.entries() : []) {
    const host = readLinkHost(written);
    if (host && !open?.some((wider) => holdsLinkHost(wider, host)))
      complain(
        part,
        ['texts', 'linkHosts', i],
        `changes nothing: a charter can only narrow, and linkHosts of rules.yaml does not allow it`,
      );
  }
  for (const [i, { kinds }] of requiredElements.entries())
    for (const [k, kind] of kinds.entries())
      if (part.value.kinds[kind] === undefined)
        complain(
          part,
          ['texts', 'requiredElements', i, 'kinds', k],
          `changes nothing: this charter does not allow ${kind}`,
        );
}

export function checkRules(part: Part<Rules>, { sources }: Known, complain: Complain): void {
  checkTexts(part, [], part.value, sources, complain);
  const { maxProposalBytes, permitSeconds, firstTouchNeedsPerson, prohibitedKinds } = part.value;
  if (maxProposalBytes < 1_000 || maxProposalBytes > 900_000)
    complain(
      part,
      ['maxProposalBytes'],
      `1000 to 900000 is expected: a proposal has about 1000 bytes, an event at most 950000`,
    );
  if (permitSeconds < 10)
    complain(part, ['permitSeconds'], 'at least 10 is expected: a permit would end before it is opened');
  repeatedOnes(part, ['firstTouchNeedsPerson'], firstTouchNeedsPerson, complain);
  repeatedOnes(part, ['prohibitedKinds'], prohibitedKinds, complain);
  const { quietHours, workingDays } = part.value;
  if (quietHours && quietHours.from === quietHours.to)
    complain(part, ['quietHours'], 'from and to are the same: two times are expected, or no quietHours at all');
  if (workingDays) repeatedOnes(part, ['workingDays'], workingDays, complain);
}

export function checkRates(part: Part<Rates>, complain: Complain): void {
  const { base, perBase } = part.value;
  const check = (path: Path, code: string): void => {
    const fault = currencyFault(code);
    if (fault !== undefined) complain(part, path, `${fault}${didYouMean(code, currencyCodes)}`);
  };
  check(['base'], base);
  for (const code of Object.keys(perBase)) check(['perBase', code], code);
  if (Object.hasOwn(perBase, base) && perBase[base] !== 1)
    complain(part, ['perBase', base], `one ${base} is 1 ${base}; leave it out`);
  if (Object.keys(perBase).length === 0)
    complain(part, ['perBase'], 'one rate at least is expected, such as "USD: 1.0832"; or remove the file');
}

export function checkPlay(
  part: Part<Play>,
  charters: readonly Part<Charter>[],
  { people, chartered, sequences }: Known,
  complain: Complain,
): void {
  const { title, trigger, checkpoint, tasks } = part.value;
  checkPlain(part, ['title'], title, complain);
  for (const { path, detail } of triggerFaults(trigger)) complain(part, ['trigger', ...path], detail);
  if (checkpoint) {
    checkPeople(part, named(['checkpoint', 'reviewers'], checkpoint.reviewers), people, complain);
    repeatedOnes(part, ['checkpoint', 'reviewers'], checkpoint.reviewers, complain);
    if (checkpoint.withinMinutes > 30 * 24 * 60)
      complain(
        part,
        ['checkpoint', 'withinMinutes'],
        'at most 43200, 30 days, is expected: no event is kept for longer',
      );
  }
  for (const [i, task] of tasks.entries()) {
    const at: Path = ['tasks', i];
    checkPlain(part, [...at, 'purpose'], task.purpose, complain);
    repeatedOnes(part, [...at, 'kinds'], task.kinds, complain);
    checkSettings(part, at, part.value, task, sequences, complain);
    const charter = charters.find(({ value }) => value.agent === task.agent)?.value;
    if (!charter) {
      if (chartered && !chartered.includes(task.agent))
        complain(part, [...at, 'agent'], `has no charter; ${known(chartered, task.agent)}`);
      continue;
    }
    for (const [k, kind] of task.kinds.entries()) {
      if (charter.kinds[kind] !== undefined) continue;
      const allowed = Object.keys(charter.kinds).join(', ') || 'nothing';
      complain(part, [...at, 'kinds', k], `the charter of ${task.agent} does not allow ${kind}; it allows ${allowed}`);
    }
  }
}

type Task = Play['tasks'][number];

function checkSettings(
  part: Part<Play>,
  at: Path,
  { trigger }: Play,
  { agent, kinds, settings = {} }: Task,
  ids: readonly string[] | undefined,
  complain: Complain,
): void {
  // An agent that runs elsewhere has settings that we do not know.
  if (!Object.hasOwn(agentKinds, agent)) return;
  const place = (name: string): Path => [...at, 'settings', name];
  const names = Object.keys(TaskSettings.shape);
  for (const name of Object.keys(settings)) {
    if (!Object.hasOwn(settingKinds, name))
      complain(part, place(name), `is not a setting that exists${didYouMean(name, names)}`);
    else if (!settingKinds[name as keyof TaskSettings].some((kind) => kinds.includes(kind))) {
      const detail = `says nothing here: it is for ${settingKinds[name as keyof TaskSettings].join(', ')}`;
      complain(part, place(name), `${detail}, and the task has none of them`);
    }
  }
  const read = TaskSettings.safeParse(settings);
  for (const { path, message } of read.error?.issues ?? [])
    complain(part, [...at, 'settings', ...path.filter((step) => typeof step !== 'symbol')], message);

  const { sequence } = settings;
  if (sequence !== undefined && ids && !ids.includes(String(sequence)))
    complain(part, place('sequence'), `no such sequence; ${known(ids, String(sequence))}`);
  if (agent === 'sequencing-agent') {
    if (sequence === undefined)
      complain(part, [...at, 'settings'], 'name the sequence: without it the agent proposes nothing');
    if (trigger.pattern === 'return-below-floor')
      complain(part, [...at, 'agent'], 'this trigger finds campaigns and no people, whom this agent needs');
    if (!kinds.includes('sequence.enroll') && !kinds.includes('sequence.stop'))
      complain(part, [...at, 'kinds'], 'the agent needs sequence.enroll or sequence.stop to propose anything');
  }
  if (agent === 'paid-media-agent' && trigger.pattern === 'distinct-contacts' && settings.adAccountId === undefined)
    complain(
      part,
      [...at, 'settings'],
      'name the adAccountId: this trigger finds people and no ad account, which the agent needs',
    );
}

export function checkSequence(part: Part<Sequence>, complain: Complain): void {
  const seen = new Map<string, number>();
  let before = 0;
  for (const [i, { template, subject, body, afterSeconds }] of part.value.steps.entries()) {
    const at: Path = ['steps', i];
    if (seen.has(template))
      complain(part, [...at, 'template'], `step ${Number(seen.get(template)) + 1} is called "${template}" already`);
    else seen.set(template, i);
    checkPlain(part, [...at, 'subject'], subject, complain);
    if (!isPlain(body.replace(/[\n\r\t]/g, ' ')))
      complain(part, [...at, 'body'], 'holds a control character: no message with it is ever proposed');
    for (const [name, text] of [
      ['subject', subject],
      ['body', body],
    ] as const) {
      const fault = placeholderFault(text);
      if (!fault) continue;
      const names = placeholderNames.map((placeholder) => `{{${placeholder}}}`);
      const meant = didYouMean(fault.replace(/[{}\s]/g, ''), placeholderNames);
      complain(part, [...at, name], `${fault} cannot be filled in; there is ${names.join(', ')}${meant}`);
    }
    if (afterSeconds < before)
      complain(part, [...at, 'afterSeconds'], `is before the step above it, ${before} s after the enrolment`);
    if (afterSeconds > 365 * 86_400) complain(part, [...at, 'afterSeconds'], 'at most a year, 31536000, is expected');
    before = Math.max(before, afterSeconds);
  }
}

export function checkRoutes(
  part: Part<Route[]>,
  charters: readonly Part<Charter>[],
  { executors }: Known,
  complain: Complain,
): void {
  for (const [i, route] of part.value.entries()) {
    if (executors && !executors.includes(route.executor))
      complain(part, [i, 'executor'], `no such executor; ${known(executors, route.executor)}`);
    checkConnector(part, i, route, complain);
    repeatedOnes(part, [i, 'kinds'], route.kinds, complain);
    repeatedOnes(part, [i, 'accounts'], route.accounts ?? [], complain);
    for (const [k, account] of (route.accounts ?? []).entries())
      if (!/^[\x21-\x7e]{1,200}$/.test(account))
        complain(
          part,
          [i, 'accounts', k],
          'no account has such an id: 1 to 200 printable ASCII characters without spaces',
        );
  }
  checkReach(part, complain);
  const routed = new Set(part.value.filter((r) => r.accounts === undefined).flatMap((r): string[] => r.kinds));
  const allowed = new Set(charters.flatMap(({ value }) => Object.keys(value.kinds)));
  for (const kind of [...allowed].sort())
    if (!routed.has(kind)) complain(part, [], `no route for all accounts runs ${kind}, which a charter allows`);
}

function checkConnector(
  part: Part<Route[]>,
  i: number,
  { executor, connector, kinds }: Route,
  complain: Complain,
): void {
  const connectors = new Map(Object.entries(executorConnectors)).get(executor);
  if (!connectors) return;
  if (!Object.hasOwn(connectors, connector)) {
    complain(part, [i, 'connector'], `${executor} has no such connector; ${known(Object.keys(connectors), connector)}`);
    return;
  }
  for (const [k, kind] of kinds.entries()) {
    const family = kindSpec(kind)?.connector;
    if (family && !connectors[connector]?.includes(family))
      complain(part, [i, 'kinds', k], `the connector ${connector} cannot run it; ${family} can`);
  }
}

/** For a kind and an account, the first matching route counts. A route is never reached if earlier ones cover it completely. */
function checkReach(part: Part<Route[]>, complain: Complain): void {
  const routes = part.value;
  const takenBy = (kind: ActionKindName, account: string | undefined, before: number): number =>
    routes.findIndex(
      (r, i) =>
        i < before &&
        r.kinds.includes(kind) &&
        (r.accounts === undefined || (account !== undefined && r.accounts.includes(account))),
    );
  for (const [i, { kinds, accounts }] of routes.entries()) {
    const never = new Set<string>();
    for (const [k, kind] of kinds.entries()) {
      const taken = (accounts ?? [undefined]).map((account) => takenBy(kind, account, i));
      if (taken.includes(-1)) continue;
      never.add(kind);
      complain(
        part,
        [i, 'kinds', k],
        `is never reached: route ${Math.min(...taken)} above takes ${kind}${accounts ? ' of these accounts' : ''} first`,
      );
    }
    const left = kinds.filter((kind) => !never.has(kind));
    for (const [k, account] of (left.length === 0 ? [] : (accounts ?? [])).entries())
      if (left.every((kind) => takenBy(kind, account, i) >= 0))
        complain(part, [i, 'accounts', k], 'is never reached: routes above take all these kinds of this account');
  }
}

/** Warnings: not a fault, but perhaps not what the author meant. They are reported, and the configuration can still be published. */
export function oddities(
  charters: readonly Part<Charter>[],
  plays: readonly Part<Play>[],
  sequences: readonly Part<Sequence>[],
  rules: Part<Rules>,
  note: Complain,
): void {
  const used = new Set(plays.flatMap(({ value }) => value.tasks.map(({ settings }) => settings?.sequence)));
  for (const part of sequences) if (!used.has(part.value.id)) note(part, ['id'], 'no play uses this sequence');
  const asked = (agent: string): Set<string> =>
    new Set(
      plays.flatMap(({ value }) => value.tasks.filter((t) => t.agent === agent).flatMap((t): string[] => t.kinds)),
    );
  for (const part of charters) {
    if (asked(part.value.agent).size === 0) note(part, ['agent'], 'no play has a task for this agent');
    const { campaignSpendPerDayMinor, adAccountSpendPerDayMinor } = part.value.limits;
    if (campaignSpendPerDayMinor > adAccountSpendPerDayMinor)
      note(part, ['limits', 'campaignSpendPerDayMinor'], 'can never be reached: the cap of the ad account is lower');
    for (const [higher, lower, other] of unreachable) {
      const [above = 0, below = Number.POSITIVE_INFINITY] = [part.value.limits[higher], part.value.limits[lower]];
      if (above > below) note(part, ['limits', higher], `can never be reached: ${other} is lower`);
    }
  }
  const { touches, days } = rules.value.contactFrequency;
  for (const part of sequences) {
    const { steps } = part.value;
    for (const [i, { afterSeconds }] of steps.entries()) {
      const first = steps[i - touches]?.afterSeconds;
      if (first !== undefined && afterSeconds - first < days * 86_400)
        note(
          part,
          ['steps', i, 'afterSeconds'],
          `is refused as contactFrequency stands: ${touches} in ${days} days are used up before it`,
        );
    }
  }
  for (const [k, kind] of rules.value.prohibitedKinds.entries()) {
    const agents = charters.filter(({ value }) => value.kinds[kind] !== undefined).map(({ value }) => value.agent);
    if (agents.length > 0)
      note(rules, ['prohibitedKinds', k], `never runs, although the charter of ${agents.join(', ')} allows it`);
  }
}

/** A limit that is above another one which every amount under it counts for as well. */
const unreachable = [
  ['campaignSpendPerDayMinor', 'campaignSpendPerMonthMinor', 'the cap of the month'],
  ['adAccountSpendPerDayMinor', 'adAccountSpendPerMonthMinor', 'the cap of the month'],
  ['agentSpendPerDayMinor', 'agentSpendPerMonthMinor', 'the cap of the month'],
  ['campaignSpendPerMonthMinor', 'adAccountSpendPerMonthMinor', 'the cap of the ad account'],
  ['approvalAboveAdAccountTotalPerDayMinor', 'adAccountSpendPerDayMinor', 'the cap of the ad account'],
] as const satisfies readonly (readonly [keyof Charter['limits'], keyof Charter['limits'], string])[];

const named = (path: Path, names: readonly string[]): [Path, string][] => names.map((name, i) => [[...path, i], name]);

function checkPeople(
  part: Part<unknown>,
  given: readonly [Path, string][],
  people: readonly string[] | undefined,
  complain: Complain,
): void {
  for (const [path, person] of people ? given : [])
    if (!people?.includes(person))
      complain(part, path, `people.yaml has nobody called "${person}"; ${known(people ?? [], person)}`);
}

function isTimeZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
  }
}
