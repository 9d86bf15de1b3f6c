import { expect, test } from 'vitest';
import { createTopics } from './create-topics.js';

/** An admin whose broker answers these one after the other when it is asked for metadata. */
function admin(...answers: readonly (string | undefined)[]) {
  const asked: unknown[] = [];
  return {
    asked,
    createTopics: async (request: unknown) => asked.push(request) > 0,
    fetchTopicMetadata: async () => {
      const type = answers[asked.length - 1];
      asked.push(type);
      if (type !== undefined) throw Object.assign(new Error(type), { type });
      return { topics: [] };
    },
  };
}

test('topics that the broker does not know yet, or that have no leader yet, are waited for', async () => {
  const slow = admin('UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE', undefined);
  await createTopics(slow, [{ topic: 'events' }]);
  expect(slow.asked).toEqual([
    { topics: [{ topic: 'events' }], waitForLeaders: false },
    'UNKNOWN_TOPIC_OR_PARTITION',
    'LEADER_NOT_AVAILABLE',
    undefined,
  ]);
});

test('what the broker refuses is thrown at once', async () => {
  const denied = admin('TOPIC_AUTHORIZATION_FAILED', undefined);
  await expect(createTopics(denied, [{ topic: 'events' }])).rejects.toThrow('TOPIC_AUTHORIZATION_FAILED');
  expect(denied.asked).toHaveLength(2);
});
