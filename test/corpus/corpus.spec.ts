import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '@countersign/contracts';
import { judge } from '@countersign/gate';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Case, type Given, When } from './case.js';
import { at, stage } from './stage.js';

/** Every case of every file in this folder: data that anybody may add to. See README.md for the words. */
const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.yaml'));
const seen = new Set<string>();

/** As in every other test that shows a case of the acceptance list: its number first. */
const nameOf = ({ title = 'without a title', case: number }: Partial<Case>): string =>
  number === undefined ? title : `[case ${number}] ${title}`;

function verdictOf(given: Given, when: Case['when']) {
  const { proposal, facts, policy } = stage(given, when);
  const judgement = judge(proposal, facts, policy, at);
  // What is stored must be enough to judge again.
  const stored = JSON.parse(JSON.stringify({ proposal, facts, policy })) as ReturnType<typeof stage>;
  expect(digestOf(judge(stored.proposal, stored.facts, stored.policy, at))).toBe(digestOf(judgement));
  return judgement;
}

describe.each(files)('%s', (file) => {
  const cases = parse(readFileSync(join(import.meta.dirname, file), 'utf8')) as unknown[];

  test.each(cases.map((written) => [nameOf(written as Partial<Case>), written] as const))('%s', (_title, written) => {
    const { title, given, when, then, twin } = Case.parse(written);
    expect(seen.has(title), 'a title is used once').toBe(false);
    seen.add(title);
    const { verdict, shadowOutcome } = verdictOf(given, when);
    const against = verdict.reasons.filter((r) => r.outcome !== 'pass').map((r) => `${r.rule}: ${r.detail}`);
    expect(verdict.outcome, against.join('; ')).toBe(then.outcome);
    if (then.shadowOutcome) expect(shadowOutcome).toBe(then.shadowOutcome);
    if (then.rule) {
      const reason = verdict.reasons.find((r) => r.rule === then.rule);
      expect(reason?.detail).toBe(then.detail);
      const { place, start, end, marked } = reason?.figures ?? {};
      if (then.marked !== undefined) expect(marked).toBe(then.marked);
      if (then.at !== undefined) expect(`${place} ${start} to ${end}`).toBe(then.at);
      expect(reason?.outcome).toBe({ approved: 'pass', escalated: 'escalate', refused: 'refuse' }[then.outcome]);
    }
    if (!twin) return;
    const other = verdictOf({ ...given, ...twin.given }, When.parse({ ...when, ...twin.when }));
    expect(other.verdict.reasons.filter((r) => r.outcome === 'refuse')).toEqual([]);
    expect(other.verdict.outcome, 'the twin is approved').toBe('approved');
  });
});

test('there are cases', () => expect(files.length).toBeGreaterThan(4));
