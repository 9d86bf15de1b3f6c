import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Answer, Found, Unknown } from './answer.js';
import { events, gateWords, permits } from './permit-diagram.js';
import { type Effect, type End, type Event, type GateAnswer, type Permit, standing, step } from './permit-machine.js';

/* Lives of one permit: the machine, its row, and a connected system that honours its keys, with requests that land late or never. */

const patience = { turns: 4, backoffMs: 500, behindMs: 150 };
const gates: readonly GateAnswer[] = Object.values(gateWords);
const ends = ['executed', 'failed', 'refused', 'expired', 'unresolved'] as const;

/** One life; `choose(n)` says which of `n` possible things happens next. */
class Life {
  row: { jobId: string; turns: number; unsent: number; end: End | null } | undefined;
  /** What the system keeps under the key. */
  key: Answer | undefined;
  /** Requests that left and have not landed. */
  underWay = 0;
  effects = 0;
  calls = 0;
  /** Whether the key was asked for, and absent, since the last call. */
  absentSince = false;
  rejected = false;

  constructor(
    private readonly choose: (count: number) => number,
    private readonly readBefore: boolean,
  ) {
    // What was lost with the database may have called, and the call may land at any time.
    if (readBefore && this.may()) this.sends();
  }

  get end(): End | null {
    return this.row?.end ?? null;
  }

  /** One claim of the permit's job. It may crash at each point; what was written before stays. */
  claim(): void {
    if (this.may()) this.lands();
    const gate = this.pick(gates);
    let permit = standing(this.row, 'job');
    const apply = (event: Event): Effect => {
      const next = step(permit, event, patience);
      this.write(permit, next.to, next.effect);
      permit = next.to;
      return next.effect;
    };
    if (this.choose(12) === 0) {
      apply({ on: 'given-up', gate, readBefore: this.readBefore, fault: { code: 'x', detail: 'x' } });
      return;
    }
    let effect = apply({ on: 'claimed', gate, readBefore: this.readBefore });
    if (effect.do === 'take' || effect.do === 'turn') {
      if (!this.row) throw new Error('no row');
      effect = apply({ on: 'turn', tried: { turn: this.row.turns, sent: this.row.turns - 1 - this.row.unsent } });
    }
    if (this.crashes()) return;
    if (effect.do === 'look')
      effect = apply(this.may() ? { on: 'looked', gate: this.pick(gates) } : { on: 'put-off', until: 'now' });
    if (effect.do === 'ask') effect = apply({ on: 'found', found: this.finds(), gate: this.pick(gates) });
    if (effect.do === 'call' && !this.crashes()) apply({ on: 'answered', answer: this.answers() });
  }

  /** Every request that is under way lands. */
  atRest(): void {
    while (this.underWay > 0) this.lands();
  }

  private write(from: Permit, to: Permit, effect: Effect): void {
    const { row } = this;
    switch (effect.do) {
      case 'take':
        this.row = { jobId: 'job', turns: to.state === 'doubtful' ? 2 : 1, unsent: 0, end: null };
        return;
      case 'turn':
        if (row) row.turns += effect.lost ? 2 : 1;
        return;
      case 'call':
        // The first call needs no question, every other one does.
        if (this.calls > 0) expect([from.state, this.absentSince]).toEqual(['asking', true]);
        this.sends();
        return;
      case 'settle':
        this.row = { ...(row ?? { jobId: 'job', turns: 0, unsent: 0 }), end: 'end' in to ? to.end : null };
        return;
      case 'reject':
        this.rejected = true;
        return;
      case 'wait':
        if (row && effect.turn === 'back') row.turns--;
        if (row && effect.turn === 'unsent') row.unsent++;
        return;
      case 'look':
      case 'ask':
      case 'nothing':
        return;
    }
  }

  private sends(): void {
    this.calls++;
    this.underWay++;
    this.absentSince = false;
  }

