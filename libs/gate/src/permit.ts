import { sign, verify } from 'node:crypto';
import { canonical, money, PermitClaims, parseExact } from '@countersign/contracts';
import type { Judgement } from './judge.js';
import type { SigningKey, VerifyKeys } from './keys.js';

/** The `typ` of every permit (RFC 8725 §3.11), so that no other token can be used as one. */
export const PERMIT_TYPE = 'countersign-permit+jwt';

/**
 * Signs an approval: a compact JWS (RFC 7515, Ed25519) over the RFC 8785 form of the claims. The same judgement and key give the
 * same bytes. Throws for a judgement that is not approved, or that is from shadow mode: those have no permit.
 */
export function seal(judgement: Judgement, key: SigningKey): string {
  const { claims } = judgement;
  if (!claims || judgement.verdict.outcome !== 'approved' || claims.tier === 'shadow') {
    throw new TypeError(`only an approval is sealed, not ${judgement.verdict.outcome}`);
  }
  const header = canonical({ alg: 'EdDSA', kid: key.kid, typ: PERMIT_TYPE });
  const signed = `${encode(header)}.${encode(canonical(claims))}`;
  return `${signed}.${sign(null, Buffer.from(signed), key.key).toString('base64url')}`;
}

const encode = (text: string): string => Buffer.from(text).toString('base64url');

/** Why a JWS is not a permit. Each reason has its own code, so that counters and alarms can separate them. */
export type PermitFault =
  | 'malformed'
  | 'key-in-header'
  | 'algorithm'
  | 'type'
  | 'header-member'
  | 'unknown-key'
  | 'signature'
  | 'audience-several'
  | 'claim'
  | 'shadow';

export type PermitRead =
  | { readonly ok: true; readonly claims: PermitClaims; readonly kid: string }
  | { readonly ok: false; readonly code: PermitFault; readonly detail: string };

/** The end of the year 9999. */
const lastSecond = 253_402_300_799;

const keysInHeader = ['jwk', 'jku', 'x5u', 'x5c', 'x5t', 'x5t#S256'];

/** Verifies a permit's form, signature and claims. It does not check the time, the audience, the state or the event around it. */
export function readPermit(jws: string, keys: VerifyKeys): PermitRead {
  const no = (code: PermitFault, detail: string): PermitRead => ({ ok: false, code, detail });
  const segments = jws.split('.');
  const [headerText, payloadText, signatureText] = segments;
  if (segments.length !== 3 || !headerText || !payloadText || signatureText === undefined) {
    return no('malformed', 'not three segments joined by dots');
  }
  const header = jsonOf(headerText);
  if (!isObject(header)) return no('malformed', 'the header is no base64url of a JSON object');
  const carried = keysInHeader.find((name) => Object.hasOwn(header, name));
  if (carried) return no('key-in-header', `the header carries "${carried}": keys come from the configuration only`);
  if (header.alg !== 'EdDSA') return no('algorithm', `algorithm ${quoted(header.alg)}: only "EdDSA" is accepted`);
  if (header.typ !== PERMIT_TYPE) return no('type', `type ${quoted(header.typ)}: only "${PERMIT_TYPE}" is a permit`);
  const other = Object.keys(header).find((name) => !['alg', 'kid', 'typ'].includes(name));
  if (other !== undefined)
    return no('header-member', `the header has a member that is not understood: ${quoted(other)}`);
  const key = typeof header.kid === 'string' ? keys.get(header.kid) : undefined;
  if (!key) return no('unknown-key', `no key ${quoted(header.kid)} is configured`);
  const signature = bytesOf(signatureText);
  if (!signature) return no('malformed', 'the signature is not base64url');
  if (signature.length !== 64 || !verify(null, Buffer.from(`${headerText}.${payloadText}`), key, signature)) {
    return no('signature', 'the signature is not of this permit by this key');
  }
  const payload = jsonOf(payloadText);
  if (!isObject(payload)) return no('malformed', 'the payload is no base64url of a JSON object');
  if (Array.isArray(payload.aud)) return no('audience-several', 'a permit has exactly one audience');
  const claims = PermitClaims.safeParse(payload);
  if (!claims.success) {
    const issue = claims.error.issues[0];
    const name = issue?.path.join('.') || 'claims';
    const missing = issue?.path[0] !== undefined && !Object.hasOwn(payload, String(issue.path[0]));
    return no(
      'claim',
      missing ? `the claim "${name}" is missing` : `the claim "${name}": ${issue?.message ?? 'invalid'}`,
    );
  }
  if (claims.data.tier === 'shadow') return no('shadow', 'what is in shadow has no permit');
  const late = (['iat', 'nbf', 'exp'] as const).find((n) => !(claims.data[n] >= 0 && claims.data[n] <= lastSecond));
  if (late) return no('claim', `the claim "${late}": no time that a calendar knows`);
  if (claims.data.exp <= claims.data.nbf) return no('claim', 'the claim "exp": not after "nbf"');
  return { ok: true, claims: claims.data, kid: String(header.kid) };
}

