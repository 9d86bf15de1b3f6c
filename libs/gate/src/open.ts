import {
  type Action,
  ActionApproved,
  canonical,
  digestOf,
  own,
  type PermitClaims,
  partDigest,
  plainText,
} from '@countersign/contracts';
import { consentIn } from './consent.js';
import type { ConsentFact, ControlFact } from './facts.js';
import type { VerifyKeys } from './keys.js';
import { claimsUnverified, type PermitFault, readPermit } from './permit.js';
import { controlScopes, type Subject, subjectOf } from './subject.js';

/**
 * How far an executor's clock may be behind the validator's, in seconds. A permit that is signed further in the future waits,
 * because with such a clock no expiry can be trusted. Not-before and expiry themselves have no tolerance.
 */
export const CLOCK_TOLERANCE_SECONDS = 5;

/**
 * State that was not compared with the end of its topic for longer than this counts as unknown. Actions that depend on it wait.
 */
export const STATE_MAX_AGE_SECONDS = 10;

/**
 * Whether state of this age, in milliseconds, is too old to judge or run anything. State that was never compared is too old. So
 * is an impossible age: a negative one comes from a clock that was set back.
 */
export const isStale = (ageMs: number | null): boolean =>
  !(ageMs !== null && ageMs >= 0 && ageMs <= STATE_MAX_AGE_SECONDS * 1000);

declare const brand: unique symbol;

/**
 * An action that may run now, once. Only `open` makes one: the type cannot be written by hand, and `isApproved` knows the values
 * that `open` made. Frozen.
 */
export interface ApprovedAction {
  readonly [brand]: 'ApprovedAction';
  readonly permitId: string;
  readonly action: Action;
  readonly claims: PermitClaims;
  readonly executor: string;
  readonly connector: string;
  readonly expiresAt: string;
}

/**
 * What an executor knows, read `FOR SHARE` in the transaction that uses up the permit. What is not on record has version 0 or is
 * absent.
 */
export interface GateState {
  /** By scope. */
  readonly controls: Readonly<Record<string, Pick<ControlFact, 'version' | 'state'> & Partial<ControlFact>>>;
  /** By contact. */
  readonly consents: Readonly<Record<string, ConsentFact>>;
  readonly policy: { readonly version: number; readonly parts: Readonly<Record<string, string>> } | null;
  /**
   * How many milliseconds ago each topic was last found read to its end, measured when this value is passed. Null: never since
   * the start. The clock is one that nobody sets (`performance.now()`), because the difference of two times of day is no age.
   */
  readonly ageMs: {
    readonly controls: number | null;
    readonly consents: number | null;
    readonly policies: number | null;
  };
}

export interface OpenWith {
  readonly keys: VerifyKeys;
  /** `<executor>/<connector>`: the pairs that this executor runs. */
  readonly audience: string | readonly string[];
  /** The time now, RFC 3339. */
  readonly at: string;
  readonly state: GateState;
  /** Whether another intent holds this permit's single-use row. */
  readonly spent: boolean;
}

export type RefusalCode =
  | PermitFault
  | 'unknown-kind'
  | 'payload'
  | 'audience'
  | 'digest'
  | 'event-differs'
  | 'epoch-missing'
  | 'spent'
  | 'expired'
  | 'stopped'
  | 'control-changed'
  | 'consent-changed'
  | 'consent-absent'
  | 'policy-changed'
  | 'quiet-hours';

export interface Refusal {
  readonly kind: 'refused';
  readonly code: RefusalCode;
  readonly detail: string;
  /**
   * How the permit ends, with its single-use row. Null: nothing is settled and the refusal is only recorded, because the permit
   * is not verified, is for another executor, or has ended already.
   */
  readonly settles: 'refused' | 'expired' | null;
}

/**
 * Not now: try again at `until`. If `until` is null, try again soon, when the state has changed. A permit that waits until its
 * expiry has expired.
 */
