import { actionKindNames, noticeParts, type Rules, type TextRules, textsOf } from '@countersign/contracts';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { judge } from '../judge.js';
import { actionOf, at, contact, content, type FactsChange, factsFor, policyOf, proposalOf } from '../testing.js';

const phrasesOfNotice = Object.fromEntries(noticeParts.map((part) => [part, [`the ${part}`]]));
const notice = { fromThePerson: ['/sources/website'], ...phrasesOfNotice } as NonNullable<TextRules['dataNotice']>;
/** Every setting about texts. */
const all: TextRules = {
  bannedTerms: ['act now', 'risk-free'],
  linkHosts: ['example.com'],
  requiredElements: [{ element: 'way out', kinds: ['email.send'], anyOf: ['unsubscribe'] }],
  dataNotice: notice,
  placeholdersMustFill: true,
  personalData: { verdict: 'refuse', ours: [] },
  claims: [{ claim: 'twice as fast', evidence: ['measured in 2026'] }],
};
const names = [
  ...['banned-terms', 'link-hosts', 'required-elements', 'data-notice', 'placeholders', 'personal-data', 'claims'],
];

const judged = (
  kind: string,
  payload: Record<string, unknown>,
  given: { readonly rules?: Partial<Rules>; readonly texts?: TextRules; readonly facts?: FactsChange } = {},
) => {
  const proposal = proposalOf(kind, payload);
  const policy = policyOf(
    content({
      rules: { creativeNeedsPerson: false, ...given.rules },
      charter: given.texts ? { texts: given.texts } : {},
    }),
  );
  const judgement = judge(proposal, factsFor(proposal, given.facts, policy), policy, at);
  return {
    outcome: judgement.verdict.outcome,
    reason: (rule: string) => judgement.verdict.reasons.find((reason) => reason.rule === rule),
    against: judgement.verdict.reasons.filter(({ outcome }) => outcome !== 'pass').map(({ rule }) => rule),
  };
};

test('the texts of an action are named with their places in the payload', () => {
  const places = (kind: string) => textsOf(actionOf(kind)).map(({ place, role }) => `${place} ${role}`);
  expect(places('email.send')).toEqual(['payload.subject text', 'payload.body text']);
  expect(places('ads.publish_creative')).toEqual(['payload.headline text', 'payload.body text', 'payload.url link']);
  expect(places('crm.create_task')).toEqual(['payload.title text', 'payload.note text']);
  expect(places('ads.set_bid')).toEqual([]);
  expect(textsOf({ kind: 'email.send', payload: {} })).toEqual([]);
  expect(textsOf({ kind: 'toString', payload: {} })).toEqual([]);
});

test('every text that a contract allows is judged: a new member with prose is a text, or has its reason here', () => {
  // What nobody reads as a text: ids, codes and times.
  const none = /Id$|^(?:currency|purpose|template|sendAt|dueAt|sequence)$/;
  for (const kind of actionKindNames) {
    const action = actionOf(kind);
    const placed = textsOf(action).map(({ place }) => place.replace('payload.', ''));
    const prose = Object.entries(action.payload).flatMap(([name, value]) =>
      typeof value === 'string' && !none.test(name) ? [name] : [],
    );
    expect(placed.sort(), kind).toEqual(prose.sort());
  }
});

describe('without settings', () => {
  test('each rule says that it asks nothing, and kinds without a text are none of its concern', () => {
    const { reason, outcome } = judged('email.send', { body: 'Act now: http://evil.example {x} ann@b.example' });
    expect(outcome).toBe('approved');
    for (const rule of names) expect(reason(rule)?.outcome, rule).toBe('pass');
    for (const rule of names)
      expect(judged('ads.set_bid', {}).reason(rule)?.detail, rule).toBe('does not concern ads.set_bid');
  });
});

describe('a charter', () => {
  test('adds to the rules and takes nothing away', () => {
    const rules = { bannedTerms: ['act now'] };
    const body = (words: string) => judged('email.send', { body: words }, { rules, texts: { bannedTerms: ['free'] } });
    expect(body('Act now').against).toEqual(['banned-terms']);
    expect(body('It is free').against).toEqual(['banned-terms']);
    expect(body('A word').outcome).toBe('approved');
    const open = { texts: { personalData: { verdict: 'escalate' as const, ours: ['@b.example'] } } };
    const strict = { rules: { personalData: { verdict: 'refuse' as const, ours: [] } } };
    expect(judged('email.send', { body: 'ann@b.example' }, { ...open, ...strict }).outcome).toBe('refused');
    expect(judged('email.send', { body: 'ann@b.example' }, open).outcome).toBe('approved');
  });

  test('that asks what the rules ask adds no second reason', () => {
    const same = { bannedTerms: ['act now'] };
    const { reason } = judged('email.send', { body: 'Act now' }, { rules: same, texts: same });
    expect(reason('banned-terms')).toEqual({
      rule: 'banned-terms',
      outcome: 'refuse',
      detail: '"act now" in the body is a banned term: write it in other words',
      figures: { place: 'payload.body', start: 0, end: 7, marked: 'Act now' },
    });
  });
});

