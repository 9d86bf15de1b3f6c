import type { Found } from './answer.js';
import { type Event, type GateAnswer, type Permit, type State, step } from './permit-machine.js';

/* The diagram is generated: the machine is asked about one permit of each state and one event of each kind. */

const reason = { code: 'any', detail: 'any' };
const patience = { turns: 3, backoffMs: 500, behindMs: 150 };
const inTurn = { tried: { turn: 2, sent: 1 } };

/** A permit of each state. */
export const permits: { readonly [S in State]: Permit & { readonly state: S } } = {
  new: { state: 'new' },
  used: { state: 'used' },
  held: { state: 'held', turns: 1 },
  calling: { state: 'calling', tried: { turn: 1, sent: 0 } },
  doubtful: { state: 'doubtful' },
  asking: { state: 'asking', ...inTurn },
  repeating: { state: 'repeating', ...inTurn },
  executed: { state: 'executed', end: { outcome: 'executed', externalReference: 'x/1' } },
  failed: { state: 'failed', end: { outcome: 'failed', reason } },
  refused: { state: 'refused', end: { outcome: 'refused', reason } },
  expired: { state: 'expired', end: { outcome: 'expired', reason } },
  unresolved: { state: 'unresolved', end: { outcome: 'unresolved', reason } },
  rejected: { state: 'rejected', reason },
};

/** Each possible answer of the gate. */
export const gateWords = {
  opens: { kind: 'opens' },
  waits: { kind: 'waits', until: null, reason },
  refuses: { kind: 'ends', outcome: 'refused', reason },
  expired: { kind: 'ends', outcome: 'expired', reason },
  void: { kind: 'void', reason },
} as const satisfies Record<string, GateAnswer>;

const done = { outcome: 'done', externalReference: 'x/1' } as const;
const rejected = { outcome: 'rejected', reason } as const;
const silent = { outcome: 'unknown', detail: 'silence' } as const;
const absent = { outcome: 'absent' } as const;
const { opens, waits, refuses } = gateWords;

const words = Object.entries(gateWords);
const found = (what: Found, gate: GateAnswer = opens): Event => ({ on: 'found', found: what, gate });

/** After these events a permit waits for its next turn, or is called again. In its last turn it ends. */
const inLastTurn = new Set(['found nothing', 'absent, opens', 'answered rejected', 'silent', 'unsent']);

/** An event of each kind, by its name. */
export const events: Readonly<Record<string, Event>> = {
  ...Object.fromEntries(
    words.map(([name, gate]) => [`claimed, ${name}`, { on: 'claimed', gate, readBefore: false } as const]),
  ),
  ...Object.fromEntries(
    words.map(([name, gate]) => [`read before, ${name}`, { on: 'claimed', gate, readBefore: true } as const]),
  ),
  'held up': { on: 'held-up', gate: opens, inMs: 1000, paused: true },
  'held up, refuses': { on: 'held-up', gate: refuses, inMs: 1000, paused: false },
  'paused, refuses': { on: 'held-up', gate: refuses, inMs: 1000, paused: true },
  'turn, unsent': { on: 'turn', tried: { turn: 2, sent: 0 } },
  'turn, sent': { on: 'turn', tried: { turn: 2, sent: 1 } },
  overtaken: { on: 'overtaken', at: '2026-11-21T10:00:00.000Z' },
  ...Object.fromEntries(words.map(([name, gate]) => [`looked, ${name}`, { on: 'looked', gate } as const])),
  'put off': { on: 'put-off', until: '2026-11-21T10:00:00.000Z' },
  'found done': found(done),
  'found rejected': found(rejected),
  'found nothing': found(silent),
  'absent, opens': found(absent),
  'absent, waits': found(absent, waits),
  'absent, refuses': found(absent, refuses),
  'answered done': { on: 'answered', answer: done },
  'answered rejected': { on: 'answered', answer: rejected },
  silent: { on: 'answered', answer: silent },
  unsent: { on: 'answered', answer: { ...silent, unsent: true } },
  ...Object.fromEntries(
    words.map(([name, gate]) => [
      `given up, ${name}`,
      { on: 'given-up', gate, readBefore: false, fault: reason } as const,
    ]),
  ),
  ...Object.fromEntries(
    words.map(([name, gate]) => [
      `read before given up, ${name}`,
      { on: 'given-up', gate, readBefore: true, fault: reason } as const,
    ]),
  ),
  'decided executed': { on: 'decided', end: { outcome: 'executed', reason } },
  'decided failed': { on: 'decided', end: { outcome: 'failed', reason } },
  'restored executed': {
    on: 'restored',
    as: { state: 'executed', end: { outcome: 'executed', externalReference: 'x/0' } },
  },
  'restored unresolved': { on: 'restored', as: { state: 'unresolved', end: { outcome: 'unresolved', reason } } },
  'restored rejected': { on: 'restored', as: { state: 'rejected', reason } },
};

