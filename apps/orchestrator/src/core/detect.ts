import {
  type AccountProfile,
  type Control,
  clip,
  type Evidence,
  money,
  type Play,
  profileKey,
  type SignalAccepted,
  scopesCovering,
} from '@countersign/contracts';
import {
  type ContactSignal,
  contactSignal,
  type DayReport,
  dayReport,
  outdates,
  type Subject,
  subjectKey,
} from './facts.js';
import { type BelowFloor, belowFloor, dayMs, engagements, matches, surge } from './patterns.js';

/** What a play has done for a subject so far. Its row is locked while a batch is decided. */
export interface PlaySubject {
  /** The number of runs that started. */
  readonly runs: number;
  readonly lastStartedAt: string | null;
}

/** Everything that patterns are found in. It is all read before; nothing here waits. */
export interface Known {
  readonly plays: readonly Play[];
  /** The stored signals of each account for which a play may start at this time, without those of the batch. */
  readonly signals: ReadonlyMap<string, readonly ContactSignal[]>;
  /** The stored reports of each campaign, by `subjectKey`, without those of the batch. */
  readonly reports: ReadonlyMap<string, readonly DayReport[]>;
  readonly accounts: ReadonlyMap<string, AccountProfile>;
  readonly subjects: ReadonlyMap<string, PlaySubject>;
}

/** A pattern that was found, before the controls are checked. */
export interface Match {
  readonly play: Play;
  readonly subject: Subject;
  /** 1 for the first run of this play for this subject. */
  readonly ordinal: number;
  readonly trigger: SignalAccepted;
  readonly evidence: readonly Evidence[];
  readonly contactIds: readonly string[];
  /**
   * How many contacts of the pattern exceed the limit of a task. The task names those that engaged first. Zero for nearly every
   * run.
   */
  readonly beyond: number;
  /** Figures of the pattern that planners need, in addition to the play's own settings. */
  readonly settings: Readonly<Record<string, number>>;
}

/** The result of a match: a run, or, if a control forbids it, the record of a suppressed one. */
export interface Found extends Match {
  readonly stoppedBy: Control | null;
}

export interface Detected {
  readonly matches: readonly Match[];
  /** What to store of the batch. */
  readonly signals: readonly ContactSignal[];
  readonly reports: readonly DayReport[];
}

export const playSubjectKey = (playId: string, subject: Subject): string => `${playId} ${subjectKey(subject)}`;

/**
 * Takes the signals of a batch one after the other, so that batching changes nothing, and finds the plays that each of them
 * starts. A run needs a pattern (in the signals' own time), no cool-down (by `at`), and no control that stops it, which
 * `underControls` checks.
 */
export function detect(events: readonly SignalAccepted[], known: Known, at: string): Detected {
  const signals = new Map([...known.signals].map(([key, list]) => [key, [...list]]));
  const reports = new Map([...known.reports].map(([key, list]) => [key, new Map(list.map((r) => [r.day, r]))]));
  const subjects = new Map(known.subjects);
  const matches: Match[] = [];
  const newSignals: ContactSignal[] = [];
  const newReports = new Map<string, DayReport>();

  const consider = (
    play: Play,
    subject: Subject,
    event: SignalAccepted,
    pattern: (s: PlaySubject) => Pattern | undefined,
  ) => {
    const key = playSubjectKey(play.id, subject);
    const history = subjects.get(key) ?? { runs: 0, lastStartedAt: null };
    if (coolsDown(play, history, at)) return;
    const made = pattern(history);
    if (!made) return;
    matches.push({ play, subject, ordinal: history.runs + 1, trigger: event, ...made });
    subjects.set(key, { runs: history.runs + 1, lastStartedAt: at });
  };

  for (const event of events) {
    const signal = contactSignal(event);
    if (signal) {
      const ofAccount = signals.get(signal.accountId) ?? [];
      signals.set(signal.accountId, ofAccount);
      if (ofAccount.some((s) => s.source === signal.source && s.signalId === signal.signalId)) continue;
      ofAccount.push(signal);
      newSignals.push(signal);
    }
    const report = dayReport(event);
    if (report) {
      const key = subjectKey({ kind: 'campaign', ...report });
      const ofCampaign = reports.get(key) ?? new Map<string, DayReport>();
      reports.set(key, ofCampaign);
      const before = ofCampaign.get(report.day);
      if (before && !outdates(report, before)) continue;
      ofCampaign.set(report.day, report);
      newReports.set(`${key} ${report.day}`, report);
    }
    if (!event.triggers) continue;

    for (const play of known.plays) {
      const { trigger, freshWithinDays } = play;
      switch (trigger.pattern) {
        case 'distinct-contacts': {
          const { accountId } = event;
          if (accountId === undefined) break;
          // A profile that arrives after the engagements can complete the pattern too.
          const counts = signal && engagements(trigger, [signal], freshWithinDays).length > 0;
          if (!counts && event.type !== 'AccountUpserted') break;
          if (!concerns(play, known.accounts.get(accountId))) break;
          consider(play, { kind: 'account', accountId }, event, ({ lastStartedAt }) => {
            const members = surge(trigger, signals.get(accountId) ?? [], { at, freshWithinDays, lastStartedAt });
            return members && surgePattern(members, trigger);
          });
          break;
        }
        case 'return-below-floor': {
          if (!report) break;
          const { adAccountId, campaignId } = report;
          const subject: Subject = { kind: 'campaign', adAccountId, campaignId };
          consider(play, subject, event, ({ lastStartedAt }) => {
            const days = [...(reports.get(subjectKey(subject))?.values() ?? [])];
            const below = belowFloor(trigger, days, report.day, { at, freshWithinDays, lastStartedAt });
            return below && floorPattern(below, trigger.withinDays);
          });
          break;
        }
      }
    }
  }
  return { matches, signals: newSignals, reports: [...newReports.values()] };
}

