import type { TestProject } from 'vitest/node';
import { offer } from '../flows/offer.js';
import { startPlayed } from '../flows/played.js';

/** One installation for all files of a run, with the sample played, so that every page has something to show. */
export const setup = (project: TestProject): Promise<() => Promise<void>> => offer(project, startPlayed);