/** The next state and the effect for each state and event, without events that change nothing. */
export function table(): readonly { from: string; event: string; to: string; effect: string }[] {
  const rows: { from: string; event: string; to: string; effect: string }[] = [];
  const ask = (permit: Permit, event: string, given: Event) => {
    const { to, effect } = step(permit, given, patience);
    if (effect.do !== 'nothing') rows.push({ from: permit.state, event, to: to.state, effect: effectText(effect) });
  };
  for (const permit of Object.values(permits))
    for (const [name, event] of Object.entries(events)) {
      ask(permit, name, event);
      if ('tried' in permit && inLastTurn.has(name))
        ask(
          { ...permit, tried: { turn: patience.turns, sent: permit.tried.sent } },
          `last turn, ${name.replace(', ', ' ')}`,
          event,
        );
    }
  return rows;
}

function effectText(effect: ReturnType<typeof step>['effect']): string {
  switch (effect.do) {
    case 'settle':
      return `settle ${effect.where}`;
    case 'turn':
      return ['turn', effect.lost && 'lost', effect.unasked && 'unasked'].filter(Boolean).join(' ');
    case 'wait':
      return effect.turn ? `wait ${effect.turn}` : 'wait';
    default:
      return effect.do;
  }
}

/** Events that can happen in nearly every state. The text describes them, and the diagram leaves them out. */
const everywhere = /^(given up|restored|overtaken|held up|paused|read before)/;

/** The machine as a Mermaid state diagram. */
export function diagram(): string {
  const rows = table().filter(({ event }) => !everywhere.test(event));
  const ends = new Set(Object.values(permits).flatMap((permit) => (isEnd(permit) ? [permit.state as string] : [])));
  const arrows = Map.groupBy(
    rows.filter(({ from, to }) => from !== to || !ends.has(from)),
    ({ from, to }) => `${id(from)} --> ${id(to)}`,
  );
  return [
    'stateDiagram-v2',
    '  state "new" as fresh',
    '  [*] --> fresh',
    '  [*] --> used',
    ...[...arrows].map(([arrow, steps]) => `  ${arrow}: ${labels(steps.map(({ event }) => event)).join(', ')}`),
    ...[...ends].filter((state) => state !== 'unresolved').map((state) => `  ${state} --> [*]`),
  ].join('\n');
}

/** `claimed, opens` and `claimed, void` become one label. If all kinds of `claimed` are there, the label is `claimed`. */
function labels(names: readonly string[]): readonly string[] {
  const parts = (name: string): readonly [string, string] => {
    const at = name.indexOf(', ');
    return at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at + 2)];
  };
  const kinds = Map.groupBy(names.map(parts), ([kind]) => kind);
  return [...kinds].map(([kind, pairs]) => {
    const variants = pairs.map(([, variant]) => variant);
    const all = Object.keys(events).filter((name) => parts(name)[0] === kind).length;
    return all === variants.length ? kind : `${kind} (${variants.join(', ')})`;
  });
}

const isEnd = (permit: Permit): boolean => 'end' in permit || permit.state === 'rejected';
/** Mermaid uses the word `new` itself. */
const id = (state: string): string => (state === 'new' ? 'fresh' : state);
