import { createHmac, type KeyObject, sign } from 'node:crypto';
import { type ActionApproved, canonical, derivedId, digestOf, type PermitClaims } from '@countersign/contracts';
import { PERMIT_TYPE, type SigningKey } from '@countersign/gate';
import type { AttemptId } from './plan.js';

/** The bid that only a forged action sets, the bid of the honest twins, and the bid before both. */
export const bids = { before: 100, honest: 111, bad: 999 } as const;

export interface ForgeWith {
  /** A key of the probe itself, which no executor knows. */
  readonly own: SigningKey;
  /** The installation's public key, as anybody may read it. */
  readonly publicKey: KeyObject;
  /** The validator's key, if the probe may read it. */
  readonly validator?: SigningKey;
  readonly at: string;
}

/** A replacement for an approval. The permit may be missing. */
export type Forged = Omit<ActionApproved, 'permit'> & Partial<Pick<ActionApproved, 'permit'>>;

/**
 * What a stranger would make of an approved bid: an approval that must not run. Undefined if it needs the validator's key, or if
 * the attempt forges nothing. Pure: the same approval and keys give the same forgery.
 */
export function forgedBid(id: AttemptId, approval: ActionApproved, using: ForgeWith): Forged | undefined {
  const { own, publicKey, validator, at } = using;
  const claims = claimsIn(approval.permit);
  const kid = headerIn(approval.permit).kid as string;
  const other = rebid(approval, claims, id);
  const honestHeader = { alg: 'EdDSA', kid, typ: PERMIT_TYPE };
  switch (id) {
    case 'forged':
    case 'id-reused':
      return withPermit(other, jws(honestHeader, other.claims, own.key));
    case 'no-permit': {
      const { permit: _left, ...without } = other.approval;
      return without;
    }
    case 'altered-action':
      return { ...approval, action: other.approval.action };
    case 'altered-permit': {
      const signature = approval.permit.split('.')[2] ?? '';
      return withPermit(other, `${unsigned(honestHeader, other.claims)}.${signature}`);
    }
    case 'wrong-key':
      return withPermit(other, jws({ ...honestHeader, kid: own.kid }, other.claims, own.key));
    case 'unsigned':
      return withPermit(other, `${unsigned({ ...honestHeader, alg: 'none' }, other.claims)}.`);
    case 'mac-for-signature': {
      const text = unsigned({ ...honestHeader, alg: 'HS256' }, other.claims);
      const secret = publicKey.export({ format: 'pem', type: 'spki' });
      return withPermit(other, `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`);
    }
    case 'key-in-header':
      return withPermit(other, jws({ ...honestHeader, jwk: own.publicJwk }, other.claims, own.key));
    case 'other-connector':
      return { ...approval, connector: approval.connector === 'crm' ? 'mailer' : 'crm' };
    case 'replayed':
      return approval;
    case 'expired': {
      if (!validator) return undefined;
      const now = Math.floor(Date.parse(at) / 1000);
      const times = { iat: now - 120, nbf: now - 120, exp: now - 60 };
      const late = { ...other.claims, ...times };
      const [notBefore, expiresAt] = [times.nbf, times.exp].map((s) => new Date(s * 1000).toISOString()) as [
        string,
        string,
      ];
      return { ...withPermit(other, jws(honestHeader, late, validator.key)), notBefore, expiresAt };
    }
    case 'other-executor': {
      if (!validator) return undefined;
      const aud = `another-executor/${approval.connector}`;
      return withPermit(other, jws(honestHeader, { ...other.claims, aud }, validator.key));
    }
    default:
      return undefined;
  }
}

interface Rebid {
  readonly approval: ActionApproved;
  readonly claims: PermitClaims;
}

/** The approval as it would be for another bid, under ids of its own, so that nothing of it can pass for the honest one. */
function rebid(approval: ActionApproved, claims: PermitClaims, id: AttemptId): Rebid {
  const actionId = derivedId('probe', id, approval.actionId);
  const permitId = derivedId('probe', id, approval.permitId);
  const action = { ...approval.action, actionId, payload: { ...approval.action.payload, bidMinor: bids.bad } };
  const digest = digestOf(action);
  return {
    approval: { ...approval, action, actionId, permitId, digest },
    claims: { ...claims, jti: permitId, sub: actionId, digest },
  };
}

const withPermit = ({ approval }: Rebid, permit: string): ActionApproved => ({ ...approval, permit });

const encode = (value: unknown): string => Buffer.from(canonical(value)).toString('base64url');
const unsigned = (header: unknown, claims: PermitClaims): string => `${encode(header)}.${encode(claims)}`;
const jws = (header: unknown, claims: PermitClaims, key: KeyObject): string => {
  const text = unsigned(header, claims);
  return `${text}.${sign(null, Buffer.from(text), key).toString('base64url')}`;
};

const decode = (segment: string | undefined): unknown => JSON.parse(Buffer.from(segment ?? '', 'base64url').toString());
const headerIn = (permit: string): Record<string, unknown> => decode(permit.split('.')[0]) as Record<string, unknown>;
const claimsIn = (permit: string): PermitClaims => decode(permit.split('.')[1]) as PermitClaims;
