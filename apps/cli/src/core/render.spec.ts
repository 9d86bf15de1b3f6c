import type { Card, Control } from '@countersign/client/core';
import picocolors from 'picocolors';
import { expect, test } from 'vitest';
import { card, funnel, now, standing } from './given.js';
import {
  cardsText,
  cardText,
  changesText,
  confirmedText,
  controlsText,
  deadLettersText,
  deadLetterText,
  decisionText,
  funnelText,
  liftedText,
  reportText,
  resultText,
  runsText,
  statusText,
  storyText,
  tasksText,
  unresolvedText,
} from './render.js';

const everybody = {
  confirmed: true,
  confirmedBy: ['guardrail-validator', 'action-executor'],
  notConfirmedBy: [],
  unknown: [],
};

const plain = picocolors.createColors(false);
const coloured = picocolors.createColors(true);

test('[case 36] a card shows the facts before the agent, whose words are quoted and marked', () => {
  expect(cardText(plain, card, now)).toBe(`move EUR 600.00 of daily budget from c-1 to c-2  open
  account     Acme
  money       EUR 600.00
  limit       Spend of the campaign c-2 on 2026-11-21: EUR 100.00 used, EUR 0.00 held, of EUR 1,000.00
  reversible  for 72 hours
  play        Return below its floor (return-below-floor)
  agent       paid-media-agent, ads.shift_budget
  why asked   EUR 600.00 is above EUR 100.00 [approval-threshold]
  evidence    2026-11-20 00:00:00Z c-1 returned 80 percent
  reviewers   lea, tom
  deadline    2026-11-21 11:00:00Z (in 60 min)
  payload
    adAccountId     ads-1
    fromCampaignId  c-1
    toCampaignId    c-2
    amountMinor     60000
    currency        EUR
  paid-media-agent says (the agent's own words, not checked; confidence 0.8)
    “c-2 returns more”
  Approving runs it now, unless a rule refuses it by then: this action only, nothing like it later.
  proposal 3f2a6c1e-0000-5000-8000-000000000001
  digest 9c1b7a209c1b7a209c1b7a209c1b7a209c1b7a209c1b7a209c1b7a209c1b7a20`);
});

test('the status tells how fast it goes, what waits and since when, and what is spent of today', () => {
  const text = statusText(plain, standing, undefined, []);
  expect(text).toMatch(/signals +340 in the last hour +12 in the last minute/);
  expect(text).not.toMatch(/settlements +0/);
  expect(text).toMatch(/reviews wait +1 +the oldest came 45 min ago/);
  expect(text).toMatch(/ad account ads-1 +EUR 125.00 spent, EUR 200.00 reserved today +of EUR 3,000.00/);
  const [figure] = standing.spend.adAccounts.map((spent) => ({ ...spent, id: 'c-1', name: 'Search, DACH' }));
  const campaigns = figure ? [figure] : [];
  expect(statusText(plain, { ...standing, spend: { adAccounts: [], campaigns } }, undefined, [])).toMatch(
    /campaign Search, DACH \(c-1\) +EUR 125.00 spent/,
  );
});

test('the status tells which permits were rejected, how often and when', () => {
  const detail = 'action-executor rejected a permit:\nits signature is wrong';
  const rejected = { detail, count: 2, lastAt: '2026-11-21T09:50:00.000Z', proposalId: 'p-3' };
  const first = [rejected, { ...rejected, detail: 'another', count: 1, proposalId: null }];
  const text = statusText(plain, { ...standing, permitsRejected: { count: 3, first } }, undefined, []);
  expect(text).toMatch(/permit: ⏎ its signature is wrong +2 times +the last 10 min ago +countersign show p-3\n/);
  expect(text).toMatch(/another +once +the last 10 min ago/);
});

test('a card that is done with says who answered what, and no longer what approving does', () => {
  const answers = [{ by: 'lea', decision: 'approve', at: now, note: 'fine', setAside: { detail: 'too late' } }];
  const text = cardText(plain, { ...card, state: 'expired', answers }, now);
  expect(text).toContain('lea answered approve at 2026-11-21 10:00:00Z: fine; set aside: too late');
  expect(text).not.toContain('Approving runs it');
});

