import { expect, test } from 'vitest';
import { ledgerWords } from './ledger.js';

test.each([
  ['touch:57a6d963-0000-5000-8000-000000000001', 'Messages to this person'],
  ['sends:sequencing-agent', 'Messages of sequencing-agent in an hour'],
  ['actions:paid-media-agent', 'Actions of paid-media-agent'],
  ['actions:paid-media-agent:ads:emea', 'Actions of paid-media-agent for ads:emea'],
  ['spend:ad-account:ads-1:2026-11-21', 'Spend of the ad account ads-1 on 2026-11-21'],
  ['spend:campaign:c-1:2026-11-21', 'Spend of the campaign Retargeting on 2026-11-21'],
  ['spend:campaign:c-2:2026-11-21', 'Spend of the campaign c-2 on 2026-11-21'],
  ['spend:campaign:c-3:2026-11-21', 'Spend of the campaign c-3 on 2026-11-21'],
  ['spend:campaign:c-1:2026-11', 'Spend of the campaign Retargeting in 2026-11'],
  ['spend:agent:paid-media-agent:2026-11-21', 'Spend of the agent paid-media-agent on 2026-11-21'],
  ['of-tomorrow:x', 'of-tomorrow:x'],
])('%s is told as "%s"', (ledger, words) => {
  const campaigns = [{ campaignId: 'c-1', name: 'Retargeting' }, { campaignId: 'c-2' }];
  expect(ledgerWords(ledger, campaigns)).toBe(words);
});