/** The claims as they are written, unverified: only to know which rows to load before `open` decides. */
export function claimsUnverified(jws: string): PermitClaims | undefined {
  const payload = jsonOf(jws.split('.')[1] ?? '');
  const claims = PermitClaims.safeParse(payload);
  return claims.success ? claims.data : undefined;
}

/** Strict base64url. A second spelling of the same bytes is refused, so that no byte of a permit can be changed. */
function bytesOf(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

function jsonOf(segment: string): unknown {
  const bytes = bytesOf(segment);
  if (!bytes) return undefined;
  try {
    return parseExact(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const quoted = (value: unknown): string => (JSON.stringify(value) ?? 'absent').slice(0, 80);

export interface PermitExplained {
  readonly ok: boolean;
  readonly claims?: PermitClaims;
  readonly code?: PermitFault;
  /** The answers for a person, one sentence each. */
  readonly lines: readonly string[];
}

/** Checks a permit by hand: signature and claims, offline. Whether it would open now also depends on state, see `open`. */
export function verifyPermit(jws: string, keys: VerifyKeys, at?: string): PermitExplained {
  const read = readPermit(jws.trim(), keys);
  if (!read.ok) return { ok: false, code: read.code, lines: [`No permit: ${read.detail} (${read.code}).`] };
  const { claims, kid } = read;
  const time = (seconds: number): string => new Date(seconds * 1000).toISOString();
  const lines = [
    `Valid signature by key ${kid}.`,
    `Permit ${claims.jti} lets ${claims.aud} run action ${claims.sub} (${claims.kind}) once.`,
    `Proposed by ${claims.agent} (${claims.tier}) in play ${claims.play}, proposal ${claims.proposal}.`,
    `The action's digest is ${claims.digest}.`,
    `Signed ${time(claims.iat)}; may run from ${time(claims.nbf)} and before ${time(claims.exp)}.`,
    `Judged under policy version ${claims.policy.version} (${claims.policy.digest}): ${Object.keys(claims.policy.parts).join(', ')}.`,
    claims.reservations.length === 0
      ? 'It holds nothing under a limit.'
      : `It holds ${claims.reservations.map((r) => `${r.currency ? money(r.amount, r.currency) : r.amount} of ${r.ledger}`).join(', ')}.`,
    `It dies with a change of ${Object.entries(claims.epochs)
      .map(([scope, version]) => `${scope} (at version ${version})`)
      .join(', ')}.`,
  ];
  if (at !== undefined) {
    const now = Date.parse(at);
    if (now >= claims.exp * 1000) lines.push(`At ${at} it is expired.`);
    else if (now < claims.nbf * 1000) lines.push(`At ${at} it is early.`);
    else lines.push(`At ${at} it is within its time.`);
  }
  return { ok: true, claims, lines };
}
