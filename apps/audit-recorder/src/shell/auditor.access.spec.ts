import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { Auditing } from './auditor.access.js';

const sha = (token: string) => createHash('sha256').update(token).digest('hex');
const auditors = [
  { sha256: sha('lea-token'), person: 'lea', roles: ['reviewer' as const, 'auditor' as const] },
  { sha256: sha('kim-token'), person: 'kim', roles: ['operator' as const] },
];

const secret = 'p'.repeat(43);
const passes = { holderOf: async (given: string) => (given === secret ? 'max' : undefined) };

test.each([
  ['a token', 'Bearer lea-token', { principal: { name: 'lea', roles: ['reviewer', 'auditor'] } }],
  ['a token that nobody has', 'Bearer lea-tokem', { refusal: { status: 401, title: 'Unknown token' } }],
  ['the secret of a pass', `Bearer ${secret}`, { principal: { name: 'max', roles: ['pass'] } }],
  ['a secret that no pass has', `Bearer ${'q'.repeat(43)}`, { refusal: { status: 401, title: 'Unknown token' } }],
  ['no header', undefined, { refusal: { status: 401, title: 'No token' } }],
  ['another scheme', 'Basic lea-token', { refusal: { status: 401, title: 'No token' } }],
  ['a digest in place of the token', `Bearer ${sha('lea-token')}`, { refusal: { title: 'Unknown token' } }],
])('%s', async (_, authorization, found) => {
  expect(await new Auditing({ auditors }, passes).identify({ authorization })).toMatchObject(found);
});