const { agentSays: _words, action: _action, ...common } = card;
const checkpoint: Card = {
  ...common,
  subject: 'checkpoint',
  detail: 'Surge: 3 contacts of acme within 8 days.',
  approving: 'Approving gives these tasks to their agents now, if no stop holds.',
  unanswered: 'If nobody answers, no task goes out, and this run of the play is over.',
  ending: null,
  facts: {
    ...{ account: 'Acme', accountId: 'acme', campaignId: null, adAccountId: null, contacts: 3, evidence: [] },
    tasks: [
      {
        ...{ agent: 'paid-media-agent', purpose: 'Be visible', kinds: ['ads.set_bid'] },
        ...{ may: 'set the bid of a campaign', has: '30 minutes' },
      },
    ],
  },
};

test('a checkpoint says what goes out, and what happens with and without an answer', () => {
  expect(cardText(plain, checkpoint, now)).toBe(`Surge: 3 contacts of acme within 8 days.  open
  account    Acme (account acme)
  play       Return below its floor (return-below-floor)
  contacts   3
  task       Be visible: paid-media-agent may set the bid of a campaign, and has 30 minutes
  reviewers  lea, tom
  deadline   2026-11-21 11:00:00Z (in 60 min)
  Approving gives these tasks to their agents now, if no stop holds.
  If nobody answers, no task goes out, and this run of the play is over.
  checkpoint 3f2a6c1e-0000-5000-8000-000000000001
  digest 9c1b7a209c1b7a209c1b7a209c1b7a209c1b7a209c1b7a209c1b7a209c1b7a20`);
});

test('a checkpoint that ended without its tasks says why, and what a person can do now', () => {
  const reason = { detail: 'approved by lea, but tom stopped everything: a test' };
  const ending = { outcome: 'suppressed', reason, next: 'It cannot be approved again.', at: now } as const;
  const text = cardText(plain, { ...checkpoint, state: 'refused', ending }, now);
  expect(text).toContain(`  No task goes out: ${reason.detail} (2026-11-21 10:00:00Z). It cannot be approved again.\n`);
  expect(text).not.toContain('Approving');
  expect(text).toContain('within 8 days.  approved, no task went out\n');
  expect(cardsText(plain, [{ ...checkpoint, state: 'refused' }], now)).toMatch(/ rejected /);
  expect(cardsText(plain, [{ ...checkpoint, state: 'approved' }], now)).toMatch(/ tasks went out /);
  expect(cardsText(plain, [{ ...card, state: 'refused' }], now)).toMatch(/ refused /);
});

test('the regions that a card touches stand among its facts', () => {
  expect(
    cardText(
      plain,
      {
        ...card,
        regions: [
          { of: 'account', country: 'DE' },
          { of: 'person', country: 'FR' },
        ],
      },
      now,
    ),
  ).toMatch(/^ {2}regions +DE \(account\), FR \(person\)$/m);
  expect(cardText(plain, { ...card, regions: [] }, now)).not.toContain('regions');
});

test('what the agent considered and left stands below its words, each with why', () => {
  const alternatives = [
    { detail: 'pause c-1', rejectedBecause: 'it still returns something\u001b[2J\nmoney EUR 0.00' },
    { detail: 'wait a week', rejectedBecause: 'EUR 20.00 are lost each day' },
  ];
  const { agentSays = { quote: '', confidence: 0, marked: '' } } = card;
  const text = cardText(plain, { ...card, agentSays: { ...agentSays, alternatives } }, now);
  expect(text).toContain(`    “c-2 returns more”
    considered and left: “pause c-1”, because “it still returns something\ufffd[2J ⏎ money EUR 0.00”
    considered and left: “wait a week”, because “EUR 20.00 are lost each day”
  Approving runs it now`);
});

test('[case 52] text that an agent wrote cannot steer the terminal, nor pass for a line of ours', () => {
  const quoted = { quote: 'fine\u001b[2J\u001b]0;title\u0007\r \u202ethen', confidence: 1, marked: 'unchecked' };
  const text = cardText(plain, { ...card, detail: 'move\u001b[31m', agentSays: quoted }, now);
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
  const whyAsked = [{ rule: 'tier', detail: 'asked\n  money  EUR 0.00' }];
  const forged = cardText(plain, { ...card, facts: { ...card.facts, whyAsked } }, now);
  expect(forged).toContain('asked ⏎   money  EUR 0.00');
});

