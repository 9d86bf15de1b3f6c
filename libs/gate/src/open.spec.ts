import type { ActionApproved } from '@countersign/contracts';
import { describe, expect, test } from 'vitest';
import type { Facts } from './facts.js';
import { judge } from './judge.js';
import { type ApprovedAction, comparedAgain, comparedBy, type GateState, isApproved, open, recheck } from './open.js';
import {
  approvedEvent,
  at,
  contact,
  content,
  factsFor,
  granted,
  other,
  permitKeys,
  policyOf,
  proposalOf,
  stateFor,
} from './testing.js';

const { signing, keys } = permitKeys();
const plus = (seconds: number, from = at): string => new Date(Date.parse(from) + seconds * 1000).toISOString();

interface Scene {
  readonly event: ActionApproved;
  readonly facts: Facts;
}
const scene = (kind: string, payload = {}, change: Parameters<typeof factsFor>[1] = {}): Scene => {
  const proposal = proposalOf(kind, payload);
  const facts = factsFor(proposal, change);
  return { event: approvedEvent(proposal, judge(proposal, facts, policyOf(), at), signing), facts };
};
const ads = scene('ads.shift_budget');
const email = scene('email.send');
/** Judged after a stop of everything had been lifted. */
const resumed = scene('ads.shift_budget', {}, { controls: { all: { version: 2, state: 'running' } } });

const tryOpen = (
  { event, facts }: Scene,
  change: {
    event?: unknown;
    at?: string;
    state?: Partial<GateState>;
    spent?: boolean;
    audience?: string | string[];
  } = {},
) => {
  return open('event' in change ? change.event : event, {
    keys,
    audience: change.audience ?? ['action-executor/ads', 'action-executor/mailer'],
    at: change.at ?? at,
    state: { ...stateFor(facts), ...change.state },
    spent: change.spent ?? false,
  });
};
const codeOf = (result: ReturnType<typeof open>): string =>
  result.ok ? 'opened' : `${result.refusal.kind}: ${result.refusal.code}`;

describe('what a permit is attached to', () => {
  test('[case 7] the action that was approved opens', () => {
    const result = tryOpen(ads);
    expect(result.ok && result.action.action).toEqual(ads.event.action);
  });

  test.each([
    ['another amount', ads, { amountMinor: 8_200_000 }],
    ['another recipient', email, { contactId: other }],
    ['one character of the body more', email, { body: 'A word on {{account.name}}..' }],
    ['one link more', email, { body: 'A word on {{account.name}}. https://example.com/' }],
  ])('[case 7] %s is refused by its digest and settles nothing', (_name, given, payload) => {
    const { event } = given;
    const action = { ...event.action, payload: { ...event.action.payload, ...payload } };
    const result = tryOpen(given, { event: { ...event, action } });
    expect(result).toMatchObject({ ok: false, refusal: { code: 'digest', settles: null } });
  });

  test('a field that the catalogue does not know is refused by the executor too', () => {
    const { event } = ads;
    const action = { ...event.action, payload: { ...event.action.payload, force: true } };
    expect(codeOf(tryOpen(ads, { event: { ...event, action } }))).toBe('refused: payload');
    const unknown = { ...event.action, kind: 'ads.burn' };
    expect(codeOf(tryOpen(ads, { event: { ...event, action: unknown } }))).toBe('refused: unknown-kind');
  });

  test('text without an RFC 8785 form is refused, not thrown at', () => {
    const { event } = ads;
    const [first, ...others] = event.reservations;
    const reservations = [{ ...first, ledger: 'half \ud800' }, ...others];
    expect(codeOf(tryOpen(ads, { event: { ...event, reservations } }))).toBe('refused: malformed');
    const action = { ...event.action, kind: 'half \ud800' };
    expect(codeOf(tryOpen(ads, { event: { ...event, action } }))).toBe('refused: malformed');
  });

  test('[case 9] the same action with its keys in another order opens', () => {
    const { event } = ads;
    const payload = Object.fromEntries(Object.entries(event.action.payload).reverse());
    expect(codeOf(tryOpen(ads, { event: { ...event, action: { ...event.action, payload } } }))).toBe('opened');
  });

  test.each([
    ['permitId', { permitId: other }],
    ['proposalId', { proposalId: other }],
    ['actionId', { actionId: other }],
    ['agent', { agent: 'sequencing-agent' }],
    ['play.id', { play: { ...ads.event.play, id: 'another-play' } }],
    ['digest', { digest: 'a'.repeat(64) }],
    ['executor and connector', { executor: 'downstream' }],
    ['executor and connector', { connector: 'mailer' }],
    ['notBefore', { notBefore: plus(-60) }],
    ['expiresAt', { expiresAt: plus(86_400) }],
    ['reservations', { reservations: [] }],
  ])('an event whose %s differs from the permit is refused', (field, change) => {
    expect(tryOpen(ads, { event: { ...ads.event, ...change } })).toMatchObject({
      ok: false,
      refusal: { code: 'event-differs', detail: `${field} is not what the permit says`, settles: null },
    });
  });

  test('[case 11] a permit for another audience is refused', () => {
    expect(tryOpen(ads, { audience: 'action-executor/mailer' })).toMatchObject({
      ok: false,
      refusal: { code: 'audience', settles: null },
    });
    expect(codeOf(tryOpen(ads, { audience: 'action-executor' }))).toBe('refused: audience');
    expect(codeOf(tryOpen(ads, { audience: [] }))).toBe('refused: audience');
  });

  test('[case 12] an approval without a permit, or nothing at all, is refused', () => {
    const { permit: _left, ...without } = ads.event;
    for (const nothing of [without, null, undefined, [], 'x', { ...ads.event, permit: 1 }]) {
      expect(codeOf(tryOpen(ads, { event: nothing }))).toBe('refused: malformed');
    }
  });

  test('[case 10] a spent permit is refused and settles nothing, even after its expiry', () => {
    expect(tryOpen(ads, { spent: true })).toMatchObject({ ok: false, refusal: { code: 'spent', settles: null } });
    expect(tryOpen(ads, { spent: true, at: plus(901) })).toMatchObject({ ok: false, refusal: { code: 'spent' } });
  });
});

