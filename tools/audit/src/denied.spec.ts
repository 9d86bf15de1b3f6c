import { Failure } from '@countersign/client';
import { expect, test } from 'vitest';
import { throwIfDenied } from './denied.js';

test.each(['28P01', '28000', '42501'])('what the database refuses (%s) ends the audit: nothing was checked', (code) => {
  const check = () => throwIfDenied(Object.assign(new Error('no'), { code }));
  expect(check).toThrow(Failure);
  expect(check).toThrow(code);
});

test.each(['ECONNREFUSED', '57P03', '42P01'])('what is not there (%s) is left out', (code) => {
  expect(() => throwIfDenied(Object.assign(new Error('no'), { code }))).not.toThrow();
});