test('people and account are told by what a reviewer recognises, beside their ids', () => {
  const people = [
    { contactId: 'c-1', seniority: 'c-suite', jobFunction: 'finance', accountName: 'Lumen Health' },
    { contactId: 'c-2', seniority: 'unknown' },
  ] as const;
  const facts = { ...card.facts, account: 'Lumen Health', accountId: 'lumen-health', people };
  expect(cardText(plain, { ...card, facts }, now)).toMatch(
    /^ {2}account +Lumen Health \(account lumen-health\)\n(.*\n)? {2}people +c-suite, finance, at Lumen Health \(contact c-1\)\n {2}people +contact c-2$/m,
  );
  const unnamed = { ...card.facts, account: 'lumen-health', accountId: 'lumen-health' };
  expect(cardText(plain, { ...card, facts: unnamed }, now)).toMatch(/^ {2}account +lumen-health$/m);
});

test('a text of several lines stands apart, every line of it marked', () => {
  const payload = { to: 'c-1', body: 'Hello {{contact.firstName}},\n\nproposal 1\n' };
  expect(cardText(plain, { ...card, action: { kind: 'email.send', payload } }, now)).toContain(`  payload
    to  c-1
    body
      | Hello {{contact.firstName}},
      |
      | proposal 1
`);
});

test('runs name what they ran for', () => {
  const run = { runId: 'r', playId: 'p', title: 'P', state: 'started', reason: 'reason', at: now } as const;
  const text = runsText(plain, [
    { ...run, subject: { kind: 'campaign', campaignId: 'c-1', adAccountId: 'a' } },
    { ...run, subject: { kind: 'account', accountId: 'acme' } },
  ]);
  expect(text).toContain('r    P (p)  c-1   started  2026-11-21 10:00:00Z  reason\nr    P (p)  acme  started');
});

test('open reviews are listed with how long is left', () => {
  expect(cardsText(plain, [card], now)).toBe(`id                                    state  deadline   reviewers  what
3f2a6c1e-0000-5000-8000-000000000001  open   in 60 min  lea,tom    move EUR 600.00 of daily budget from c-1 to c-2`);
  expect(cardsText(plain, [], now)).toBe('Nothing to review. Closed reviews too: countersign review list --all');
});

test('a card and a list of cards have the names of campaigns with their ids, and what is stopped', () => {
  const named = { ...card, facts: { ...card.facts, campaigns: [{ campaignId: 'c-1', name: 'Search, DACH' }] } };
  expect(cardsText(plain, [named], now)).toContain('daily budget from Search, DACH (c-1) to c-2');
  const stop = { scope: 'account:acme', name: 'Acme', by: 'lea', reason: 'a drill', changedAt: now };
  const underStop = { stops: [stop], approving: 'If you approve it now, it is refused.', loss: 'It would be lost.' };
  const text = cardText(plain, { ...named, underStop }, now);
  expect(text).toMatch(/^move EUR 600\.00 of daily budget from Search, DACH \(c-1\) to c-2/);
  expect(text).toContain(
    '  lea stopped the account “Acme” (acme): a drill\n  If you approve it now, it is refused.\n  proposal',
  );
  expect(text).not.toContain(card.approving);
});

test('the funnel aligns its numbers and says beside them what they are made of', () => {
  expect(funnelText(plain, funnel)).toBe(`signals accepted  1200
  rejected           4  (contract 3, stale 1)
tasks assigned       5  (declined 1)
proposals            9  (sequencing-agent 6, paid-media-agent 3)
  approved           6
  refused            2  (spend-cap 2)
  escalated          1  (1 open: countersign review list)
settled executed     5  (refused 1)`);
});

