import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { kafkajs } from './index.js';
import { noLeaderYet } from './no-leader.js';

const { createErrorFromCode } = createRequire(import.meta.url)('kafkajs/src/protocol/error.js') as {
  createErrorFromCode(code: number): Error;
};
const notLeader = createErrorFromCode(6);
const notPermitted = createErrorFromCode(29);
const refused = new kafkajs.KafkaJSConnectionError('Connection error: connect ECONNREFUSED');
const after = (error: Error) => new kafkajs.KafkaJSNumberOfRetriesExceeded(error, { retryCount: 5, retryTime: 400 });

test.each<[string, unknown, boolean]>([
  ['not the leader', notLeader, true],
  ['not the leader, after all retries of kafkajs', after(notLeader), true],
  ['no right', notPermitted, false],
  ['no right, after all retries of kafkajs', after(notPermitted), false],
  ['nobody answers, after all retries of kafkajs', after(refused), false],
  ['an error of ours', new Error('not the leader'), false],
])('%s', (_what, error, again) => {
  expect(noLeaderYet(error)).toBe(again);
});
