import type { RevealRequested } from '@countersign/contracts';
import { describe, expect, test } from 'vitest';
import { endOf, reveal, type Sought, type Standing } from './reveal.js';

const at = '2026-11-21T10:00:00.000Z';
const request: RevealRequested = {
  revealId: '2f6c0a61-9c0e-4b39-8f53-6d6b7d0a9c11',
  contactId: '6cf220c7-9794-40c6-ae57-e29f891b23ff',
  fields: ['name'],
  purpose: 'access-request',
  note: 'request 4711',
  by: 'ann',
  publicKey: { kty: 'EC', crv: 'P-256', x: 'x'.repeat(43), y: 'y'.repeat(43) },
  at,
  expiresAt: '2026-11-21T10:02:00.000Z',
};
const learnt = (value: string) => ({ value, at });
const jane: Sought = {
  points: {
    fields: { firstName: learnt('Jane'), lastName: learnt('Doe'), email: learnt('jane@example.com') },
    accountId: 'acme',
    accountName: 'Acme Inc',
  },
  joinedInto: undefined,
  erased: false,
};
const { revealId, contactId } = request;
const standing: Standing = { at, expiresAt: request.expiresAt, answered: new Set(), left: 1 };

test('tells of a person what was asked for, which request it answers, and nothing else', () => {
  expect(reveal(request, jane, standing)).toEqual({
    ok: true,
    fields: ['name'],
    opened: { revealId, contactId, firstName: 'Jane', lastName: 'Doe' },
  });
});

test('of several fields tells those that are known', () => {
  expect(reveal({ ...request, fields: ['email', 'phone', 'email'] }, jane, standing)).toEqual({
    ok: true,
    fields: ['email'],
    opened: { revealId, contactId, email: 'jane@example.com' },
  });
});

describe('tells nothing', () => {
  const mildred = { ...jane, joinedInto: '0d4b5bd4-6a55-4f1f-8a3c-4d2b57a7c0de' };
  const rows: readonly [string, Partial<RevealRequested>, Sought, Partial<Standing>, string][] = [
    ['of a person without a name or an address', {}, { ...jane, points: undefined }, {}, 'not-known'],
    ['where no field that was asked for is known', { fields: ['phone'] }, jane, {}, 'not-known'],
    ['of a person whose data was erased, even where it still is', {}, { ...jane, erased: true }, {}, 'erased'],
    ['of a contact that is another one by now', {}, mildred, {}, 'joined'],
    ['once nobody waits any more', {}, jane, { expiresAt: '2026-11-21T09:59:59.999Z' }, 'expired'],
    ['to a request of which nobody knows how old it is', {}, jane, { expiresAt: undefined }, 'expired'],
    ['a second time under the id of a request', {}, jane, { answered: new Set([revealId]), left: 9 }, 'repeated'],
    ['beyond what may be told within an hour', {}, jane, { left: 0 }, 'too-many'],
  ];
  test.each(rows)('%s', (_, more, sought, at, code) => {
    expect(reveal({ ...request, ...more }, sought, { ...standing, ...at })).toMatchObject({
      ok: false,
      reason: { code },
    });
  });

  test('and no reason has anything of the person in it', () => {
    for (const [, more, sought, at] of rows)
      expect(JSON.stringify(reveal({ ...request, ...more }, sought, { ...standing, ...at }))).not.toMatch(
        /Jane|Doe|example/,
      );
  });
});

test('a request is answered until it says, but no longer than two minutes after the broker took it', () => {
  expect(endOf({ expiresAt: '2026-11-21T10:01:00.000Z' }, at)).toBe('2026-11-21T10:01:00.000Z');
  expect(endOf({ expiresAt: '2099-01-01T00:00:00.000Z' }, at)).toBe('2026-11-21T10:02:00.000Z');
  expect(endOf({ expiresAt: '2026-11-21T10:02:00.000Z' }, undefined)).toBeUndefined();
});