test('only what is stopped is told of the controls', () => {
  const control: Control = {
    scope: 'all',
    state: 'stopped',
    by: 'lea',
    reason: 'incident',
    version: 1,
    changedAt: now,
    ...everybody,
  };
  expect(controlsText(plain, [control])).toBe('STOPPED  all  by lea at 2026-11-21 10:00:00Z: incident');
  expect(controlsText(plain, [{ ...control, scope: 'play:surge', name: 'Surge' }])).toBe(
    'STOPPED  the play “Surge” (surge)  by lea at 2026-11-21 10:00:00Z: incident',
  );
  expect(controlsText(plain, [{ ...control, scope: 'account:acme', name: null }])).toContain(
    'STOPPED  account:acme  by',
  );
  expect(controlsText(plain, [{ ...control, state: 'running' }])).toBe('Nothing is stopped.');
  const open = { ...control, confirmed: false, confirmedBy: [], notConfirmedBy: ['action-executor'] };
  expect(controlsText(plain, [open])).toContain('incident  NOT CONFIRMED by action-executor');
  expect(liftedText(plain, [{ ...open, state: 'running' }])).toBe(
    'LIFTED  all  by lea at 2026-11-21 10:00:00Z: incident  NOT CONFIRMED by action-executor',
  );
});

test('who goes by a control is told, and what to do where not everybody does', () => {
  expect(confirmedText(plain, everybody)).toBe('Confirmed by guardrail-validator, action-executor.');
  expect(confirmedText(plain, { ...everybody, unknown: ['downstream'] })).toMatch(
    /downstream: an executor of another team.* ask/,
  );
  const open = { confirmed: false, confirmedBy: ['guardrail-validator'], notConfirmedBy: ['a\nb'], unknown: [] };
  expect(confirmedText(plain, open)).toMatch(
    /^NOT CONFIRMED by a ⏎ b: the control is published, .*countersign controls/,
  );
});

test('a decision of an unresolved permit says who decided what and why, and whether it is settled', () => {
  const permit = {
    ...{ permitId: 'p-1', actionId: 'a-1', proposalId: 'r-1', executor: 'downstream', connector: 'mailer' },
    ...{ detail: null, at: now, outcome: 'unresolved' as const },
    decision: { decisionId: 'd-1', outcome: 'failed' as const, by: 'lea', note: 'no such mail', at: now },
  };
  expect(decisionText(plain, permit)).toBe(
    'lea decided at 2026-11-21 10:00:00Z that the outcome is failed, with the note “no such mail”: downstream has not settled it yet.',
  );
});

test('a change shows what goes and what comes', () => {
  expect(changesText(plain, [{ path: 'amountMinor', before: 60_000, after: 40_000 }])).toBe(
    '- amountMinor: 60000\n+ amountMinor: 40000',
  );
});

test('colours never change the words', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences are what is taken out
  const bare = (text: string) => text.replace(/\u001b\[\d+m/g, '');
  expect(bare(cardText(coloured, card, now))).toBe(cardText(plain, card, now));
  expect(bare(funnelText(coloured, funnel))).toBe(funnelText(plain, funnel));
  expect(cardText(coloured, card, now)).not.toBe(cardText(plain, card, now));
});

test('a result says what became of the review, and which it was', () => {
  const result = {
    reviewId: 'r-1',
    state: 'approved',
    decision: 'approve',
    detail: 'approved; executed',
    runsFrom: null,
    settlement: null,
  } as const;
  expect(resultText(plain, result)).toBe('approved; executed\nreview r-1');
});

test('a story is its lines in their order, under its title', () => {
  const lines = [
    { at: now, what: 'signal', detail: 'three people compared' },
    { at: now, what: 'task', detail: 'answer them' },
  ];
  expect(storyText(plain, { id: 's', found: true, title: 'A surge', lines })).toBe(`A surge
2026-11-21 10:00:00Z  signal  three people compared
2026-11-21 10:00:00Z  task    answer them`);
});