export interface Wait {
  readonly kind: 'wait';
  readonly code: 'clock' | 'early' | 'state-behind' | 'state-stale';
  readonly detail: string;
  readonly until: string | null;
}

export type Opened =
  | { readonly ok: true; readonly action: ApprovedAction }
  | { readonly ok: false; readonly refusal: Refusal | Wait };

const made = new WeakSet<object>();

/** Whether `open` made this value, in this process. */
export const isApproved = (value: unknown): value is ApprovedAction =>
  typeof value === 'object' && value !== null && made.has(value);

/**
 * Opens the permit of an `ActionApproved` event. It checks in this order, each with its own code: form, header, key, signature,
 * claims, audience, the action's kind and payload, its digest, the event's fields against the claims, single use, clock, expiry,
 * not-before, quiet hours, controls, consents, policy, age of the state. Never throws.
 */
export function open(event: unknown, { keys, audience, at, state, spent }: OpenWith): Opened {
  const parsed = ActionApproved.safeParse(event);
  if (!parsed.success) {
    const permit = typeof event === 'object' && event !== null ? (event as { permit?: unknown }).permit : undefined;
    const issue = parsed.error.issues[0];
    return typeof permit === 'string'
      ? no('malformed', `no ActionApproved: ${issue?.path.join('.')}: ${issue?.message}`, null)
      : no('malformed', 'there is no permit', null);
  }
  const approved = parsed.data;
  if (!hasForm(approved)) return no('malformed', 'a text in it is not well-formed Unicode', null);
  const read = readPermit(approved.permit, keys);
  if (!read.ok) return no(read.code, read.detail, null);
  const { claims } = read;

  const own = typeof audience === 'string' ? [audience] : audience;
  if (!own.includes(claims.aud)) return no('audience', `it is for ${claims.aud}, not for ${own.join(' or ')}`, null);

  const subject = subjectOf(approved.action);
  if (!subject.ok) return no(subject.fault.code as 'unknown-kind' | 'payload', subject.fault.detail, null);
  const digest = digestOf(approved.action);
  if (digest !== claims.digest) {
    return no('digest', `the action's digest is ${digest}, the permit is for ${claims.digest}`, null);
  }
  const differs = differing(approved, claims);
  if (differs) return no('event-differs', `${differs} is not what the permit says`, null);
  const missing = epochsOf(approved, subject.subject).find((scope) => !Object.hasOwn(claims.epochs, scope));
  if (missing) return no('epoch-missing', `the permit says no version of ${missing}`, null);

  if (spent) return no('spent', `permit ${claims.jti} was used before`, null);
  if (claims.iat * 1000 > Date.parse(at) + CLOCK_TOLERANCE_SECONDS * 1000) {
    const detail = `signed at ${instant(claims.iat)}, here it is ${at}: this clock is behind`;
    return { ok: false, refusal: wait('clock', detail, instant(claims.iat - CLOCK_TOLERANCE_SECONDS)) };
  }
  const stopped = current(claims, subject.subject, at, state);
  if (stopped) return { ok: false, refusal: stopped };

  const { executor, connector, expiresAt, action } = approved;
  const opened = deepFreeze({ permitId: claims.jti, action, claims, executor, connector, expiresAt });
  made.add(opened);
  return { ok: true, action: opened as unknown as ApprovedAction };
}

/**
 * Compares again before every call that carries the action out, the first and each repetition: expiry, controls, consents and the
 * current policy. Throws TypeError for a value that `open` did not make. After a restart, open the stored event again.
 */
export function recheck(
  approved: ApprovedAction,
  { at, state }: Pick<OpenWith, 'at' | 'state'>,
): { readonly ok: true } | { readonly ok: false; readonly refusal: Refusal | Wait } {
  if (!isApproved(approved)) throw new TypeError('not an action that open() approved');
  const subject = subjectOf(approved.action);
  if (!subject.ok) throw new TypeError('an approved action that the catalogue does not know');
  const refusal = current(approved.claims, subject.subject, at, state);
  return refusal ? { ok: false, refusal } : { ok: true };
}

