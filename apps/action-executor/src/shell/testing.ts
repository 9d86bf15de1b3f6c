import { generateKeyPairSync } from 'node:crypto';
import {
  type Action,
  type ActionApproved,
  type DataOf,
  derivedId,
  digestOf,
  type PermitClaims,
  type PolicyContent,
  policyDigests,
  type Rules,
} from '@countersign/contracts';
import {
  type ApprovedAction,
  controlScopes,
  type Judgement,
  open,
  readSigningKey,
  readVerifyKeys,
  type SigningKey,
  seal,
  subjectOf,
  type VerifyKeys,
} from '@countersign/gate';
import type { Answer, Found, Unknown } from '../core/answer.js';
import type { Connector } from './connector.js';

/* For tests: permits as the validator seals them, and a connected system whose behaviour a test sets. */

export const signingKey = (kid = 'test-1'): SigningKey =>
  readSigningKey({ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid });

export const verifyKeys = (...keys: SigningKey[]): VerifyKeys => readVerifyKeys({ keys: keys.map((k) => k.publicJwk) });

export const contactId = derivedId('test-contact');
const contentOf = (rules: Partial<Rules> = {}): PolicyContent => ({
  charters: [],
  plays: [],
  sequences: [],
  routes: [],
  rules: {
    permitSeconds: 900,
    contactFrequency: { touches: 2, days: 7 },
    firstTouchNeedsPerson: [],
    prohibitedKinds: [],
    creativeNeedsPerson: true,
    maxProposalBytes: 100_000,
    ...rules,
  },
});
const { digest: policyDigest, parts } = policyDigests(contentOf());
export const policyParts = { rules: parts.rules as string };
const play = { id: 'a-play', runId: derivedId('test-run'), title: 'A play' };

export const setBid = (name = 'a'): Action => ({
  actionId: derivedId('test-action', name),
  kind: 'ads.set_bid',
  payload: { adAccountId: 'ads-1', campaignId: 'c-1', bidMinor: 150, currency: 'EUR' },
});

export const sendEmail = (name = 'a', more: Record<string, unknown> = {}): Action => ({
  actionId: derivedId('test-action', name),
  kind: 'email.send',
  accountId: 'acc-1',
  payload: {
    contactId,
    purpose: 'sales',
    template: 'hello',
    subject: 'Hello {{contact.firstName}}',
    body: 'Dear {{contact.firstName}}, how is {{account.name}}?',
    sendAt: '2026-11-21T10:00:00.000Z',
    ...more,
  },
});

export interface Sealing {
  readonly agent?: string;
  readonly connector?: string;
  readonly executor?: string;
  readonly issuedAt?: string;
  readonly notBefore?: string;
  readonly expiresAt?: string;
  readonly epochs?: Record<string, number>;
  readonly policyVersion?: number;
  readonly open?: PermitClaims['open'];
}

/** An approval as the validator publishes it; its permit's versions are 0 for controls and 1 for consents. */
export function approvalOf(action: Action, key: SigningKey, sealing: Sealing = {}): ActionApproved {
  const {
    agent = 'sequencing-agent',
    connector = 'double',
    executor = 'action-executor',
    issuedAt = '2026-11-21T10:00:00.000Z',
    notBefore = issuedAt,
    expiresAt = '2026-11-21T10:15:00.000Z',
    policyVersion = 1,
  } = sealing;
  const read = subjectOf(action);
  if (!read.ok) throw new Error(read.fault.detail);
  const seconds = (at: string) => Date.parse(at) / 1000;
  const ids = {
    proposalId: derivedId('test-proposal', action.actionId),
    permitId: derivedId('test-permit', action.actionId),
  };
  const digest = digestOf(action);
  const claims: PermitClaims = {
    iss: '/countersign/guardrail-validator',
    aud: `${executor}/${connector}`,
    jti: ids.permitId,
    sub: action.actionId,
    iat: seconds(issuedAt),
    nbf: seconds(notBefore),
    exp: seconds(expiresAt),
    proposal: ids.proposalId,
    agent,
    play: play.id,
    kind: action.kind,
    digest,
    tier: 'auto',
    policy: { version: policyVersion, digest: policyDigest, parts: policyParts },
    reservations: [],
    epochs: {
      ...Object.fromEntries(controlScopes(agent, play.id, action, read.subject).map((s) => [`control:${s}`, 0])),
      ...Object.fromEntries(read.subject.recipients.map((c) => [`consent:${c}`, 1])),
      ...sealing.epochs,
    },
    ...(sealing.open && { open: sealing.open }),
  };
  const verdict = {
    outcome: 'approved',
    reasons: [],
    tier: 'auto',
    policy: { version: policyVersion, digest: policyDigest },
    at: issuedAt,
  } as const;
  const judgement: Judgement = { verdict: { ...verdict, reasons: [] }, digest, claims };
  return {
    ...ids,
    actionId: action.actionId,
    taskId: derivedId('test-task'),
    agent,
    play,
    digest,
    verdict: { ...verdict, reasons: [] },
    action,
    permit: seal(judgement, key),
    executor,
    connector,
    notBefore,
    expiresAt,
    reservations: [],
  };
}