describe('time', () => {
  test.each([
    [899, 'opened'],
    [900, 'refused: expired'],
    [901, 'refused: expired'],
  ])('[case 13] %i seconds after its start, of 900 that it lives, it is %s', (seconds, code) => {
    expect(codeOf(tryOpen(ads, { at: plus(seconds) }))).toBe(code);
  });

  test('[case 13] an expired one settles as expired', () => {
    expect(tryOpen(ads, { at: plus(900) })).toMatchObject({ ok: false, refusal: { settles: 'expired' } });
  });

  test('an early one waits, and says until when', () => {
    const later = scene('email.send', { sendAt: plus(3600) });
    expect(tryOpen(later)).toMatchObject({
      ok: false,
      refusal: { kind: 'wait', code: 'early', until: plus(3600) },
    });
    expect(codeOf(tryOpen(later, { at: plus(3599.999) }))).toBe('wait: early');
    expect(codeOf(tryOpen(later, { at: plus(3600) }))).toBe('opened');
  });

  test('[case 13] a clock that is behind by more than the tolerance opens nothing', () => {
    expect(codeOf(tryOpen(ads, { at: plus(-5) }))).toBe('wait: early');
    expect(tryOpen(ads, { at: plus(-5.001) })).toMatchObject({
      ok: false,
      refusal: { kind: 'wait', code: 'clock', until: plus(-5) },
    });
  });

  test('a time that is none opens nothing', () => {
    expect(tryOpen(ads, { at: 'soon' }).ok).toBe(false);
  });
});

