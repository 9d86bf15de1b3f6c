import { expect, test } from 'vitest';
import { readSettings } from './settings.js';

test('which people an action concerns is kept for as long as a story, which names them, or the console does not start', () => {
  const daysFrom = (days: string) => readSettings({ PERSON_ACTIONS_DAYS: days }).personActionsDays;
  expect(() => daysFrom('29')).toThrow(/PERSON_ACTIONS_DAYS.*from 30 to 3660/s);
  expect([daysFrom('30'), daysFrom('3660'), readSettings({}).personActionsDays]).toEqual([30, 3_660, 365]);
});

test('what people asked for is kept for as long as its topic at least, or the console does not start', () => {
  const daysFrom = (days: string) => readSettings({ REQUESTS_DAYS: days }).requestsDays;
  expect(() => daysFrom('29')).toThrow(/REQUESTS_DAYS.*from 30 to 3660/s);
  expect([daysFrom('30'), daysFrom('3660'), readSettings({}).requestsDays]).toEqual([30, 3_660, 400]);
});
