import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { accessOf } from './auditors.js';

const sha = (token: string) => createHash('sha256').update(token).digest('hex');
const auditors = [
  { sha256: sha('lea-token'), person: 'lea', roles: ['reviewer' as const, 'auditor' as const] },
  { sha256: sha('kim-token'), person: 'kim', roles: ['operator' as const] },
];

test.each([
  ['the token of an auditor', 'Bearer lea-token', 'granted'],
  ['the token of somebody who is no auditor', 'Bearer kim-token', 'no-auditor'],
  ['a token that nobody has', 'Bearer lea-tokem', 'unknown-token'],
  ['no header', undefined, 'no-token'],
  ['another scheme', 'Basic lea-token', 'no-token'],
  ['a digest in place of the token', `Bearer ${sha('lea-token')}`, 'unknown-token'],
])('%s', (_, header, access) => {
  expect(accessOf(auditors, header)).toBe(access);
});
