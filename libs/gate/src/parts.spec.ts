import { actionKindNames, digestOf, type PolicyContent, policyDigests, type Rules } from '@countersign/contracts';
import { ruleValues } from '@countersign/contracts/testing';
import { describe, expect, test } from 'vitest';
import { taskFact } from './facts.js';
import { judge } from './judge.js';
import { open } from './open.js';
import { pass, type Rule } from './rule.js';
import { rules } from './rules/index.js';
import { approvedEvent, at, content, factsFor, permitKeys, policyOf, proposalOf, stateFor, taskOf } from './testing.js';

/* A permit must die with a change of whatever its verdict rests on. */

const { signing, keys } = permitKeys();
/** In which every kind is approved alone. */
const before = content({ rules: { creativeNeedsPerson: false } });

/** Judges under one policy and opens under another, newer one. */
function openedAfter(kind: string, signedUnder: PolicyContent, now: PolicyContent, by: readonly Rule[] = rules) {
  const proposal = proposalOf(kind);
  const policy = policyOf(signedUnder, 7);
  const facts = factsFor(proposal, {}, policy);
  const judgement = judge(proposal, facts, policy, at, by);
  const event = approvedEvent(proposal, judgement, signing);
  const opened = open(event, {
    keys,
    audience: `${event.executor}/${event.connector}`,
    at,
    state: stateFor(facts, policyOf(now, 8)),
    spent: false,
  });
  return {
    code: opened.ok ? 'opened' : opened.refusal.code,
    parts: Object.keys(judgement.claims?.policy.parts ?? {}),
    reasons: judgement.verdict.reasons,
    later: judge(proposal, facts, policyOf(now, 8), at, by).verdict.reasons,
  };
}

/** The parts that were read of a policy while a proposal was judged, by the name of their member. */
function readOf(kind: string, by: readonly Rule[]) {
  const read = new Set<string>();
  const watched = <T extends object>(original: T, prefix: string): T =>
    new Proxy(original, {
      get: (target, name, receiver) => {
        if (typeof name === 'string') read.add(`${prefix}${name}`);
        return Reflect.get(target, name, receiver);
      },
    });
  const policy = policyOf(before);
  const { rules: settings, ...others } = policy.content;
  const proposal = proposalOf(kind);
  const facts = factsFor(proposal, {}, policy);
  const seen = watched({ ...others, rules: watched(settings, 'rules.') }, '');
  const judgement = judge(proposal, facts, { ...policy, content: seen }, at, by);
  expect(judgement.verdict.outcome).toBe('approved');
  read.delete('rules');
  return { read, parts: Object.keys(judgement.claims?.policy.parts ?? {}) };
}

/** Whether a permit that names these parts dies with a change of what was read. */
const covered = (member: string, parts: readonly string[]): boolean => {
  switch (member) {
    case 'charters':
      return parts.some((part) => part.startsWith('charter:'));
    case 'plays':
      return parts.some((part) => part.startsWith('play:'));
    case 'sequences':
      return parts.some((part) => part.startsWith('sequence:'));
    default:
      return parts.includes(member);
  }
};

/** What a rule's author is told. */
const advice =
  'read by `weigh` but not named by `parts`: name it there for this kind, or read it only after the lines that leave other kinds out';

const inert: Rule = { name: 'inert', weigh: () => pass('nothing was asked') };

describe('a permit names every part of the policy that was read for it', () => {
  test.each(actionKindNames)('by all rules together: %s', (kind) => {
    const { read, parts } = readOf(kind, rules);
    expect(
      [...read].filter((member) => !covered(member, parts)),
      advice,
    ).toEqual([]);
    expect(read.size).toBeGreaterThan(4);
  });

  test.each(rules.map((rule) => [rule.name, rule] as const))('by the rule %s alone', (_name, rule) => {
    for (const kind of actionKindNames) {
      const always = readOf(kind, [inert]).read;
      const { read, parts } = readOf(kind, [rule]);
      const missing = [...read].filter((member) => !always.has(member) && !covered(member, parts));
      expect(missing, `${kind}: ${advice}`).toEqual([]);
    }
  });
});

const settings = Object.keys(ruleValues) as (keyof Rules)[];
/** What a setting can be changed to. */
const otherValues = (setting: keyof Rules): unknown[] =>
  Object.values(ruleValues[setting]).filter((value) => digestOf(value) !== digestOf(before.rules[setting] ?? null));