describe('state', () => {
  const consents = (version: number, change: Partial<Facts['consents'][string]> = {}) => ({
    consents: { [contact]: { ...granted(), version, ...change } },
  });
  const control = (scope: string, version: number, state: 'running' | 'stopped' = 'running') => ({
    controls: { ...ads.facts.controls, [scope]: { version, state } },
  });

  test.each<[string, Scene, Partial<GateState>, string]>([
    ['[case 14] a newer consent', email, consents(5), 'refused: consent-changed'],
    ['an older consent', email, consents(3), 'wait: state-behind'],
    ['no consent yet', email, { consents: {} }, 'wait: state-behind'],
    ['[case 14] the same consent', email, consents(4), 'opened'],
    ['[case 14] the same version without the consent', email, consents(4, { entries: [] }), 'refused: consent-absent'],
    [
      'the same version with a suppression',
      email,
      consents(4, { suppressions: [{ channel: 'email', reason: 'unsubscribed', at, signalId: 's' }] }),
      'refused: consent-absent',
    ],
    [
      '[case 18] a consent of somebody else',
      email,
      { consents: { [contact]: granted(), [other]: { ...granted(), version: 99 } } },
      'opened',
    ],
    ['[case 37] a stop of the agent', ads, control('agent:paid-media-agent', 1, 'stopped'), 'refused: stopped'],
    ['a stop even at the version signed', ads, control('all', 0, 'stopped'), 'refused: stopped'],
    ['[case 40] a stop that was lifted since', ads, control('channel:advertising', 2), 'refused: control-changed'],
    ['no control yet, where the judge knew one', resumed, { controls: {} }, 'wait: state-behind'],
    ['the control that the judge knew', resumed, control('all', 2), 'opened'],
    ['[case 18] a stop of another channel', ads, control('channel:email', 1, 'stopped'), 'opened'],
    ['no policy yet', ads, { policy: null }, 'wait: state-behind'],
    ['an older policy', ads, { policy: { version: 6, parts: policyOf().parts } }, 'wait: state-behind'],
    [
      '[case 18] a newer policy with the same parts',
      ads,
      { policy: { version: 8, parts: policyOf().parts } },
      'opened',
    ],
    [
      '[case 16] a newer policy with another charter',
      ads,
      { policy: { version: 8, parts: policyOf(content({ charter: { owner: 'marc' } })).parts } },
      'refused: policy-changed',
    ],
    [
      '[case 18] [case 62] a newer policy with another rule that does not concern it',
      ads,
      {
        policy: {
          version: 8,
          parts: policyOf(content({ rules: { contactFrequency: { touches: 1, days: 1 } } })).parts,
        },
      },
      'opened',
    ],
    [
      '[case 62] a newer policy with the rule that concerns it',
      email,
      {
        policy: {
          version: 8,
          parts: policyOf(content({ rules: { contactFrequency: { touches: 1, days: 1 } } })).parts,
        },
      },
      'refused: policy-changed',
    ],
    [
      'the same policy version with other parts',
      ads,
      { policy: { version: 7, parts: policyOf(content({ rules: { prohibitedKinds: ['email.send'] } })).parts } },
      'refused: policy-changed',
    ],
  ])('%s', (_name, given, state, code) => {
    expect(codeOf(tryOpen(given, { state }))).toBe(code);
  });

  test('[case 16] a charter that was revoked after the signature is named in the refusal, with both versions of the policy', () => {
    const { charters } = content();
    const revoked = { ...content(), charters: charters.filter((c) => c.agent !== 'paid-media-agent') };
    const refused = tryOpen(ads, { at: plus(3), state: { policy: { version: 8, parts: policyOf(revoked, 8).parts } } });
    expect(refused).toMatchObject({
      ok: false,
      refusal: {
        code: 'policy-changed',
        detail: 'charter:paid-media-agent changed: policy 8, signed under 7',
        settles: 'refused',
      },
    });
    expect(codeOf(tryOpen(ads, { at: plus(3) }))).toBe('opened');
  });

  test('a refusal outweighs a wait', () => {
    const state = {
      ...consents(3),
      controls: { ...email.facts.controls, all: { version: 1, state: 'stopped' as const } },
    };
    expect(codeOf(tryOpen(email, { state }))).toBe('refused: stopped');
  });

  test('[case 37] a stop is named with who raised it and why', () => {
    const stopped = { version: 1, state: 'stopped' as const, by: 'lea', reason: 'odd bids' };
    expect(tryOpen(ads, { state: { controls: { 'account:ads-emea': stopped } } })).toMatchObject({
      ok: false,
      refusal: { detail: 'stopped: account:ads-emea by lea: odd bids', settles: 'refused' },
    });
  });

  test.each(['controls', 'consents', 'policies'] as const)(
    '[case 38] %s that were not compared for too long count as unknown',
    (topic) => {
      const state = (age: number | null) => ({ ageMs: { ...stateFor(ads.facts).ageMs, [topic]: age } });
      const aged = (age: number | null) => codeOf(tryOpen(ads, { state: state(age) }));
      expect([0, 9_999, 10_000].map(aged)).toEqual(['opened', 'opened', 'opened']);
      const unknown = [10_001, null, -1, -0.001, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      expect(unknown.map(aged)).toEqual(unknown.map(() => 'wait: state-stale'));
    },
  );

  test('what waited for its state until its expiry has expired, and says what it waited for', () => {
    const state = { ageMs: { controls: 60_000, consents: 0, policies: 0 } };
    expect(tryOpen(ads, { at: plus(900), state })).toMatchObject({
      ok: false,
      refusal: {
        code: 'expired',
        settles: 'expired',
        detail: expect.stringContaining('controls were last found read'),
      },
    });
    expect(tryOpen(ads, { at: plus(900) })).toMatchObject({
      ok: false,
      refusal: { detail: expect.not.stringContaining('waited') },
    });
  });

  test('a stop that is known is final, however old what is known has become', () => {
    const old = { ageMs: { controls: 60_000, consents: null, policies: 0 } };
    const controls = { all: { version: 1, state: 'stopped' as const } };
    expect(codeOf(tryOpen(ads, { state: { ...old, controls } }))).toBe('refused: stopped');
    expect(codeOf(tryOpen(ads, { state: { ...old, policy: { version: 8, parts: {} } } }))).toBe(
      'refused: policy-changed',
    );
  });

  test('which rows to lock is known before opening', () => {
    expect(comparedBy(email.event)).toEqual({
      permitId: email.event.permitId,
      controls: ['account:acme', 'agent:paid-media-agent', 'all', 'channel:email', 'play:return-below-floor'],
      consents: [contact],
    });
    for (const none of [{ nothing: true }, { permit: 'no permit' }, { permit: 7 }, null, 'text'])
      expect(comparedBy(none)).toEqual({ permitId: undefined, controls: [], consents: [] });
  });
});

describe('recheck', () => {
  test('compares what open() compared', () => {
    expect(comparedAgain(opened())).toEqual(comparedBy(email.event));
  });
  const opened = (): ApprovedAction => {
    const result = tryOpen(email);
    if (!result.ok) throw new Error(result.refusal.detail);
    return result.action;
  };
  const state = (change: Partial<GateState> = {}) => ({ ...stateFor(email.facts), ...change });

  test('lets a call go while nothing has changed', () => {
    expect(recheck(opened(), { at, state: state() })).toEqual({ ok: true });
  });

  test('[case 14] [case 37] stops a call after a withdrawal, a stop, a change of policy or the expiry', () => {
    const changes: [string, Parameters<typeof recheck>[1]][] = [
      ['consent-changed', { at, state: state({ consents: { [contact]: { ...granted(), version: 5 } } }) }],
      ['stopped', { at, state: state({ controls: { all: { version: 1, state: 'stopped' } } }) }],
      ['policy-changed', { at, state: state({ policy: { version: 8, parts: {} } }) }],
      ['expired', { at: plus(900), state: state() }],
    ];
    for (const [code, now] of changes) expect(recheck(opened(), now)).toMatchObject({ ok: false, refusal: { code } });
  });
});

describe('ApprovedAction', () => {
  const run = (action: ApprovedAction): string => action.permitId;

  test('cannot be written by hand', () => {
    const lookalike = { ...ads.event, claims: {}, permitId: 'x' };
    // @ts-expect-error only open() makes one
    const made: ApprovedAction = lookalike;
    // @ts-expect-error an event is not approved by being read
    run(ads.event);
    expect(isApproved(made)).toBe(false);
  });

  test('is known at run time, copies are not', () => {
    const result = tryOpen(ads);
    if (!result.ok) throw new Error(result.refusal.detail);
    expect(isApproved(result.action)).toBe(true);
    const copy = { ...result.action };
    expect(isApproved(copy)).toBe(false);
    expect(isApproved(structuredClone(result.action))).toBe(false);
    expect(() => recheck(copy, { at, state: stateFor(ads.facts) })).toThrow(TypeError);
  });

  test('cannot be changed afterwards', () => {
    const result = tryOpen(ads);
    if (!result.ok) throw new Error(result.refusal.detail);
    expect(() => {
      (result.action.action.payload as { amountMinor: number }).amountMinor = 1;
    }).toThrow(TypeError);
    expect(() => {
      (result.action.claims as { exp: number }).exp = 1e12;
    }).toThrow(TypeError);
  });
});

describe('quiet hours begin while a permit is alive', () => {
  const sealedAt = '2026-11-21T19:59:00.000Z';
  const proposal = proposalOf('email.send', { sendAt: sealedAt });
  const policy = policyOf(content({ rules: { permitSeconds: 7200, quietHours: { from: '21:00', to: '08:00' } } }));
  const facts = factsFor(proposal, {}, policy, sealedAt);
  const judgement = judge(proposal, facts, policy, sealedAt);
  const openedAt = (now: string) =>
    open(approvedEvent(proposal, judgement, signing), {
      keys,
      audience: 'action-executor/mailer',
      at: now,
      state: stateFor(facts, policy),
      spent: false,
    });

  test('[case 29] a permit of two hours that was sealed at 20:59 runs until 21:00 where the person is, and no longer', () => {
    expect(judgement.claims?.open).toEqual([
      { from: Date.parse(sealedAt) / 1000, to: Date.parse('2026-11-21T20:00:00.000Z') / 1000 },
    ]);
    expect(codeOf(openedAt('2026-11-21T19:59:59.999Z'))).toBe('opened');
    for (const now of ['2026-11-21T20:00:00.000Z', '2026-11-21T20:01:00.000Z'])
      expect(codeOf(openedAt(now))).toBe('refused: quiet-hours');
  });

  test('[case 29] what was opened before is compared again before each call', () => {
    const opened = openedAt(sealedAt);
    if (!opened.ok) throw new Error(opened.refusal.detail);
    const again = recheck(opened.action, { at: '2026-11-21T20:01:00.000Z', state: stateFor(facts, policy) });
    expect(again.ok ? 'runs' : again.refusal.code).toBe('quiet-hours');
  });

  test('a permit without the claim opens during all of its life', () => {
    expect(email.event.verdict.outcome).toBe('approved');
    expect(codeOf(tryOpen(email, { at: plus(899) }))).toBe('opened');
  });
});
