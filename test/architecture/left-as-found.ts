import { afterAll, expect } from 'vitest';
import { changedSince, processState } from './process-state.js';

// Files share a process (vitest.config.ts). If one leaves fake time behind, another fails, and only in some orders.
const before = processState();
afterAll(() => expect(changedSince(before), 'this file changes its process and does not put it back').toEqual([]));
