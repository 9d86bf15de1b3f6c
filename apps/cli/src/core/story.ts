import type { Story } from '@countersign/client/core';

type Line = Story['lines'][number];

/** What led to an action, and remarks about it. Only `--all` shows them. */
const behind = new Set(['signal', 'profile', 'evidence', 'alternative', 'dry run']);

type LineText = Pick<Line, 'what' | 'detail'>;

const passes = ({ what, detail }: LineText): boolean => what === 'rule' && /^[a-z-]+ passes: /.test(detail);

/** Part of the story that people seldom look for: a rule that passed, or how many did. */
export const isAside = (line: LineText): boolean =>
  passes(line) || (line.what === 'rule' && /^(the other )?\d+ rules? pass(es)?$/.test(line.detail));

/**
 * The short story of an action: what, why, who and the effect. Signals, facts and evidence are counted, and so are the rules that
 * pass. A rule that refuses or asks for a person stands in full. `hidden` is the number of left-out lines. A story without a
 * proposal stays whole, because it has nothing else.
 */
export function shortStory(lines: readonly Line[]): { readonly lines: readonly Line[]; readonly hidden: number } {
  if (!lines.some(({ what }) => what === 'proposal')) return { lines, hidden: 0 };
  const shown: Line[] = [];
  let passed: Line[] = [];
  const count = (): void => {
    const [first] = passed;
    const last = shown.at(-1);
    if (!first) return;
    const detail = passed.length === 1 ? '1 rule passes' : `${passed.length} rules pass`;
    // After the rules that did not pass, so that the reason is read first.
    shown.push({ at: first.at, what: 'rule', detail: last?.what === 'rule' ? `the other ${detail}` : detail });
    passed = [];
  };
  for (const line of lines) {
    if (behind.has(line.what)) continue;
    if (passes(line)) passed.push(line);
    else {
      if (line.what !== 'rule') count();
      shown.push(line);
    }
  }
  count();
  const led = lines.filter(({ what }) => behind.has(what));
  const counted = (what: string, singular: string, plural: string): string[] => {
    const n = led.filter((line) => line.what === what).length;
    return n === 0 ? [] : [n === 1 ? `1 ${singular}` : `${n} ${plural}`];
  };
  const reasons = [...counted('signal', 'signal', 'signals'), ...counted('profile', 'fact', 'facts')];
  const [first] = led;
  const basis = first && reasons.length > 0 ? [{ at: first.at, what: 'reason', detail: reasons.join(' and ') }] : [];
  return { lines: [...basis, ...shown], hidden: led.length + lines.filter(passes).length };
}