/** The rows that a permit is compared with. */
export interface Compared {
  readonly permitId: string | undefined;
  /** Scopes. */
  readonly controls: readonly string[];
  /** Contacts. */
  readonly consents: readonly string[];
}

/**
 * The rows that `open` compares. Read them before it, `FOR SHARE`, in the transaction that uses up the permit. The event need not
 * be trusted.
 */
export function comparedBy(event: unknown): Compared {
  const permit = typeof event === 'object' && event !== null ? (event as { permit?: unknown }).permit : undefined;
  return comparedOf(typeof permit === 'string' ? claimsUnverified(permit) : undefined);
}

/** The rows that `recheck` compares for a value that `open` made. */
export const comparedAgain = ({ claims }: ApprovedAction): Compared => comparedOf(claims);

function comparedOf(claims: PermitClaims | undefined): Compared {
  const named = (prefix: string): string[] =>
    Object.keys(claims?.epochs ?? {})
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length))
      .filter(isKey)
      .sort();
  return { permitId: claims?.jti, controls: named('control:'), consents: named('consent:') };
}

/** Whether a row can have this key. An unsigned event may name anything, and some keys would make the statement fail. */
const isKey = (key: string): boolean => key.length <= 500 && !key.includes('\0');

/**
 * Everything that can change after the signature: the time, and the state against the permit's versions. Undefined: the action
 * may run.
 */
function current(claims: PermitClaims, subject: Subject, at: string, state: GateState): Refusal | Wait | undefined {
  const now = Date.parse(at);
  const stale = staleness(state);
  if (!(now < claims.exp * 1000)) {
    const reason = stale ? `; until then it waited: ${stale}` : '';
    return refusal('expired', `it expired at ${instant(claims.exp)}, here it is ${at}${reason}`, 'expired');
  }
  if (now < claims.nbf * 1000) {
    return wait('early', `it may not run before ${instant(claims.nbf)}`, instant(claims.nbf));
  }
  if (claims.open && !claims.open.some(({ from, to }) => now >= from * 1000 && now < to * 1000)) {
    const times = claims.open.map(({ from, to }) => `${instant(from)} to ${instant(to)}`).join(', ');
    return refusal('quiet-hours', `at ${at} it is quiet for a recipient: the permit is for ${times}; propose it anew`);
  }
  let behind: Wait | undefined;
  for (const [epoch, signed] of Object.entries(claims.epochs).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const found = compared(epoch, signed, subject, state);
    // A refusal counts more than a wait: no later state can undo a stop or a withdrawal.
    if (found?.kind === 'refused') return found;
    behind ??= found;
  }
  const policy = comparedPolicy(claims, state);
  if (policy?.kind === 'refused') return policy;
  return stale === undefined ? (policy ?? behind) : wait('state-stale', stale, null);
}

/** The topics whose state is unknown, and for how long; undefined if all are known. */
function staleness({ ageMs }: GateState): string | undefined {
  const topic = (['controls', 'consents', 'policies'] as const).find((topic) => isStale(ageMs[topic]));
  if (topic === undefined) return undefined;
  const age = ageMs[topic];
  const last = age === null ? 'never' : `${age / 1000} s ago`;
  return `${topic} were last found read to the end of their topic ${last}, at most ${STATE_MAX_AGE_SECONDS} s are allowed`;
}

