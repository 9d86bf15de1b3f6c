import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from '@countersign/servers';
import { type Page } from 'playwright-core';
import { installedIn } from '../flows/offer.js';
import { startPlayed } from '../flows/played.js';
import { startChromium } from './chromium.js';
import { settled } from './looks.js';
import { come, consoleUrl, type Screen, signedIn } from './person.js';

/* `npm run screenshots`: the pictures of README and docs, from an installation that has played the sample. */

const folder = join(workspaceRoot, 'docs/screenshots');
const mostBytes = 150_000;

const desk = ['now', 'reviews', 'review', 'story', 'agents', 'plays', 'policy', 'sources'] as const;
