import { createHash } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { Auditing } from './auditor.access.js';

const sha = (token: string) => createHash('sha256').update(token).digest('hex');
const auditors = [
  { sha256: sha('lea-token'), person: 'lea', roles: ['reviewer' as const, 'auditor' as const] },
  { sha256: sha('kim-token'), person: 'kim', roles: ['operator' as const] },
];

const route = '/v1/passes/export';
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
  const access = new Auditing({ auditors }, passes);
  expect(await access.identify({ authorization }, { route, ip: '10.0.0.1' })).toMatchObject(found);
});

test.each(['/v1/record/export', '/v1/passesx', undefined])(
  'at %s no token is looked up as a secret of a pass',
  async (route) => {
    const holderOf = vi.fn(passes.holderOf);
    const found = await new Auditing({ auditors }, { holderOf }).identify(
      { authorization: `Bearer ${secret}` },
      { route },
    );
    expect(found).toMatchObject({ refusal: { status: 401, title: 'Unknown token' } });
    expect(holderOf).not.toHaveBeenCalled();
  },
);

test('from one address secrets are looked up at the pace of strangers, and an auditor is still known', async () => {
  vi.spyOn(performance, 'now').mockReturnValue(1);
  const holderOf = vi.fn(passes.holderOf);
  const access = new Auditing({ auditors }, { holderOf });
  const ask = (token: string, ip: string) => access.identify({ authorization: `Bearer ${token}` }, { route, ip });
  for (let n = 0; n < 200; n++) await ask('q'.repeat(43), '10.0.0.1');
  expect(await ask(secret, '10.0.0.1')).toMatchObject({ refusal: { status: 429, retryAfter: 1 } });
  expect(holderOf).toHaveBeenCalledTimes(200);
  expect(await ask('lea-token', '10.0.0.1')).toMatchObject({ principal: { name: 'lea' } });
  expect(await ask(secret, '10.0.0.2')).toMatchObject({ principal: { name: 'max' } });
  vi.restoreAllMocks();
});
