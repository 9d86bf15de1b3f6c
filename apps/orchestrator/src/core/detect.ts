import {
  type AccountProfile,
  type Control,
  clip,
  type Evidence,
  money,
  type Play,
  profileKey,
  type SignalAccepted,
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

/** What a play did for a subject so far; its row is locked while a batch is decided. */
export interface PlaySubject {
  /** Runs that started. */
  readonly runs: number;
  readonly lastStartedAt: string | null;
}

/** All that patterns are found in. Everything was read before; nothing here waits. */
export interface Known {
  readonly plays: readonly Play[];
  /** Signals kept of each account that a play may start for at this time, without those of the batch. */
  readonly signals: ReadonlyMap<string, readonly ContactSignal[]>;
  /** Reports kept of each campaign, by `subjectKey`, without those of the batch. */
  readonly reports: ReadonlyMap<string, readonly DayReport[]>;
  readonly accounts: ReadonlyMap<string, AccountProfile>;
  readonly subjects: ReadonlyMap<string, PlaySubject>;
}

/** A pattern that was found, before anybody looked at the controls. */
export interface Match {
  readonly play: Play;
  readonly subject: Subject;
  /** 1 for the first run of this play for this subject. */
  readonly ordinal: number;
  readonly trigger: SignalAccepted;
  readonly evidence: readonly Evidence[];
  readonly contactIds: readonly string[];
  /** Contacts of the pattern that are more than a task may name: those that engaged first. Zero for nearly every run. */
  readonly beyond: number;
  /** Figures of the pattern that planners ask for, under the play's own settings. */
  readonly settings: Readonly<Record<string, number>>;
}

/** What a match leads to: a run, or, where a control forbids it, the record that there was none. */
export interface Found extends Match {
  readonly stoppedBy: Control | null;
}

export interface Detected {
  readonly matches: readonly Match[];
  /** What to keep of the batch. */
  readonly signals: readonly ContactSignal[];
  readonly reports: readonly DayReport[];
}

export const playSubjectKey = (playId: string, subject: Subject): string => `${playId} ${subjectKey(subject)}`;

/**
 * Takes the signals of a batch one after the other, so that how they were batched changes nothing, and finds the plays that
 * each of them starts. A run needs: a pattern (in the signals' own time), no cool-down (by `at`), and no control that stops it, which
 * `underControls` looks at.
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
          // A profile that arrives after the engagements completes the pattern as well.
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
 * What becomes of the matches of one batch. A suppressed run uses up no cool-down: the next signal may start it when the control is
 * lifted. Within the batch it is recorded once.
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

/** Whether a play started for a subject so lately that nothing starts it again yet. */
export const coolsDown = (play: Pick<Play, 'coolDownDays'>, history: PlaySubject | undefined, at: string): boolean =>
  typeof history?.lastStartedAt === 'string' &&
  Date.parse(at) < Date.parse(history.lastStartedAt) + play.coolDownDays * dayMs;

type Pattern = Pick<Match, 'evidence' | 'contactIds' | 'beyond' | 'settings'>;

/** As many contacts as a play may wait for: a task names no more, and what it leads to names each of them again. */
export const mostContacts = 1000;

/** Control scopes that concern a run, broadest first. */
export const scopesOf = (playId: string, subject: Subject): readonly string[] => [
  'all',
  `play:${playId}`,
  `account:${subject.kind === 'account' ? subject.accountId : subject.adAccountId}`,
];

export const stop = (
  play: { readonly id: string },
  subject: Subject,
  controls: ReadonlyMap<string, Control>,
): Control | null =>
  scopesOf(play.id, subject)
    .map((scope) => controls.get(scope))
    .find((c) => c?.state === 'stopped') ?? null;

/** Only the operator's own words and ids go into evidence: what an outsider wrote could speak to a model. */
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

/** Profiles whose versions a run was made from, by their key on `profiles.v1`. */
export const profilesOf = ({ subject, contactIds }: Pick<Match, 'subject' | 'contactIds'>): readonly string[] => [
  ...(subject.kind === 'account'
    ? [profileKey.account(subject.accountId)]
    : [profileKey.adAccount(subject.adAccountId), profileKey.campaign(subject.adAccountId, subject.campaignId)]),
  ...contactIds.map(profileKey.contact),
];
