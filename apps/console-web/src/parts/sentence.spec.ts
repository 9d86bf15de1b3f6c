import { expect, test } from 'vitest';
import { personWords, pieces, sentence, withAccount } from './sentence.js';

const cfo = { seniority: 'c-suite', jobFunction: 'finance', accountName: 'Lumen Health' };
const campaigns = [{ campaignId: 'c-1', name: 'Retargeting' }, { campaignId: 'c-2' }];
const shown = (kind: string, payload: Record<string, unknown>) => ({
  detail: 'what the console says of it',
  action: { kind, payload },
  facts: { people: [cfo], campaigns },
});

test.each([
  [cfo, 'the CFO of Lumen Health'],
  [{ seniority: 'c-suite', jobFunction: 'people', accountName: 'Acme' }, 'an executive (people) of Acme'],
  [{ seniority: 'director', jobFunction: 'sales' }, 'a director (sales)'],
  [{ seniority: 'unknown' }, 'a contact'],
  [{ seniority: 'constructor', jobFunction: 'constructor', accountName: 'Acme' }, 'a contact (constructor) of Acme'],
])('a person is told by what a reviewer recognises: %j is %s', (person, words) => {
  expect(personWords(person)).toBe(words);
});

test.each([
  [
    'email.send',
    { subject: 'A guide for {{account.name}}' },
    'Send “A guide for Lumen Health” to the CFO of Lumen Health',
  ],
  [
    'ads.shift_budget',
    { fromCampaignId: 'c-1', toCampaignId: 'c-2', amountMinor: 30_000, currency: 'EUR' },
    'Move EUR 300.00 a day from Retargeting to c-2',
  ],
  ['ads.pause_campaign', { campaignId: 'c-1' }, 'Pause Retargeting'],
  ['crm.create_task', { title: 'Call them' }, 'Create the CRM task “Call them”'],
  ['something.else', {}, 'What the console says of it'],
])('%s is one sentence', (kind, payload, words) => {
  expect(sentence(shown(kind, payload))).toBe(words);
});

interface Contracts {
  readonly actionDetail: (action: { kind: string; payload: unknown }) => string | undefined;
}

test('a mail, an advertisement and a CRM task have the names that the services give them', async () => {
  // The pages may not depend on it; their test may ask it.
  const { actionDetail } = (await import('@countersign/contracts' as string)) as Contracts;
  const contactId = '57a6d963-0000-4000-8000-000000000001';
  const payloads = {
    'email.send': {
      ...{ contactId, purpose: 'sales', template: 'guide', sendAt: '2026-11-21T10:00:00.000Z' },
      ...{ subject: 'For {{contact.firstName}} of {{account.name}}', body: 'Text' },
    },
    'ads.publish_creative': {
      ...{ adAccountId: 'ads-1', campaignId: 'c-1', creativeId: 'cr-1', url: 'https://example.com/' },
      ...{ headline: 'Compare us', body: 'Text' },
    },
    'crm.create_task': { title: 'Call them', note: 'Text', dueAt: '2026-11-21T10:00:00.000Z' },
  };
  const nameIn = (text: string | undefined) => /[“"](.+)[”"]/.exec(text ?? '')?.[1];
  for (const [kind, payload] of Object.entries(payloads)) {
    const name = nameIn(actionDetail({ kind, payload }))?.replace('[account name]', 'Lumen Health');
    expect([kind, name]).toEqual([kind, expect.any(String)]);
    expect([kind, nameIn(sentence(shown(kind, payload)))]).toEqual([kind, name]);
  }
});

test('a title has the name of the account in place of its placeholder, if it is of one account that is known', () => {
  const title = 'The guide for [account name] and [account name], [contact first name]';
  expect(withAccount(title, [cfo, { accountName: 'Lumen Health' }])).toBe(
    'The guide for Lumen Health and Lumen Health, [contact first name]',
  );
  expect(withAccount(title, [{ accountName: '$& Co' }])).toContain('for $& Co and');
  for (const people of [[], [{ accountName: undefined }], [cfo, { accountName: 'Acme' }]])
    expect(withAccount(title, people)).toBe(title);
});

test('a checkpoint says for whom it lets how many tasks go', () => {
  const play = { title: 'Comparison surge' };
  const words = (account: string | null, campaignId: string | null, tasks: number[]) =>
    sentence({ detail: '', play, facts: { account, campaignId, campaigns, tasks } });
  expect(words('Lumen Health', null, [1, 2])).toBe(
    'Let the play “Comparison surge” go on for Lumen Health with 2 tasks',
  );
  expect(words(null, 'c-1', [1])).toBe('Let the play “Comparison surge” go on for Retargeting with one task');
  expect(words(null, 'c-2', [1])).toBe('Let the play “Comparison surge” go on for c-2 with one task');
  expect(words(null, null, [1])).toBe('Let the play “Comparison surge” go on with one task');
});

test('placeholders are pieces of their own, and whatever is no placeholder stays as it is', () => {
  expect(pieces('Hello {{contact.firstName}},\n{{ }{x}')).toEqual([
    { text: 'Hello ', placeholder: false },
    { text: 'contact first name', placeholder: true },
    { text: ',\n{{ }{x}', placeholder: false },
  ]);
  expect(pieces('<b>{{a}}</b>').map((piece) => piece.text)).toEqual(['<b>', 'a', '</b>']);
});
