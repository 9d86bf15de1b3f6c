import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { Auditing } from './auditor.access.js';

const sha = (token: string) => createHash('sha256').update(token).digest('hex');
const auditors = [
  { sha256: sha('lea-token'), person: 'lea', roles: ['reviewer' as const, 'auditor' as const] },
  { sha256: sha('kim-token'), person: 'kim', roles: ['operator' as const] },
];

test.each([
  ['a token', 'Bearer lea-token', { principal: { name: 'lea', roles: ['reviewer', 'auditor'] } }],
  ['a token that nobody has', 'Bearer lea-tokem', { refusal: { status: 401, title: 'Unknown token' } }],
  ['no header', undefined, { refusal: { status: 401, title: 'No token' } }],
  ['another scheme', 'Basic lea-token', { refusal: { status: 401, title: 'No token' } }],
  ['a digest in place of the token', `Bearer ${sha('lea-token')}`, { refusal: { title: 'Unknown token' } }],
])('%s', (_, authorization, found) => {
  expect(new Auditing({ auditors }).identify({ authorization })).toMatchObject(found);
});