test('each place is marked, the gravest first, and not more than five', () => {
  const two = judged('email.send', { subject: 'Act now', body: 'Risk-free, so act now.' }, { rules: all });
  expect(two.reason('banned-terms')?.figures).toEqual({
    ...{ place: 'payload.subject', start: 0, end: 7, marked: 'Act now' },
    ...{ place2: 'payload.body', start2: 0, end2: 9, marked2: 'Risk-free' },
    ...{ place3: 'payload.body', start3: 14, end3: 21, marked3: 'act now' },
  });
  const many = judged('email.send', { body: 'act now '.repeat(40) }, { rules: all }).reason('banned-terms');
  expect(Object.keys(many?.figures ?? {})).toHaveLength(20);
  expect(many?.detail).toMatch(/; and more of this kind$/);
});

test('a reason never repeats an address, a number or the path of a link', () => {
  const body =
    'ann@b.example, +49 30 1234567, https://ann:x@evil.example/ann?mail=ann%40b.example mailto:ann@b.example';
  const { reason } = judged('email.send', { body }, { rules: all });
  for (const rule of ['personal-data', 'link-hosts']) {
    expect(reason(rule)?.outcome).toBe('refuse');
    expect(JSON.stringify(reason(rule))).not.toMatch(/ann|1234567/);
  }
});

test('[case 30] a claim without its evidence is found behind any number of others, and inside another one', () => {
  const claims = [
    { claim: 'the best', evidence: ['measured in 2026'] },
    { claim: 'best price', evidence: ['compared in 2026'] },
  ];
  const sent = (body: string) => judged('email.send', { body }, { rules: { claims } });
  expect(sent(`${'the best, '.repeat(20)} measured in 2026`).outcome).toBe('approved');
  expect(sent(`${'the best, '.repeat(20)} measured in 2026: best price`).against).toEqual(['claims']);
  expect(sent('the best price, measured in 2026').reason('claims')?.figures).toMatchObject({ marked: 'best price' });
  expect(sent('the best price, measured in 2026, compared in 2026').outcome).toBe('approved');
});

test('[case 30] of two claims that begin at one place the longer one counts, with its own evidence', () => {
  const claims = [
    { claim: 'twice as fast', evidence: ['measured in 2026'] },
    { claim: 'twice as fast as before', evidence: ['compared in 2026'] },
  ];
  const against = (body: string, given = claims) =>
    judged('email.send', { body }, { rules: { claims: given } }).reason('claims')?.figures?.marked;
  for (const given of [claims, claims.toReversed()]) {
    expect(against('twice as fast as before, compared in 2026', given)).toBeUndefined();
    expect(against('twice as fast as before, measured in 2026', given)).toBe('twice as fast as before');
    expect(against('twice as fast as befores, measured in 2026', given)).toBeUndefined();
    expect(against('twice as fast, compared in 2026', given)).toBe('twice as fast');
  }
});

test('a text with hundreds of hosts or addresses costs no more than the marks of its reason', () => {
  const parse = vi.spyOn(URL, 'parse');
  const normalize = vi.spyOn(String.prototype, 'normalize');
  const hosts = Array.from({ length: 300 }, (_, i) => `h${i}.evil.com`).join(' ');
  const { reason } = judged('email.send', { body: hosts }, { rules: { linkHosts: ['example.com'] } });
  expect(reason('link-hosts')?.detail).toMatch(/; and more of this kind$/);
  expect(parse.mock.calls.length).toBeLessThanOrEqual(8);
  const addresses = Array.from({ length: 300 }, (_, i) => `a${i}@b.example`).join(' ');
  const rules = { personalData: { verdict: 'refuse' as const, ours: ['@c.example', '@d.example'] } };
  normalize.mockClear();
  expect(judged('email.send', { body: addresses }, { rules }).outcome).toBe('refused');
  expect(normalize.mock.calls.length).toBeLessThanOrEqual(20);
});

