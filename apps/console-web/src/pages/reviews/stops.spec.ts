import { expect, test } from 'vitest';
import { approvalUnder, stopsOn } from './stops.js';

const channels = [
  { kind: 'email.send', channel: 'email' },
  { kind: 'ads.set_bid', channel: 'advertising' },
];
const play = { id: 'surge', runId: 'r-1', title: 'Surge' };
const message = {
  subject: 'proposal' as const,
  play,
  facts: { agent: 'sequencing-agent', kind: 'email.send', accountId: 'acme' },
  action: { payload: { subject: 'A guide' } },
};
const bid = {
  subject: 'proposal' as const,
  play,
  facts: { agent: 'paid-media-agent', kind: 'ads.set_bid', accountId: null },
  action: { payload: { adAccountId: 'ads-1' } },
};
const checkpoint = {
  subject: 'checkpoint' as const,
  play,
  facts: {
    accountId: 'acme',
    adAccountId: null,
    tasks: [{ agent: 'sequencing-agent' }, { agent: 'paid-media-agent' }],
  },
};
const ofCampaign = { ...checkpoint, facts: { accountId: null, adAccountId: 'ads-1', tasks: [{ agent: 'ads' }] } };
const stopped = (scope: string) => ({ scope, state: 'stopped' as const });

test.each([
  [message, ['all', 'agent:sequencing-agent', 'play:surge', 'channel:email', 'account:acme']],
  [bid, ['all', 'agent:paid-media-agent', 'play:surge', 'channel:advertising', 'account:ads-1']],
  [checkpoint, ['all', 'agent:sequencing-agent', 'agent:paid-media-agent', 'play:surge', 'account:acme']],
  [ofCampaign, ['all', 'agent:ads', 'play:surge', 'account:ads-1']],
])('a card is covered by each stop that its answer runs into, and by no other one (%#)', (card, covering) => {
  const others = ['agent:nurture-agent', 'play:other', 'channel:crm', 'account:other', 'account:null'];
  const controls = [...covering, ...others].map(stopped);
  expect(stopsOn(card, controls, channels).map(({ scope }) => scope)).toEqual(covering);
});

test('what runs again covers nothing', () => {
  expect(stopsOn(message, [{ scope: 'all', state: 'running' as const }], channels)).toEqual([]);
});

test('a stop says what an approval comes to', () => {
  expect(approvalUnder(message, [stopped('all')])).toMatch(/it is refused and cannot be approved later/);
  expect(approvalUnder(checkpoint, [stopped('play:surge'), stopped('agent:paid-media-agent')])).toMatch(
    /no task goes out/,
  );
  expect(approvalUnder(checkpoint, [stopped('agent:paid-media-agent')])).toMatch(/the tasks go out, but/);
});
