import { expect, test } from 'vitest';
import { readNotifications, remarksOn } from './notifications.js';

const good = `channels:
  - name: mail
    kind: email
    host: mail.example.com
    port: 587
    tls: starttls
    fromFile: /run/secrets/from
  - name: chat
    kind: slack
    tokenFile: /run/secrets/token
    signingSecretFile: /run/secrets/signing
    buttons: true
recipients:
  - name: lea
    timeZone: Europe/Berlin
    quietHours: { from: "20:00", to: "07:00" }
    slackUser: U024BE7LH
    addresses:
      - { channel: mail, addressFile: /run/secrets/lea }
      - { channel: chat }
tell:
  - event: needs-review
    to: [reviewers]
    by: [mail]
    then:
      - { afterMinutes: 30, to: [owner] }
  - { event: deadline-near, to: [reviewers], minutesBefore: 15 }
  - { event: stop, to: [lea] }
  - { event: alarm, to: [lea], kinds: [dead-letter] }
  - { event: budget-nearly-spent, to: [owner], share: 0.8 }
  - { event: acted-alone, to: [owner] }
`;
const problemsOf = (text: string) => {
  const read = readNotifications({ path: 'notifications.yaml', text });
  return read.ok ? [] : read.problems.map(({ line, field, detail }) => `${line} ${field}: ${detail}`);
};

test('a whole file is read', () => {
  expect(problemsOf(good)).toEqual([]);
  expect(problemsOf('channels: []\nrecipients: []\ntell: []\n')).toEqual([]);
});

test.each([
  ['kind: email', 'kind: fax', /^3 channels\.0\.kind: one of .*"email"/],
  ['port: 587', 'port: "587"', /^5 channels\.0\.port: .*write 587 without quotes/],
  ['tls: starttls', 'tls: startls', /^6 channels\.0\.tls: .*did you mean "starttls"/],
  ['fromFile: /run/secrets/from', 'from: a@example.com', /channels\.0\.from: is not a setting that exists/],
  ['timeZone: Europe/Berlin', 'timeZone: Berlin', /^15 recipients\.0\.timeZone: an IANA time zone such as/],
  ['from: "20:00"', 'from: "8pm"', /^16 recipients\.0\.quietHours\.from: a time of day/],
  ['to: "07:00"', 'to: "20:00"', /^16 recipients\.0\.quietHours: from and to are the same/],
  [
    'channel: mail, addressFile: /run/secrets/lea',
    'channel: mail',
    /^19 recipients\.0\.addresses\.0: addressFile is expected/,
  ],
  ['channel: chat', 'channel: chatt', /^20 recipients\.0\.addresses\.1\.channel: no channel is called "chatt"/],
  ['    signingSecretFile: /run/secrets/signing\n', '', /channels\.1\.buttons: buttons need signingSecretFile/],
  [
    'tokenFile: /run/secrets/token',
    'tokenFile: /a\n    webhookFile: /b',
    /channels\.1: either webhookFile or tokenFile/,
  ],
  ['event: stop, to: [lea]', 'event: stop, to: [tom]', /tell\.2\.to\.0: no recipient is called "tom"/],
  ['event: stop, to: [lea]', 'event: stop, to: [reviewers]', /tell\.2\.to\.0: stop has no reviewers; name a recipient/],
  ['by: [mail]', 'by: [post]', /tell\.0\.by\.0: no channel is called "post"/],
  [', minutesBefore: 15', '', /tell\.1: either minutesBefore or shareLeft/],
  ['share: 0.8', 'share: 80', /tell\.4\.share: /],
  ['name: lea', 'name: owner', /recipients\.0\.name: "owner" stands for the people of a card/],
  ['    slackUser: U024BE7LH\n', '', /recipients\.0\.addresses\.1: conversation, or slackUser/],
])('%j as %j is a problem with its line and field', (before, after, expected) => {
  expect(good).toContain(before);
  expect(problemsOf(good.replace(before, after))).toContainEqual(expect.stringMatching(expected));
});

test('quiet hours without a rule for near deadlines are remarked on, and are no fault', () => {
  const remarks = (text: string) => {
    const read = readNotifications({ path: 'notifications.yaml', text });
    if (!read.ok) throw new Error('not read');
    return remarksOn(read.part).map(({ line, field, detail }) => `${line} ${field}: ${detail}`);
  };
  expect(remarks(good)).toEqual([]);
  expect(remarks(good.replace(/.*deadline-near.*\n/, ''))).toEqual([
    expect.stringMatching(/^16 recipients\.0\.quietHours: a review that expires in the quiet hours of lea/),
  ]);
});
