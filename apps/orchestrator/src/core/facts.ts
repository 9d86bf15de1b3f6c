import { compareStatements, type SignalAccepted } from '@countersign/contracts';

/** A signal about a contact of an account, as it is stored: enough to find patterns, whenever it arrives. */
export interface ContactSignal {
  readonly source: string;
  readonly signalId: string;
  readonly type: string;
  readonly accountId: string;
  readonly contactId: string;
  readonly occurredAt: string;
  readonly receivedAt: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** The latest report of one day of a campaign. Days are calendar days of the advertising platform. */
export interface DayReport {
  readonly adAccountId: string;
  readonly campaignId: string;
  readonly day: string;
  readonly spendMinor: number;
  readonly revenueMinor: number;
  readonly currency: string;
  readonly status: 'active' | 'paused' | null;
  readonly returnFloorPercent: number | null;
  readonly source: string;
  readonly signalId: string;
  readonly occurredAt: string;
  readonly receivedAt: string;
}

/** Who a play runs for: a CRM account, or one campaign of an ad account. */
export type Subject =
  | { readonly kind: 'account'; readonly accountId: string }
  | { readonly kind: 'campaign'; readonly adAccountId: string; readonly campaignId: string };

export const subjectKey = (subject: Subject): string =>
  subject.kind === 'account'
    ? `account:${subject.accountId}`
    : `campaign:${JSON.stringify([subject.adAccountId, subject.campaignId])}`;

/** The signal as a fact of its account; undefined if it names no account or contact, or may trigger nothing. */
export function contactSignal(signal: SignalAccepted): ContactSignal | undefined {
  const { source, signalId, type, accountId, contactId, occurredAt, receivedAt, facts } = signal;
  if (!signal.triggers || accountId === undefined || contactId === undefined) return undefined;
  return { source, signalId, type, accountId, contactId, occurredAt, receivedAt, facts };
}

/** The signal as a day's report; undefined for any other type. Old reports count too: they start nothing by themselves. */
export function dayReport(signal: SignalAccepted): DayReport | undefined {
  if (signal.type !== 'CampaignPerformanceReported') return undefined;
  const { source, signalId, occurredAt, receivedAt } = signal;
  const facts = signal.facts as unknown as Omit<DayReport, 'status' | 'returnFloorPercent'> &
    Partial<Pick<DayReport, 'status' | 'returnFloorPercent'>>;
  return {
    adAccountId: facts.adAccountId,
    campaignId: facts.campaignId,
    day: facts.day,
    spendMinor: facts.spendMinor,
    revenueMinor: facts.revenueMinor,
    currency: facts.currency,
    status: facts.status ?? null,
    returnFloorPercent: facts.returnFloorPercent ?? null,
    source,
    signalId,
    occurredAt,
    receivedAt,
  };
}

/** Whether `a` outdates `b`. The order of arrival never decides. */
export const outdates = (a: DayReport, b: DayReport): boolean => compareStatements(a, b) > 0;