test('a report names each problem and whether the key was known before', () => {
  const report = {
    ok: false,
    size: 3,
    root: 'cm9vdA==',
    confirmed: 1,
    checkpointsChecked: 1,
    eventsChecked: 2,
    commitmentsChecked: 0,
    problemCount: 1,
    problems: [{ kind: 'gap' as const, at: { leaf: 2 }, detail: 'leaf 1 is missing before it' }],
  };
  expect(
    reportText(plain, report, false),
  ).toBe(`3 entries, 1 confirmed by 1 signed checkpoint, 2 events compared byte for byte
root cm9vdA==
Checked with the key that the record itself names. To check whose signatures they are, give --key.
entry 2: leaf 1 is missing before it [gap]
1 problem: the record is not whole.`);
  expect(reportText(plain, { ...report, ok: true, problemCount: 0, problems: [] }, true)).toContain(
    'The record is whole.',
  );
  const erased = {
    ...{ kind: 'event-missing' as const, at: { leaf: 1 } },
    detail: 'the bytes of its event are not stored any more: somebody erased them',
  };
  const text = reportText(plain, { ...report, eventsChecked: 2, commitmentsChecked: 1, problems: [erased] }, true);
  expect(text).toContain('1 event compared byte for byte, 1 commitment to events that are not stored');
  expect(text).toContain(
    'entry 1: the bytes of its event are not stored any more: somebody erased them [event-missing]',
  );
});

test('no text of anybody makes a line of an answer, whichever of them it is', () => {
  const control = {
    scope: 'all',
    state: 'stopped',
    by: 'lea',
    reason: 'reason',
    version: 1,
    changedAt: now,
    ...everybody,
  } as const;
  const health = { service: 's', status: 'ok', url: 'u', wrong: ['w'] };
  const story = { id: 's', found: true, title: 't', lines: [{ at: now, what: 'w', detail: 's' }] };
  const proposals = [{ proposalId: 'p', outcome: 'o', reason: 'r' }];
  const task = { taskId: 't', runId: 'r', agent: 'a', purpose: 'p', state: 's', reason: 'r', dueAt: now, proposals };
  const run = { runId: 'r', playId: 'p', title: 'P', subject: { accountId: 'a' }, state: 's', reason: 'r', at: now };
  const decision = { outcome: 'executed', by: 'lea', note: 'n', at: now } as const;
  const permit = { permitId: 'p', actionId: 'a', proposalId: 'p', executor: 'e', connector: 'c', detail: 's', at: now };
  const unresolved = { ...permit, outcome: 'unresolved', decision };
  const place = { deadLetterId: 'd', service: 's', topic: 't', partition: 0, offset: '1', attempts: 1, at: now };
  const fault = { code: 'c', detail: 's' };
  const again = { state: 'failed-again', endedAt: now, failedAgain: fault } as const;
  const letter = { ...place, ...again, fault, replayed: { by: 'lea', at: now, note: 'n' } };
  const result = { reviewId: 'r', state: 'approved', decision: 'approve', detail: 's', runsFrom: null } as const;
  const texts = [
    statusText(
      plain,
      forged({ ...standing, spend: { ...standing.spend, adAccounts: [] }, stops: [control] }),
      forged({ sources: ['s'], agents: ['a'], executors: ['e'] }),
      [forged(health)],
    ),
    cardsText(plain, [forged(card)], now),
    storyText(plain, forged(story)),
    tasksText(plain, [forged(task)]),
    runsText(plain, [forged(run)]),
    unresolvedText(plain, [forged(unresolved)]),
    decisionText(plain, forged(unresolved)),
    deadLettersText(plain, [forged(letter)]),
    deadLetterText(plain, forged(letter)),
    resultText(plain, { ...forged(result), settlement: null }),
    changesText(plain, [{ path: 'a', before: 'x\nFORGED', after: 'y\nFORGED' }]),
  ];
  for (const text of texts) {
    expect(text).toContain('FORGED');
    expect(text.split('\n').filter((line) => line.trimStart().startsWith('FORGED'))).toEqual([]);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{C}\u2028\u2029]/u);
  }
});

/** A value with a line break and other controls in each of its texts but instants and the few words that a switch is on. */
function forged<T>(value: T): T {
  if (typeof value === 'string') {
    const isClosedList =
      value === now || ['stopped', 'open', 'approved', 'approve', 'unresolved', 'executed'].includes(value);
    return (isClosedList ? value : `${value}\nFORGED\u2028FORGED\r\u0085FORGED\u009b2J\u202e`) as T;
  }
  if (Array.isArray(value)) return value.map(forged) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, forged(inner)])) as T;
}