  private lands(): void {
    if (this.underWay === 0) return;
    this.underWay--;
    if (this.key) return;
    const done = this.may();
    this.key = done
      ? { outcome: 'done', externalReference: 'x/1' }
      : { outcome: 'rejected', reason: { code: 'no', detail: 'no' } };
    if (done) this.effects++;
  }

  private finds(): Found {
    if (this.choose(4) === 0) return { outcome: 'unknown', detail: 'away' };
    this.absentSince = this.key === undefined;
    return this.key ?? { outcome: 'absent' };
  }

  private answers(): Answer | Unknown {
    switch (this.choose(4)) {
      case 0:
        return { outcome: 'unknown', detail: 'silence' };
      case 1:
        // It did not leave after all.
        this.underWay--;
        this.calls--;
        return { outcome: 'unknown', detail: 'unreachable', unsent: true };
      case 2:
        // A repeat may be refused for what the call before it did.
        if (this.calls > 1) return { outcome: 'rejected', reason: { code: 'twice', detail: 'twice' } };
    }
    this.lands();
    return this.key ?? { outcome: 'unknown', detail: 'silence' };
  }

  private crashes = (): boolean => this.choose(8) === 0;
  private may = (): boolean => this.choose(2) === 0;
  private pick = <T>(items: readonly T[]): T => items[this.choose(items.length)] as T;
}

const lives = fc.record({
  choices: fc.array(fc.nat({ max: 9_239 }), { minLength: 150, maxLength: 150 }),
  readBefore: fc.boolean(),
});

function live({ choices, readBefore }: { choices: readonly number[]; readBefore: boolean }): Life {
  let n = 0;
  const life = new Life((count) => (choices[n++ % choices.length] as number) % count, readBefore);
  for (let claims = 0; claims < 12 && !life.end && !life.rejected; claims++) life.claim();
  return life;
}

test('a permit is never called twice without asking for the key, and its end is the truth about the effect', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(lives, (sample) => {
      const life = live(sample);
      const outcome = life.end?.outcome;
      seen.set(outcome ?? 'none', (seen.get(outcome ?? 'none') ?? 0) + 1);
      life.atRest();
      expect(life.calls).toBeLessThanOrEqual(patience.turns);
      expect(life.effects).toBeLessThanOrEqual(1);
      if (outcome === 'executed') expect(life.effects).toBe(1);
      // Only these release what was reserved.
      if (outcome === 'failed' || outcome === 'refused' || outcome === 'expired') expect(life.effects).toBe(0);
    }),
    { seed: 11, numRuns: 5_000 },
  );
  // Every end was reached often enough for this to say something.
  for (const end of ends) expect(seen.get(end) ?? 0, end).toBeGreaterThan(20);
});

test('a permit leaves no end: only a person, or what was said before a restore, takes the place of unresolved', () => {
  const any = fc.constantFrom(...Object.values(events));
  fc.assert(
    fc.property(fc.constantFrom(...ends), fc.array(any, { maxLength: 12 }), (first, happening) => {
      let permit: Permit = permits[first];
      for (const event of happening) {
        const before = permit;
        const { to, effect } = step(permit, event, patience);
        expect(['settle', 'nothing']).toContain(effect.do);
        if (to.state !== before.state) {
          expect(before.state).toBe('unresolved');
          expect(['decided', 'restored']).toContain(event.on);
        } else {
          expect(to).toEqual(before);
        }
        permit = to;
      }
    }),
    { seed: 11, numRuns: 2_000 },
  );
});

test('what may have been called never ends as refused or expired, nor as failed without the word of the system', () => {
  const called = [permits.doubtful, permits.asking, permits.repeating];
  for (const permit of called)
    for (const event of Object.values(events)) {
      const { to } = step(permit, event, patience);
      expect(['refused', 'expired']).not.toContain(to.state);
      if (to.state === 'failed') expect(event).toMatchObject({ on: 'found', found: { outcome: 'rejected' } });
    }
});