/** The action of an approval as a connector receives it: opened under a state that allows it. */
export function approved(action: Action, connector: string): ApprovedAction {
  const key = signingKey();
  const at = '2026-11-21T10:00:00.000Z';
  const opened = open(approvalOf(action, key, { connector }), {
    keys: verifyKeys(key),
    audience: `action-executor/${connector}`,
    at,
    state: {
      controls: {},
      consents: { [contactId]: consents(1) },
      policy: { version: 1, parts: policyParts },
      ageMs: { controls: 0, consents: 0, policies: 0 },
    },
    spent: false,
  });
  if (!opened.ok) throw new Error(opened.refusal.detail);
  return opened.action;
}

export const consents = (version: number, status: 'granted' | 'withdrawn' = 'granted'): DataOf<'ConsentsChanged'> => {
  const at = '2026-11-20T10:00:00.000Z';
  return {
    version,
    changedAt: at,
    contactId,
    entries: [{ purpose: 'sales', channel: 'email', status, at, source: '/sources/crm', signalId: `s-${version}` }],
    suppressions: [],
  };
};

export const control = (scope: string, version: number, state: 'stopped' | 'running'): DataOf<'ControlChanged'> => ({
  version,
  changedAt: '2026-11-21T10:00:00.000Z',
  scope,
  state,
  by: 'lea',
  reason: 'wrong tone',
});

export const policy = (version: number, rules: Partial<Rules> = {}): DataOf<'PolicyPublished'> => ({
  version,
  changedAt: '2026-11-21T09:00:00.000Z',
  bundle: 'main',
  ...policyDigests(contentOf(rules)),
  by: 'lea',
  content: contentOf(rules),
});

type Mood = 'answers' | 'silent' | 'lands-silently' | 'refuses' | 'cannot-tell';

/** A connected system that respects idempotency keys, whatever behaviour is set; `effects` counts what really happened. */
export class Double implements Connector {
  readonly name = 'double';
  readonly timeoutMs = 1_000;
  mood: Mood = 'answers';
  calls: string[] = [];
  asked = 0;
  effects = 0;
  /** The cost of an effect that the system reports. */
  spentMinor: number | undefined;
  private readonly known = new Map<string, Answer>();

  async call(action: ApprovedAction, key: string): Promise<Answer | Unknown> {
    this.calls.push(action.permitId);
    if (this.mood === 'silent' || this.mood === 'cannot-tell') throw new Error('no answer');
    const answer = this.known.get(key) ?? this.act(key);
    if (this.mood === 'lands-silently') throw new Error('no answer');
    return answer;
  }

  async find(key: string): Promise<Found> {
    this.asked++;
    if (this.mood === 'cannot-tell') return { outcome: 'unknown', detail: 'it keeps no list' };
    return this.known.get(key) ?? { outcome: 'absent' };
  }

  private act(key: string): Answer {
    if (this.mood !== 'refuses') this.effects++;
    const answer: Answer =
      this.mood === 'refuses'
        ? { outcome: 'rejected', reason: { code: 'no-such-campaign', detail: 'no such campaign' } }
        : {
            outcome: 'done',
            externalReference: `double/${this.effects}`,
            ...(this.spentMinor !== undefined && { spentMinor: this.spentMinor }),
            before: { bid: 1 },
            after: { bid: 2 },
          };
    this.known.set(key, answer);
    return answer;
  }
}