test('what was found in a text is remembered for the same text at the same place only', () => {
  const rules: Partial<Rules> = { placeholdersMustFill: true, bannedTerms: ['act now'] };
  const words = 'Act now, {{contact.firstName}}';
  for (const _again of [1, 2]) {
    expect(
      judged('email.send', { body: words, subject: words }, { rules }).reason('banned-terms')?.figures,
    ).toMatchObject({
      place: 'payload.subject',
      place2: 'payload.body',
    });
    expect(judged('email.send', { body: words }, { rules }).against).toEqual(['banned-terms']);
    expect(judged('ads.publish_creative', { body: words }, { rules }).against).toEqual([
      'banned-terms',
      'placeholders',
    ]);
    expect(judged('email.send', { body: words }, {}).outcome).toBe('approved');
  }
});

test('a text for the CRM may name the account, whatever its id looks like, and no other text may', () => {
  for (const accountId of ['acme.com', '81deec63-ad73-5ba4-b5e1-e6fc7c761f1f', '0301234567']) {
    const against = (kind: string, text: string) => {
      const base = proposalOf(kind, { [text]: `About ${accountId}` });
      const proposal = { ...base, action: { ...base.action, accountId } };
      const policy = policyOf(content({ rules: { linkHosts: [], personalData: { verdict: 'refuse', ours: [] } } }));
      const { reasons } = judge(proposal, factsFor(proposal, {}, policy), policy, at).verdict;
      return reasons.filter(
        ({ rule, outcome }) => ['link-hosts', 'personal-data'].includes(rule) && outcome !== 'pass',
      );
    };
    expect(against('crm.create_task', 'note')).toEqual([]);
    expect(against('email.send', 'body')).toHaveLength(1);
  }
});

describe('[case 27] the notice to a person whose data came from elsewhere', () => {
  const complete = noticeParts.map((part) => `The ${part}.`).join(' ');
  const sent = (body: string, facts: FactsChange = {}) =>
    judged('email.send', { body }, { rules: { dataNotice: notice }, facts });
  const from = (...[address, ...more]: string[]): FactsChange => ({
    origins: {
      [contact]:
        address === undefined ? { version: 3, sources: [] } : { version: 3, address, sources: [address, ...more] },
    },
  });

  test('is complete, or names all that is missing', () => {
    expect(sent(complete, from('/sources/crm')).outcome).toBe('approved');
    expect(sent('A word.', from('/sources/crm')).reason('data-notice')?.figures).toEqual({
      place: 'payload.body',
      start: 7,
      end: 7,
      marked:
        'without: who sends it, what the data is used for, the legal basis, where the data came from, how long the data is stored, the rights of the person, a postal address, a way out',
    });
  });

  test('is needed if nothing is known of the person', () => {
    expect(sent('A word.', { origins: { [contact]: null } }).outcome).toBe('refused');
    expect(sent('A word.', from()).outcome).toBe('refused');
    expect(sent('A word.', from('/sources/website2')).outcome).toBe('refused');
    expect(sent('A word.', from('/sources/website')).outcome).toBe('approved');
    const unknown = { origins: { [contact]: { version: 3, sources: ['/sources/website'] } } };
    expect(sent('A word.', unknown).reason('data-notice')?.detail).toContain('with an address from an unknown source');
  });

  test('whose facts are not there refuses', () => {
    expect(sent(complete, { origins: {} }).reason('data-notice')?.detail).toContain('is not among the facts');
  });
});

test('[case 52] words that no setting is about change no verdict', () => {
  const harmless = fc.stringMatching(/^[a-z]{1,12}$/).filter((word) => !['unsubscribe'].includes(word));
  const prose = fc.array(harmless, { minLength: 1, maxLength: 30 }).map((words) => words.join(' '));
  const from = { address: '/sources/website', sources: ['/sources/website'] };
  const facts: FactsChange = { origins: { [contact]: { version: 3, ...from } } };
  const outcomes = (body: string) => {
    const { outcome, against } = judged('email.send', { body: `${body} unsubscribe` }, { rules: all, facts });
    return { outcome, against };
  };
  fc.assert(
    fc.property(prose, (body) => {
      expect(outcomes(body)).toEqual({ outcome: 'approved', against: [] });
      expect(outcomes(`${body}: act now`)).toEqual({ outcome: 'refused', against: ['banned-terms'] });
    }),
    { numRuns: 100 },
  );
});
