import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readConfig } from './config.js';
import { problemLine } from './config-file.js';
import { readFolder } from './config-folder.js';

const shipped = readFolder(fileURLToPath(new URL('../../../deploy/config', import.meta.url)), fs);
const rules = `permitSeconds: 900
contactFrequency: { touches: 1, days: 1 }
firstTouchNeedsPerson: []
prohibitedKinds: []
creativeNeedsPerson: true
maxProposalBytes: 65536
`;
const charter = 'charters/sequencing-agent.yaml';

/** The problems of the shipped configuration with these lines at the end of the rules, from line 7 on, and of a charter. */
function problems(ofRules: string, ofCharter = ''): string[] {
  const found = readConfig(
    shipped.map((file) => {
      if (!('text' in file)) return file;
      if (file.path === 'rules.yaml') return { ...file, text: `${rules}${ofRules}\n` };
      return file.path === charter ? { ...file, text: `${file.text}${ofCharter}\n` } : file;
    }),
  );
  return found.ok ? [] : found.problems.map(problemLine).map((line) => line.replace(/yaml:\d\d /, 'yaml '));
}

test('a policy from before these settings is read, and one with all of them', () => {
  expect(problems('')).toEqual([]);
  const notice = [
    ...['senderIdentity', 'purpose', 'legalBasis', 'dataSource', 'retention', 'rights', 'postalAddress', 'wayOut'],
  ];
  const all = `bannedTerms: [act now, guarante*]
linkHosts: [example.com, "*.example.com", bücher.example, "localhost:8080"]
requiredElements:
  - { element: way out, kinds: [email.send], firstMessageOnly: true, anyOf: [unsubscribe] }
dataNotice: { fromThePerson: [/sources/website, /sources/crm/forms], ${notice.map((part) => `${part}: [${part}]`).join(', ')} }
placeholdersMustFill: true
personalData: { verdict: refuse, ours: ["@example.com", sales@partner.example, +49 30 1234567] }
claims: [{ claim: twice as fast, evidence: [measured in 2026] }]`;
  const narrower = `texts:
  bannedTerms: [cheap]
  linkHosts: [www.example.com]
  requiredElements: [{ element: sender, kinds: [email.send], anyOf: [we are] }]
  personalData: { verdict: escalate, ours: [] }`;
  expect(problems(all, narrower)).toEqual([]);
});

