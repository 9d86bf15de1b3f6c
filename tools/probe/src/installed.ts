import { randomUUID } from 'node:crypto';
import { codeOf, credentialOf, Failure, jsonOf, type Session } from '@countersign/client';
import type { Source } from '@countersign/client/core';
import { type SignalData, type SignalType, topics } from '@countersign/contracts';
import { bids } from './forge.js';
import { adAccountOf, addressOf } from './ground.js';
import type { Wire } from './wire.js';

/** A contact or a campaign of the probe's own, as ingestion has made it known. */
export interface Known {
  readonly contactId: string | undefined;
  readonly madeFrom: Readonly<Record<string, number>>;
}

/** As which source the probe publishes, and over what. */
export interface Publisher {
  readonly wire: Wire;
  readonly source: Source;
}

/** Publishes a signal as a source that writes to Kafka; resolves when ingestion has accepted it. */
async function accepted<T extends SignalType>(
  { wire, source: { name, source } }: Publisher,
  patienceMs: number,
  type: T,
  data: Partial<SignalData<T>>,
  time: string,
): Promise<Known> {
  const id = randomUUID();
  const signal = { id, source, type, time, data };
  await wire.send(name, topics.signalsInbound(name).name, id, signal);
  const found = await wire.until(
    () =>
      wire.eventsOf('SignalAccepted', (a) => a.signalId === id)[0]?.event.data ??
      wire.eventsOf('SignalRejected', (r) => r.signalId === id)[0]?.event.data,
    patienceMs,
  );
  if (!found) throw new Failure(2, `signal-ingestion did not answer within ${patienceMs / 1000} s: is it running?`);
  if (!('madeFrom' in found)) {
    throw new Failure(2, `signal-ingestion rejected a ${type} of the probe: ${found.reasons[0]?.detail}`);
  }
  return { contactId: found.contactId, madeFrom: found.madeFrom };
}

const day = 86_400_000;

/** An account of the probe's own, which it may stop: nobody else's work is about it. */
export const account = (from: Publisher, patienceMs: number, run: string, accountId: string): Promise<Known> =>
  accepted(
    from,
    patienceMs,
    'AccountUpserted',
    { account: { id: accountId }, name: `countersign probe ${run}` },
    new Date(Date.now() - 60_000).toISOString(),
  );

/** Somebody who agreed to messages of sales, and does not exist. */
export const contact = (
  from: Publisher,
  patienceMs: number,
  run: string,
  name: string,
  { accountId, timeZone }: { readonly accountId: string; readonly timeZone: string | undefined },
): Promise<Known> =>
  accepted(
    from,
    patienceMs,
    'ContactUpserted',
    {
      account: { id: accountId },
      contact: { ref: `probe:${run}:${name}`, email: addressOf(run, name) },
      seniority: 'individual',
      consents: [{ purpose: 'sales', channel: 'email', status: 'granted' }],
      person: { firstName: 'Probe' },
      ...(timeZone !== undefined && { timeZone }),
    },
    new Date(Date.now() - 60_000).toISOString(),
  );

export const withdrawal = (from: Publisher, patienceMs: number, run: string, name: string): Promise<Known> =>
  accepted(
    from,
    patienceMs,
    'ConsentChanged',
    { contact: { ref: `probe:${run}:${name}` }, purpose: 'sales', channel: 'email', status: 'withdrawn' },
    new Date().toISOString(),
  );

/** A campaign that spends next to nothing, so that no play looks at it. */
export const campaign = (from: Publisher, patienceMs: number, run: string, campaignId: string, currency: string) =>
  accepted(
    from,
    patienceMs,
    'CampaignPerformanceReported',
    {
      adAccountId: adAccountOf(run),
      campaignId,
      day: new Date(Date.now() - day).toISOString().slice(0, 10),
      spendMinor: 1,
      revenueMinor: 100,
      currency,
      dailyBudgetMinor: 1_000,
      bidMinor: bids.before,
      status: 'active',
    },
    new Date(Date.now() - 60_000).toISOString(),
  );

/** The sandbox systems: all that the probe's actions reach. */
export function sandboxes(s: Session) {
  const url = s.installation.urls['sandbox-systems'];
  if (url === undefined)
    throw new Failure(2, 'the probe acts on the sandbox systems, which this installation does not have');
  const token = credentialOf(s.installation, 'person', s.installation.person).sandboxToken;
  const ask = async (path: string, init: RequestInit = {}): Promise<unknown> => {
    try {
      const headers = { ...init.headers, authorization: `Bearer ${token ?? ''}` };
      const response = await fetch(`${url}/${path}`, { ...init, headers, signal: AbortSignal.timeout(15_000) });
      if (!response.ok) throw new Error(`status ${response.status}`);
      return await jsonOf(response);
    } catch (error) {
      const reason = error instanceof Error && error.message.startsWith('status') ? error.message : codeOf(error);
      throw new Failure(2, `the probe acts on the sandbox systems only, and ${url}/${path} cannot be used (${reason})`);
    }
  };
  return {
    putCampaign: (campaignId: string, run: string, currency: string) =>
      ask(`ads/campaigns/${encodeURIComponent(campaignId)}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          adAccountId: adAccountOf(run),
          status: 'active',
          dailyBudgetMinor: 1_000,
          bidMinor: bids.before,
          currency,
        }),
      }),
    campaigns: async () =>
      ((await ask('ads/campaigns')) as { campaigns: { campaignId: string; bidMinor: number }[] }).campaigns,
    messages: async () => ((await ask('mailer/messages')) as { messages: { contactId: string }[] }).messages,
  };
}
