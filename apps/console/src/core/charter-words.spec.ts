import { Charter, type PolicyContent, Rules } from '@countersign/contracts';
import { rulesWith } from '@countersign/contracts/testing';
import { expect, test } from 'vitest';
import { charterWords } from './charter-words.js';
import { content } from './given-policy.js';

const words = ({ charters, plays, rules }: PolicyContent): string => {
  const [charter] = charters;
  if (!charter) throw new Error('there is a charter');
  return charterWords(charter, { plays, rules })
    .flatMap(({ title, lines }) => [title, ...lines])
    .join('\n');
};

/** Every value within, with a way to set it. */
function leaves(value: unknown, path: readonly string[], set: (to: unknown) => void): [string, unknown, typeof set][] {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return [[path.join('.'), value, set]];
  const members = value as Record<string, unknown>;
  return Object.keys(members).flatMap((name) =>
    leaves(members[name], [...path, name], (to) => {
      members[name] = to;
    }),
  );
}
const unset = () => undefined;
const otherRules = new Map(leaves(rulesWith('another'), ['rules'], unset).map(([name, value]) => [name, value]));
const another = (name: string, value: unknown): unknown => {
  if (name.startsWith('rules.')) return otherRules.get(name);
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  if (Array.isArray(value)) return typeof value[0] === 'object' ? [] : ['vp'];
  if (value === 'escalate') return 'refuse';
  if (name.includes('kinds.')) return value === 'observe' ? 'auto' : 'observe';
  return name.endsWith('currency') ? 'USD' : `other-${String(value)}`;
};

const settings = (policy: PolicyContent) => [
  ...leaves(policy.charters[0], ['charter'], unset),
  ...leaves(policy.rules, ['rules'], unset),
];

test.each(settings(content).map(([name]) => name))('%s is told: another value gives other words', (name) => {
  const changed = structuredClone(content) as PolicyContent;
  const [, value, set] = settings(changed).find(([other]) => other === name) ?? [];
  set?.(another(name, value));
  expect(words(changed)).not.toBe(words(content));
});

test('the policy of these tests has every setting that a charter and the rules can have', () => {
  const [charter] = content.charters;
  expect(Object.keys(charter ?? {}).sort()).toEqual(Object.keys(Charter.shape).sort());
  expect(Object.keys(charter?.limits ?? {}).sort()).toEqual(Object.keys(Charter.shape.limits.shape).sort());
  expect(Object.keys(content.rules).sort()).toEqual(Object.keys(Rules.shape).sort());
});

test('what a charter does not say is told with its preset', () => {
  const changed = structuredClone(content) as PolicyContent;
  const [charter] = changed.charters;
  for (const limit of ['actionsPerHour', 'accountActionsPerHour', 'proposalsPerTask', 'reviewsWaiting'] as const)
    delete charter?.limits[limit];
  const text = words(changed);
  expect(text).toContain('At most 500 actions within an hour; the charter does not say');
  expect(text).toContain(
    'as many proposals as it has contacts, plus five; the charter does not say, so this is the preset',
  );
});

test('an action in another currency is refused, or compared by the exchange rates', () => {
  const [charter] = content.charters;
  if (!charter) throw new Error('there is a charter');
  const rates = { day: '2026-11-20', maxAgeDays: 7, base: 'EUR', perBase: { USD: 1.0832, GBP: 0.86 } };
  const lines = charterWords(charter, { ...content, rates }).flatMap((section) => section.lines);
  expect(lines).toContain(
    'Its limits are in EUR. An amount in EUR, GBP or USD is compared with them by the exchange rates of 2026-11-20, for 7 days. An action in any other currency is refused.',
  );
});

test('it reads like this', () => {
  expect(words(content)).toMatchInlineSnapshot(`
    "What it is for
    Be visible while the account compares (play Comparison surge).
    Stop or reduce what does not pay back (play Return below floor).
    Who is responsible
    This is the charter of paid-media-agent. What it does not allow is refused.
    dana answers for it.
    lea or marc may answer when a person is asked.
    tom alone may agree to what it only prepares.
    A person has 24 hours to answer. Without an answer the action is refused.
    What it may do
    On its own, inside its limits: move daily budget from one campaign to another.
    On its own, inside its limits, and people are notified: pause a campaign.
    Only after a signer has agreed to each: set the bid of a campaign.
    Only after a reviewer has agreed to each: resume a paused campaign.
    Only on trial, judged and never run: publish an advertisement.
    What it may do on its own needs a reviewer until people have decided 50 actions of the kind.
    What it may not do
    It may not send an e-mail, enrol a contact in a sequence of e-mails, stop a sequence for a contact or create a task in the CRM. Such a proposal is refused.
    Nobody may set the bid of a campaign, whatever a charter allows.
    Its limits
    At most EUR 500.00 a day on one campaign.
    At most EUR 3,000.00 a day in one ad account.
    At most EUR 8,000.00 a calendar month on one campaign.
    At most EUR 50,000.00 a calendar month in one ad account.
    At most EUR 4,000.00 a day in all, wherever it spends.
    At most EUR 60,000.00 a calendar month in all, wherever it spends.
    At most 7 messages within an hour.
    At most 500 actions within an hour.
    At most 100 actions within an hour for one account.
    For one task at most 20 proposals.
    At most 90 actions may wait for a person at a time.
    A change of a budget or a bid by more than 25 % needs a person.
    A change of a budget or a bid by more than EUR 200.00 needs a person.
    A spend that brings the total of an ad account for the day above EUR 1,500.00 needs a person, whichever agents spent it.
    Its limits are in EUR. An action in another currency is refused.
    Its days begin at midnight in Europe/Berlin.
    What its texts may say, beside the rules for every agent
    A text with “cheapest” is refused.
    Links may go only to go.example.org.
    To publish an advertisement, the text must have: an imprint (“imprint”).
    A text with a placeholder that cannot be filled in is refused.
    A text with an address, a telephone number or an id of a person needs a person, except for +49 30 1234567.
    The claim “market leader” needs a person, because no evidence of it is approved.
    Rules for every agent
    One contact is written to at most once in 2 days, whichever agent asks.
    Nobody gets the same message again within 90 days, whichever agent asks.
    Nobody is written to from 21:00 to 08:00, by the clock where the person is.
    People are written to only on Monday, Tuesday, Wednesday, Thursday, Friday and Saturday, by the calendar where the person is.
    The first message to people of these ranks needs a person: top management.
    A new advertisement needs a person.
    An approval is good for 15 minutes. After that the action does not run and has to be proposed again.
    A proposal of more than 65,536 bytes is refused.
    A text with “miracle cure” is refused.
    Links may go only to *.example.org.
    To send an e-mail, the first message to a person must have: way out (“no more of these”).
    The first message to a person whose data did not come from /sources/website, and who is or may be in the EU, the EEA or the United Kingdom, must have a notice.
    The notice says who sends it: “given senderIdentity”.
    The notice says what the data is used for: “given purpose”.
    The notice says the legal basis: “given legalBasis”.
    The notice says where the data came from: “given dataSource”.
    The notice says how long the data is stored: “given retention”.
    The notice says the rights of the person: “given rights”.
    The notice says a postal address: “given postalAddress”.
    The notice says a way out: “given wayOut”.
    A text with a placeholder that cannot be filled in is refused.
    A text with an address, a telephone number or an id of a person is refused, except for @example.com.
    The claim “twice as fast” needs a person, unless the text cites “measured in 2026”."
  `);
});