describe('a permit dies with a change of a setting that its verdict rests on', () => {
  test.each(settings)('rules.%s', (setting) => {
    const values = otherValues(setting);
    expect(values).not.toEqual([]);
    for (const value of values) {
      const now: PolicyContent = { ...before, rules: { ...before.rules, [setting]: value } };
      const outcomes = actionKindNames.map((kind) => ({ kind, ...openedAfter(kind, before, now) }));
      for (const { kind, code, parts, reasons, later } of outcomes) {
        expect(code, kind).toBe(parts.includes(`rules.${setting}`) ? 'policy-changed' : 'opened');
        if (JSON.stringify(later) !== JSON.stringify(reasons)) expect(code, kind).toBe('policy-changed');
      }
      expect(outcomes.map(({ code }) => code)).toContain('policy-changed');
    }
  });

  test.each([
    ['the charter', { charters: before.charters.map((charter) => ({ ...charter, reviewWithinMinutes: 5 })) }],
    ['the play', { plays: before.plays.map((play) => ({ ...play, coolDownDays: 9 })) }],
    ['the routes', { routes: before.routes.map((route) => ({ ...route, connector: 'other' })) }],
    ['a charter that was taken away', { charters: [] }],
    ['a play that was taken away', { plays: [] }],
  ])('%s', (_what, change) => {
    for (const kind of actionKindNames)
      expect(openedAfter(kind, before, { ...before, ...change }).code).toBe('policy-changed');
  });

  test('the sequence that it names, and no other', () => {
    const [first] = before.sequences;
    if (!first) throw new Error('no sequence');
    const other = { ...before, sequences: [...before.sequences, { ...first, id: 'another' }] };
    const taken = { ...before, sequences: [] };
    expect(openedAfter('sequence.enroll', before, other).code).toBe('opened');
    expect(openedAfter('sequence.enroll', before, taken).code).toBe('policy-changed');
    expect(openedAfter('ads.set_bid', before, taken).code).toBe('opened');
  });
});

test('a message that is for what the sequence of its task is for dies with a change of that sequence', () => {
  const id = 'comparison-follow-up';
  const proposal = proposalOf('email.send');
  const policy = policyOf(before);
  const partsFor = (named: Record<string, string>) => {
    const task = { ...taskFact(taskOf(proposal.agent)), named };
    const { claims } = judge(proposal, factsFor(proposal, { task }, policy), policy, at);
    return Object.keys(claims?.policy.parts ?? {});
  };
  expect(partsFor({ sequence: id, template: 'follow-up' })).toContain(`sequence:${id}`);
  expect(partsFor({ sequence: id, purpose: 'sales' })).not.toContain(`sequence:${id}`);
});

describe('a part that the policy does not have', () => {
  const later: Rule = {
    name: 'later',
    parts: () => ['sequence:later'],
    weigh: ({ policy }) => pass(policy.content.sequences.some((s) => s.id === 'later') ? 'there' : 'not there'),
  };
  const [first] = before.sequences;
  const added = { ...before, sequences: first ? [...before.sequences, { ...first, id: 'later' }] : [] };

  test('is signed as absent, so that the permit dies when the part is added', () => {
    expect(openedAfter('ads.set_bid', before, before, [later])).toMatchObject({ code: 'opened' });
    expect(openedAfter('ads.set_bid', before, added, [later])).toMatchObject({ code: 'policy-changed' });
  });

  test('has the digest of null, as the README tells other executors', () => {
    const proposal = proposalOf('ads.set_bid');
    const policy = policyOf(before);
    const { claims } = judge(proposal, factsFor(proposal, {}, policy), policy, at, [later]);
    expect(claims?.policy.parts['sequence:later']).toBe(
      '74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b',
    );
    expect(policyDigests(before).parts).not.toHaveProperty('sequence:later');
  });

  test('cannot be a misspelt setting: that does not compile', () => {
    // @ts-expect-error the setting is called prohibitedKinds
    const misspelt: Rule = { name: 'misspelt', parts: () => ['rules.prohibitedKind'], weigh: () => undefined };
    expect(misspelt.name).toBe('misspelt');
  });
});
