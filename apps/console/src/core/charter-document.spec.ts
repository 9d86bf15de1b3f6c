import { actionKindNames, isPlain, type PolicyContent } from '@countersign/contracts';
import { describe, expect, test } from 'vitest';
import { type CharterAsked, charterDocument } from './charter-document.js';
import { charterWords } from './charter-words.js';
import { documentFormats, written } from './document.js';
import { content } from './given-policy.js';

const digest = 'ab'.repeat(32);
const at = '2026-11-21T10:00:00.000Z';
const policy = { version: 7, digest, by: 'dana', publishedAt: '2026-11-20T09:00:00.000Z', content };
const given = (more: Partial<CharterAsked> = {}): CharterAsked => ({
  agent: 'paid-media-agent',
  policy,
  stops: [],
  at,
  address: 'https://console.example.org/agents/paid-media-agent',
  ...more,
});
const hostile = (text: string): PolicyContent => {
  const changed = structuredClone(content) as PolicyContent;
  const [charter] = changed.charters;
  if (charter?.texts) charter.texts.bannedTerms = [text];
  return changed;
};

describe.each(documentFormats)('as %s', (format) => {
  test('it names the policy it was made from, when, and how to get the one of today', () => {
    const text = written(charterDocument(given()), format).replaceAll('\\', '');
    for (const part of [digest, at, '7, published by dana', 'countersign charter show paid-media-agent'])
      expect(text).toContain(part);
  });

  test('it has every line of the charter in the words of the page, and each kind of action', () => {
    const text = written(charterDocument(given()), format).replaceAll('\\', '');
    const [charter] = content.charters;
    const lines = charter ? charterWords(charter, content).flatMap((section) => section.lines) : [];
    expect(lines.length).toBeGreaterThan(40);
    for (const line of lines) expect(text).toContain(line);
    for (const kind of actionKindNames) expect(text).toContain(kind);
  });

  test('another policy gives another document', () => {
    const other = { ...policy, digest: 'cd'.repeat(32) };
    expect(written(charterDocument(given({ policy: other })), format)).not.toBe(
      written(charterDocument(given()), format),
    );
  });

  test('an agent without a charter may do nothing, and no policy is said so', () => {
    const without = written(charterDocument(given({ agent: 'seo-agent' })), format);
    expect(without).toContain('Nothing: no charter is in force for it');
    expect(without).toContain(digest);
    expect(without).not.toContain('On its own');
    expect(written(charterDocument(given({ policy: undefined })), format)).toContain('none was published');
  });

  test('a stop is part of what it can do now', () => {
    const stop = { scope: 'all', name: null, by: 'lea', reason: 'an incident', changedAt: at };
    expect(written(charterDocument(given({ stops: [stop] })), format)).toContain('(everything): an incident');
  });
});

test('a kind that a rule prohibits is not allowed, whatever the charter says', () => {
  const { rows } = charterDocument(given()).table;
  const word = (kind: string) => rows.find(([, name]) => name === kind)?.[2];
  expect(word('ads.shift_budget')).toBe('On its own, inside its limits');
  expect(word('ads.set_bid')).toBe('Not at all: a rule for every agent prohibits it');
  expect(word('email.send')).toBe('Not at all: such a proposal is refused');
});

const attacks = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "'><svg/onload=alert(1)>",
  '</title></style></head><iframe src="https://evil.example"></iframe>',
  '&lt;b&gt; &#x3C;script>',
  '[press](javascript:alert(1)) ![x](https://evil.example/x.png) <https://evil.example>',
  '`code` **bold** | cell | ~~x~~ $x$',
  'a line\n# a heading\n- [ ] a task\r\n\u2028another\u202Eturned\u001b[31m',
];

test.each(attacks)('in HTML the text %j is shown and does nothing', (text) => {
  for (const asked of [
    given({ policy: { ...policy, content: hostile(text) } }),
    given({ agent: text }),
    given({ policy: { ...policy, by: text } }),
    given({ stops: [{ scope: 'all', name: null, by: 'lea', reason: text, changedAt: at }] }),
    given({ address: text }),
  ]) {
    const html = written(charterDocument(asked), 'html');
    const elements = new Set([...html.matchAll(/<\/?([a-z!][a-z0-9]*)/gi)].map(([, name = '']) => name.toLowerCase()));
    expect([...elements].sort()).toEqual(
      '!doctype body dd dl dt h1 h2 head html li meta p style table tbody td th thead title tr ul'.split(' '),
    );
    // No attribute but our own, and no quote that ends one.
    const attributes = [...html.matchAll(/<[a-z][^>]*?\s([a-z-]+)=/gi)].map(([, name]) => name);
    expect([...new Set(attributes)].sort()).toEqual(['charset', 'http-equiv', 'lang', 'name']);
    expect(html).toContain("default-src 'none'");
    for (const line of html.split('\n')) expect(isPlain(line)).toBe(true);
  }
});

test.each(attacks)('in Markdown the text %j begins nothing of its own', (text) => {
  const markdown = written(charterDocument(given({ policy: { ...policy, content: hostile(text) } })), 'markdown');
  const plain = written(charterDocument(given()), 'markdown');
  expect(markdown.split('\n').length).toBe(plain.split('\n').length);
  const line =
    markdown.split('\n').find((found) => found.includes('is refused.') && found.startsWith('- A text with')) ?? '';
  expect(line.slice(2).replace(/\\./g, '')).not.toMatch(/[`*_[\]<>|~&#!$]|:\/\//);
});

test('a text has one line for each thing, whatever is quoted', () => {
  const lines = (text: string) =>
    written(charterDocument(given({ policy: { ...policy, content: hostile(text) } })), 'text').split('\n').length;
  for (const text of attacks) expect(lines(text)).toBe(lines('plain'));
});

test('as text it reads like this', () => {
  expect(written(charterDocument(given({ agent: 'seo-agent' })), 'text')).toMatchInlineSnapshot(`
    "What seo-agent can and cannot do

    seo-agent is a program that proposes actions. None of them runs until the gate of Countersign has judged it by the policy named here.
    This is the policy that was in force when this page was made. A copy does not change when the policy does. To get the page of today, use: countersign charter show seo-agent. Or download it at https://console.example.org/agents/paid-media-agent. If both name the same digest, this copy is still true.

    Agent                 seo-agent
    Answers for it        nobody, because it has no charter
    At the moment         not stopped itself; a stop of a channel, a play or an account is not shown here
    Policy                7, published by dana at 2026-11-20T09:00:00.000Z
    Digest of the policy  abababababababababababababababababababababababababababababababab
    Made at               2026-11-21T10:00:00.000Z

    Each kind of action
      Action                                          Name                  May it?
      Move daily budget from one campaign to another  ads.shift_budget      Not at all: such a proposal is refused
      Set the bid of a campaign                       ads.set_bid           Not at all: such a proposal is refused
      Pause a campaign                                ads.pause_campaign    Not at all: such a proposal is refused
      Resume a paused campaign                        ads.resume_campaign   Not at all: such a proposal is refused
      Publish an advertisement                        ads.publish_creative  Not at all: such a proposal is refused
      Send an e-mail                                  email.send            Not at all: such a proposal is refused
      Enrol a contact in a sequence of e-mails        sequence.enroll       Not at all: such a proposal is refused
      Stop a sequence for a contact                   sequence.stop         Not at all: such a proposal is refused
      Create a task in the CRM                        crm.create_task       Not at all: such a proposal is refused

    What it may do
      - Nothing: no charter is in force for it, so all that it proposes is refused."
  `);
});
