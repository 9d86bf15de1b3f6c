import { afterAll, expect } from 'vitest';
import { changedSince, processState } from './process-state.js';

// Files share a process (vitest.config.ts): one that leaves fake time behind would fail another, and only in some orders.
const before = processState();
afterAll(() => expect(changedSince(before), 'this file changes its process and does not put it back').toEqual([]));