/**
 * The results for the matches of one batch. A suppressed run uses up no cool-down: the next signal may start it when the control
 * is lifted. Within the batch it is recorded once.
 */
export function underControls(matches: readonly Match[], controls: ReadonlyMap<string, Control>): readonly Found[] {
  const suppressed = new Set<string>();
  const found: Found[] = [];
  for (const match of matches) {
    const stoppedBy = stop(match.play, match.subject, controls);
    const key = playSubjectKey(match.play.id, match.subject);
    if (stoppedBy && suppressed.has(key)) continue;
    if (stoppedBy) suppressed.add(key);
    found.push({ ...match, stoppedBy });
  }
  return found;
}

/** Whether a play is for accounts like this one. */
export const concerns = ({ trigger }: Pick<Play, 'trigger'>, profile: AccountProfile | undefined): boolean =>
  trigger.pattern === 'distinct-contacts' && profile !== undefined && matches(trigger.account, profile);

/** Whether a play started for a subject so recently that nothing may start it again yet. */
export const coolsDown = (play: Pick<Play, 'coolDownDays'>, history: PlaySubject | undefined, at: string): boolean =>
  typeof history?.lastStartedAt === 'string' &&
  Date.parse(at) < Date.parse(history.lastStartedAt) + play.coolDownDays * dayMs;

type Pattern = Pick<Match, 'evidence' | 'contactIds' | 'beyond' | 'settings'>;

/** The most contacts that a play may wait for. A task names no more, and later events name each of them again. */
export const mostContacts = 1000;

/** Control scopes that concern a run, broadest first. */
export const scopesOf = (playId: string, subject: Subject): readonly string[] =>
  scopesCovering({
    play: playId,
    accounts: [subject.kind === 'account' ? subject.accountId : subject.adAccountId],
  });

export const stop = (
  play: { readonly id: string },
  subject: Subject,
  controls: ReadonlyMap<string, Control>,
): Control | null =>
  scopesOf(play.id, subject)
    .map((scope) => controls.get(scope))
    .find((c) => c?.state === 'stopped') ?? null;

/** A stop in words, with the reason of the person who ordered it. */
export function stopText({ scope, by, reason }: Pick<Control, 'scope' | 'by' | 'reason'>): string {
  const [kind, ...id] = scope.split(':');
  return `${by} stopped ${scope === 'all' ? 'everything' : `the ${kind} ${id.join(':')}`}: ${reason}`;
}

/** Only the operator's own words and ids go into evidence: an outsider's text could instruct a model. */
function surgePattern(
  members: readonly ContactSignal[],
  trigger: Extract<Play['trigger'], { pattern: 'distinct-contacts' }>,
): Pattern {
  const about = Object.entries(trigger.where)
    .map(([name, value]) => `${name} ${Array.isArray(value) ? value.join(' or ') : value}`)
    .join(', ');
  const words = trigger.signal.replace(/(?<=[a-z])[A-Z]/g, (c) => ` ${c}`).toLowerCase();
  const latest = members.slice(-mostContacts);
  return {
    evidence: latest.map(({ source, signalId, type, occurredAt, accountId, contactId }) => ({
      source,
      signalId,
      type,
      occurredAt,
      accountId,
      contactId,
      detail: clip(`${words}${about === '' ? '' : `: ${about}`}`, 300),
    })),
    contactIds: latest.map((m) => m.contactId),
    beyond: members.length - latest.length,
    settings: {},
  };
}

function floorPattern(below: BelowFloor, windowDays: number): Pattern {
  return {
    evidence: below.days.map(({ source, signalId, occurredAt, day, spendMinor, revenueMinor, currency }) => ({
      source,
      signalId,
      type: 'CampaignPerformanceReported',
      occurredAt,
      detail: `${day}: spent ${money(spendMinor, currency)}, brought ${money(revenueMinor, currency)}`,
    })),
    contactIds: [],
    beyond: 0,
    settings: { windowDays, floorPercent: below.floorPercent },
  };
}

/** The profiles from whose versions a run was made, by their key on `profiles.v1`. */
export const profilesOf = ({ subject, contactIds }: Pick<Match, 'subject' | 'contactIds'>): readonly string[] => [
  ...(subject.kind === 'account'
    ? [profileKey.account(subject.accountId)]
    : [profileKey.adAccount(subject.adAccountId), profileKey.campaign(subject.adAccountId, subject.campaignId)]),
  ...contactIds.map(profileKey.contact),
];
