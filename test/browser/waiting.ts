import { randomUUID } from 'node:crypto';
import type { DataOf } from '@countersign/contracts';
import { expect } from 'vitest';
import type { Visitor } from '../flows/installation.js';
import { company, inSandbox, reports } from '../flows/signals.js';

/** First messages to the C-suite of a new account, which wait for a person; the account is called `name`. */
export async function waiting(
  visitor: Visitor,
  count: number,
  name?: string,
): Promise<readonly DataOf<'ActionEscalated'>[]> {
  const board = company(`board-${randomUUID().slice(0, 8)}`, Math.max(count, 3), 'c-suite');
  const known = board
    .known()
    .map((signal) =>
      signal.type === 'AccountUpserted' && name !== undefined ? { ...signal, data: { ...signal.data, name } } : signal,
    );
  await visitor.accepted('crm', known);
  await visitor.accepted('website', board.compare());
  const found = await visitor.until(`${count} first messages to wait for a person`, () => {
    const escalated = visitor.eventsOf('ActionEscalated', ({ action }) => action.accountId === board.id);
    return escalated.length >= count && escalated;
  });
  // The topic has it before the console has read it.
  await visitor.until('the console to list them', async () => {
    const { out } = await visitor.cli('review', 'list');
    return found.every(({ proposalId }) => out.includes(proposalId));
  });
  return found;
}

/** A campaign whose budget the agent wants to move, by more than it may alone. */
export async function shiftToAsk(visitor: Visitor): Promise<DataOf<'ActionEscalated'>> {
  const run = randomUUID().slice(0, 8);
  const campaign = (name: string, returnPercent: number) => ({
    campaignId: `cmp-${name}-${run}`,
    adAccountId: `ads-${run}`,
    dailyBudgetMinor: 100_000,
    returnPercent,
  });
  const [best, low] = [campaign('best', 400), campaign('low', 100)];
  const ports = visitor.ports();
  await ports.act({ kind: 'campaigns', campaigns: [best, low].map(inSandbox) });
  await ports.close();
  for (const reported of [best, low]) await visitor.accepted('ads', reports(reported));
  return visitor.until('a shift that waits for a person', () =>
    visitor.eventsOf('ActionEscalated', ({ action }) => action.payload.fromCampaignId === low.campaignId).at(0),
  );
}

/** Waits until an action is approved, and expects one answer to it and one approval of it. */
export async function approvedOnce(visitor: Visitor, proposalId: string | undefined): Promise<void> {
  const approvals = () => visitor.eventsOf('ActionApproved', (approval) => approval.proposalId === proposalId);
  const answers = () => visitor.eventsOf('ReviewDecided', ({ subject }) => subject.id === proposalId);
  await visitor.until('the answer and its approval', () => approvals().length > 0 && answers().length > 0);
  expect(answers()).toHaveLength(1);
  expect(approvals()).toHaveLength(1);
}

/** Waits until nothing has happened for some seconds, so that all earlier work, including that of other files, has ended. */
export async function atRest(visitor: Visitor): Promise<void> {
  let [seen, since] = [visitor.events.length, Date.now()];
  await visitor.until('everything to be at rest', () => {
    if (visitor.events.length !== seen) [seen, since] = [visitor.events.length, Date.now()];
    return Date.now() - since >= 5_000;
  });
}
