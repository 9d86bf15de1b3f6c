import { expect, test } from 'vitest';
import { z } from 'zod';
import { undocumented } from './documented.js';

const answers = {
  200: z.object({ runs: z.array(z.object({ id: z.uuid(), at: z.iso.datetime() })) }),
  202: { media: 'text/plain' },
};
const run = { id: '0190c0de-4a5b-4c6d-8e7f-0123456789ab', at: '2026-11-21T10:00:00.000Z' };

test.each<[string, number, unknown, RegExp | undefined]>([
  ['what is documented', 200, { runs: [run] }, undefined],
  ['a time as it is sent', 200, { runs: [{ ...run, at: new Date(run.at) }] }, undefined],
  ['another status', 201, { runs: [] }, /201/],
  ['another type', 200, { runs: [{ ...run, id: 7 }] }, /runs\.0\.id/],
  ['a member that is missing', 200, {}, /runs/],
  ['a member more', 200, { runs: [], more: 1 }, /member that is not documented/],
  ['a member more within', 200, { runs: [{ ...run, name: 'Mia' }] }, /member that is not documented/],
  ['a text', 202, 'anything', undefined],
])('an answer is compared with its documentation: %s', (_what, status, answer, wrong) => {
  const found = undocumented(answers, status, answer);
  if (wrong) expect(found).toMatch(wrong);
  else expect(found).toBeUndefined();
});
