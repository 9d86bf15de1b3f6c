import { derivedId, type Envelope, sourceOf, toBinary } from '@countersign/contracts';
import type { KafkaMessage, Message } from '@countersign/kafka';

/** Bytes of an event's data. Its attributes, some 400 bytes, travel in headers as all of ours do. */
export const eventBytes = 1_024;

const time = '2026-11-21T12:00:00.000Z';

/** The n-th event of a phase: what an agent might propose, filled up to `eventBytes`. */
export function eventOf(phase: string, n: number): Envelope {
  const id = (what: string): string => derivedId(what, phase, n);
  const account = `account-${n % 200}`;
  const data = {
    proposalId: id('proposal'),
    taskId: id('task'),
    agent: 'paid-media-agent',
    play: { id: 'account-surge', runId: id('run'), title: 'Account surge' },
    action: {
      actionId: id('action'),
      kind: 'ads.set_bid',
      accountId: account,
      payload: { campaignId: `campaign-${n % 50}`, bid: { amountMinor: 125 + (n % 100), currency: 'EUR' } },
    },
    evidence: [{ detail: 'content engaged', type: 'ContentEngaged', signalId: id('signal'), occurredAt: time }],
    confidence: 0.8,
    lineage: 'trusted',
    proposedAt: time,
    madeFrom: { [`profile:account:${account}`]: n % 7 },
    rationale: '',
    rejectedBecause: 'nothing speaks against it',
  };
  const missing = eventBytes - Buffer.byteLength(JSON.stringify(data));
  const rationale = 'Three people of this account compared prices within two days. '.repeat(20).slice(0, missing);
  return {
    id: id('event'),
    source: sourceOf('paid-media-agent'),
    type: 'ActionProposed',
    time,
    correlationid: id('signal'),
    causationid: id('task'),
    data: { ...data, rationale },
  };
}

/** Where an event belongs in the measurement, beside its own attributes. */
export interface Mark {
  readonly phase: string;
  readonly n: number;
  /** When it should have been sent, on the clock of `now`. */
  readonly due: number;
}

/** The event as a message, marked. */
export function messageOf({ phase, n, due }: Mark): Message {
  const { headers, value } = toBinary(eventOf(phase, n));
  return { key: `account-${n % 200}`, value, headers: { ...headers, bench: `${phase} ${n} ${due}` } };
}

/** The mark that a message carries through all hops. Throws where it has none. */
export function markOf({ headers }: Pick<KafkaMessage, 'headers'>): Mark {
  const [phase, n, due] = String(headers?.bench ?? '').split(' ');
  if (phase === undefined || n === undefined || due === undefined) throw new Error('a message without a mark');
  return { phase, n: Number(n), due: Number(due) };
}

/** Milliseconds on a clock that all processes of the machine share, and that nobody sets. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;