function compared(epoch: string, signed: number, subject: Subject, state: GateState): Refusal | Wait | undefined {
  const key = epoch.slice(epoch.indexOf(':') + 1);
  if (epoch.startsWith('control:')) {
    const control = own(state.controls, key);
    const version = control?.version ?? 0;
    if (control?.state === 'stopped') {
      const by = control.by ? ` by ${control.by}` : '';
      const reason = control.reason ? `: ${control.reason}` : '';
      return refusal('stopped', `stopped: ${key}${by}${reason}`);
    }
    if (version > signed) {
      return refusal(
        'control-changed',
        `${key} was stopped and resumed since: version ${version}, signed at ${signed}`,
      );
    }
    return version < signed ? behind(epoch, version, signed) : undefined;
  }
  if (!epoch.startsWith('consent:')) return refusal('claim', `the epoch ${epoch} is not understood`);
  const consent = own(state.consents, key);
  const version = consent?.version ?? 0;
  if (version > signed) {
    return refusal('consent-changed', `consent of contact ${key} changed: version ${version}, signed at ${signed}`);
  }
  if (version < signed) return behind(epoch, version, signed);
  if (!subject.consent || !subject.recipients.includes(key)) return undefined;
  // The person whose approval the permit depends on has answered a dispute. Otherwise only a grant may run.
  const { status } = consentIn(consent, subject.consent);
  return status === 'granted' || status === 'disputed'
    ? undefined
    : refusal(
        'consent-absent',
        `contact ${key}: ${status} for ${subject.consent.purpose} by ${subject.consent.channel}`,
      );
}

function comparedPolicy(claims: PermitClaims, { policy }: GateState): Refusal | Wait | undefined {
  const version = policy?.version ?? 0;
  if (!policy || version < claims.policy.version) return behind('policy:main', version, claims.policy.version);
  const changed = Object.entries(claims.policy.parts)
    .filter(([name, digest]) => partDigest(policy.parts, name) !== digest)
    .map(([name]) => name);
  return changed.length > 0
    ? refusal(
        'policy-changed',
        `${changed.join(', ')} changed: policy ${version}, signed under ${claims.policy.version}`,
      )
    : undefined;
}

const behind = (subject: string, version: number, signed: number): Wait =>
  wait('state-behind', `${subject} is at version ${version} here, the permit was signed under ${signed}`, null);

function epochsOf(approved: ActionApproved, subject: Subject): string[] {
  const scopes = controlScopes(approved.agent, approved.play.id, approved.action, subject);
  return [...scopes.map((s) => `control:${s}`), ...subject.recipients.map((c) => `consent:${c}`)];
}

/** The first field of the event that differs from the permit. */
function differing(approved: ActionApproved, claims: PermitClaims): string | undefined {
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['permitId', approved.permitId, claims.jti],
    ['proposalId', approved.proposalId, claims.proposal],
    ['actionId', approved.actionId, claims.sub],
    ['action.actionId', approved.action.actionId, claims.sub],
    ['action.kind', approved.action.kind, claims.kind],
    ['agent', approved.agent, claims.agent],
    ['play.id', approved.play.id, claims.play],
    ['digest', approved.digest, claims.digest],
    ['executor and connector', `${approved.executor}/${approved.connector}`, claims.aud],
    ['notBefore', approved.notBefore, instant(claims.nbf)],
    ['expiresAt', approved.expiresAt, instant(claims.exp)],
    ['reservations', canonical(approved.reservations), canonical(claims.reservations)],
  ];
  return pairs.find(([, event, permit]) => event !== permit)?.[0];
}

/** Whether the value has an RFC 8785 form. Without one it cannot be compared. */
function hasForm(value: unknown): boolean {
  try {
    canonical(value);
    return true;
  } catch {
    return false;
  }
}

const instant = (seconds: number): string => new Date(seconds * 1000).toISOString();

const refusal = (code: RefusalCode, detail: string, settles: Refusal['settles'] = 'refused'): Refusal => ({
  kind: 'refused',
  code,
  detail: plainText(detail, 1000),
  settles,
});

const wait = (code: Wait['code'], detail: string, until: string | null): Wait => ({
  kind: 'wait',
  code,
  detail,
  until,
});

const no = (code: RefusalCode, detail: string, settles: Refusal['settles']): Opened => ({
  ok: false,
  refusal: refusal(code, detail, settles),
});

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}