test.each([
  ['bannedTerms: act now', 'rules.yaml:7 bannedTerms: Invalid input: expected array, received string'],
  ['bannedTerm: [act now]', 'rules.yaml:7 bannedTerm: is not a setting that exists; did you mean "bannedTerms"?'],
  ['bannedTerms: [a, a]', 'rules.yaml:7 bannedTerms.1: "a" is listed already'],
  ['bannedTerms: ["  "]', 'rules.yaml:7 bannedTerms.0: has no word, so it would never be found'],
  ['bannedTerms: ["*"]', 'rules.yaml:7 bannedTerms.0: has no word, so it would never be found'],
  ['bannedTerms: ["a*b"]', 'rules.yaml:7 bannedTerms.0: a * stands only at the end'],
  [String.raw`bannedTerms: ["a\nb"]`, 'rules.yaml:7 bannedTerms.0: one line is expected'],
  [
    'linkHosts: ["https://example.com/a"]',
    'rules.yaml:7 linkHosts.0: a host such as example.com, *.example.com for its subdomains, or example.com:8443 is expected; did you mean "example.com"?',
  ],
  ['linkHosts: [example.com.]', 'did you mean "example.com"?'],
  ['linkHosts: [a@example.com]', 'did you mean "example.com"?'],
  ['linkHosts: ["*"]', 'rules.yaml:7 linkHosts.0: a host such as example.com'],
  ['linkHosts: ["exa mple.com"]', 'rules.yaml:7 linkHosts.0: a host such as example.com'],
  [
    'requiredElements:\n  - { element: x, kinds: [ads.set_bid], anyOf: [x] }',
    'rules.yaml:8 requiredElements.0.kinds.0: has no text; there is ads.publish_creative, email.send, crm.create_task',
  ],
  [
    'requiredElements:\n  - { element: x, kinds: [crm.create_task], firstMessageOnly: true, anyOf: [x] }',
    'rules.yaml:8 requiredElements.0.kinds.0: is no message to a person',
  ],
  ['requiredElements:\n  - { element: x, kinds: [email.send], anyOf: [] }', 'rules.yaml:8 requiredElements.0.anyOf: '],
  ['requiredElements:\n  - { element: x, kinds: [email.sent], anyOf: [x] }', 'did you mean "email.send"?'],
  [
    'dataNotice: { fromThePerson: [] }',
    'rules.yaml:7 dataNotice.wayOut: Invalid input: expected array, received undefined',
  ],
  ['placeholdersMustFill: "yes"', 'rules.yaml:7 placeholdersMustFill: Invalid input: expected boolean'],
  ['personalData: { verdict: refused, ours: [] }', 'did you mean "refuse"?'],
  ['personalData: { verdict: refuse, ours: [12] }', 'rules.yaml:7 personalData.ours.0: '],
  [
    'personalData: { verdict: refuse, ours: [example.com] }',
    'rules.yaml:7 personalData.ours.0: an e-mail address, a domain such as @example.com, or a telephone number',
  ],
  [
    'claims: [{ claim: a, evidence: [] }, { claim: a, evidence: [] }]',
    'rules.yaml:7 claims.1.claim: "a" is listed already',
  ],
])('%s', (given, expected) => expect(problems(given).join('\n')).toContain(expected));

test.each([
  ['quietHours: { from: "21:00", to: "25:00" }', 'rules.yaml:7 quietHours.to: a time of day in quotes is expected'],
  ['quietHours: { from: "21:00" }', 'rules.yaml:7 quietHours.to'],
  ['quietHours: { from: "21:00", to: "21:00" }', 'rules.yaml:7 quietHours: from and to are the same'],
  ['workingDays: [mon, mon]', 'rules.yaml:7 workingDays.1'],
  ['workingDays: [monday]', 'rules.yaml:7 workingDays.0'],
])('hours: %s', (given, expected) => expect(problems(given).join('\n')).toContain(expected));

test('a source that nobody has is named with those that there are', () => {
  const parts = [
    'senderIdentity',
    'purpose',
    'legalBasis',
    'dataSource',
    'retention',
    'rights',
    'postalAddress',
    'wayOut',
  ];
  const given = `dataNotice: { fromThePerson: [/sources/web], ${parts.map((part) => `${part}: [a]`).join(', ')} }`;
  expect(problems(given)).toEqual([
    expect.stringContaining(
      'rules.yaml:7 dataNotice.fromThePerson.0: sources.yaml has no such source; there is /sources/website',
    ),
  ]);
});

test('a charter that could not narrow says so', () => {
  const own = `texts:
  linkHosts: [example.com, shop.example.com, "*.example.com", other.example]
  requiredElements: [{ element: x, kinds: [ads.publish_creative], anyOf: [x] }]
  placeholdersMustFill: false`;
  expect(problems(`linkHosts: ["*.example.com"]`, own).sort()).toEqual(
    [
      `${charter} texts.requiredElements.0.kinds.0: changes nothing: this charter does not allow ads.publish_creative`,
      `${charter} texts.placeholdersMustFill: changes nothing: a charter can only narrow; leave it out`,
      `${charter} texts.linkHosts.0: changes nothing: a charter can only narrow, and linkHosts of rules.yaml does not allow it`,
      `${charter} texts.linkHosts.3: changes nothing: a charter can only narrow, and linkHosts of rules.yaml does not allow it`,
    ].sort(),
  );
});
