import { expect, test } from 'vitest';
import { actionText, legible, withNames } from './named.js';

const campaigns = [
  { campaignId: 'cmp-dach', name: 'Search, DACH' },
  { campaignId: 'cmp-dach-video', name: 'Video, DACH (cmp-dach)' },
  { campaignId: '7+1', name: 'Seven' },
  { campaignId: 'c-9' },
];

test.each([
  ['Pause cmp-dach-video', 'Pause Video, DACH (cmp-dach)'],
  [
    'Move EUR 5.00 of daily budget from cmp-dach-video to cmp-dach.',
    'Move EUR 5.00 of daily budget from Video, DACH (cmp-dach) to Search, DACH.',
  ],
  ['over the cap of campaign cmp-dach: EUR 7.00', 'over the cap of campaign Search, DACH: EUR 7.00'],
  ['Pause 7+1', 'Pause Seven'],
  ['Pause c-9', 'Pause c-9'],
  ['cmp-dach-2, old-cmp-dach and cmp-dach.1', 'cmp-dach-2, old-cmp-dach and cmp-dach.1'],
])('a campaign is called by its name, and only where its whole id stands: %s', (text, words) => {
  expect(withNames(text, { campaigns })).toBe(words);
});

test('a play is called by its title', () => {
  const play = { id: 'return-below-floor', title: 'Return below its floor' };
  expect(withNames('the play return-below-floor is not in force', { campaigns: [], play })).toBe(
    'the play “Return below its floor” is not in force',
  );
  expect(withNames('the play return-below-floor-2', { campaigns: [], play })).toBe('the play return-below-floor-2');
});

test('an account is called by its name, and so is what was stopped', () => {
  const account = { id: 'acme', name: 'Acme' };
  const play = { id: 'surge', title: 'Surge' };
  expect(withNames('lea stopped the account acme: see acme', { campaigns: [], account })).toBe(
    'lea stopped the account “Acme”: see acme',
  );
  expect(withNames('the account acme', { campaigns: [], account: { id: 'acme', name: null } })).toBe(
    'the account acme',
  );
  const named = { people: [], campaigns: [], play, account };
  expect(legible('stopped: account:acme by lea: a drill', named, 0)).toBe(
    'stopped: the account “Acme” by lea: a drill',
  );
  expect(legible('refused: stopped: play:surge by lea: a drill', named, 0)).toBe(
    'refused: stopped: the play “Surge” by lea: a drill',
  );
});

const contactId = '365ef280-cd30-5487-b503-bd0ad8a2fbb5';
const people = [{ contactId, seniority: 'c-suite', jobFunction: 'finance', accountName: 'Lumen Health' }];

test('the line of an action says whom it concerns, and has no id of a contact whom nobody describes', () => {
  const text = `send "For [account name]" (sales) to contact ${contactId}`;
  expect(actionText(text, { people, campaigns: [] }, 0)).toBe(
    'send “For Lumen Health” (sales) to the CFO of Lumen Health',
  );
  expect(actionText(text, { people: [], campaigns: [] }, 0)).toBe('send “For [account name]” (sales) to a contact');
});

test('a reason names people by what they are, and times as the reader has them', () => {
  const at = '2026-12-01T00:03:41.707Z';
  const reason = `1 of 1 touches of contact ${contactId} are used; the next slot opens ${at}`;
  const text = legible(reason, { people, campaigns: [] }, Date.parse('2026-11-30T00:00:00Z'));
  expect(text).toContain('1 of 1 touches of the CFO of Lumen Health are used');
  expect(text).not.toContain(at);
  expect(text).toMatch(/\b(1 Dec 2026|Dec 1, 2026|30 Nov 2026|Nov 30, 2026|2 Dec 2026|Dec 2, 2026)/);
  expect(legible(`contact ${contactId}`, { people: [], campaigns: [] }, 0)).toBe(`contact ${contactId}`);
});
