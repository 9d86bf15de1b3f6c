import { expect, test } from 'vitest';
import { serviceWords } from './services.js';

test('a service has plain words, and an agent and what runs elsewhere have their names', () => {
  expect(serviceWords('guardrail-validator')).toBe('the guardrails');
  expect(serviceWords('paid-media-agent')).toBe('paid-media-agent');
  expect(serviceWords('constructor')).toBe('constructor');
});
