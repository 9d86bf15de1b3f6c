import { acts, explained } from '@countersign/client';
import { Misused } from '@countersign/client/core';
import type { Command } from 'commander';
import { allProved, provenText, unprovenPart } from '../../core/proof.js';
import { eventData, factsText, traceIdIn } from '../../core/step-facts.js';
import { type StoriesList, type StorySteps, stepsText, storiesText } from '../../core/stories-text.js';
import { eventOf, proofOf, recordKeyOf } from '../proofs.js';

interface StoryOptions {
  readonly search?: string;
  readonly outcome?: string;
  readonly agent?: string;
  readonly play?: string;
  readonly account?: string;
  readonly before?: string;
  readonly limit: string;
  readonly facts?: boolean;
  readonly prove?: boolean;
  readonly key?: string;
}

const filters = ['search', 'outcome', 'agent', 'play', 'account', 'before'] as const;

export function storyCommands(program: Command): void {
  const stories = program
    .command('stories')
    .argument('[id]', 'of one story: any id of its chain')
    .description('what happened to proposals, newest first, as the console knows it; with an id, step by step')
    .option('--search <name>', 'an id or its first characters, an account, a contact, a campaign')
    .option('--outcome <outcome>', 'refused, escalated, executed, failed …')
    .option('--agent <name>', 'of one agent')
    .option('--play <id>', 'of one play')
    .option('--account <id>', 'of one account')
    .option('--before <cursor>', 'older ones; the cursor is printed below the list')
    .option('--limit <n>', 'how many, at most 500', '20')
    .option(
      '--facts',
      'with an id: the rules of each verdict, what the agent wrote, every fact and the trace of each step',
    )
    .option('--prove', 'with an id: check here that the signed record holds each step, byte by byte')
    .option('--key <verifier key>', 'with --prove: the key that must have signed; default: the key in run.json');
  explained(
    stories,
    [
      'stories --outcome refused',
      'stories --search lumen-health',
      'stories 3f2a6c1e-…',
      'stories 3f2a6c1e-… --facts',
      'stories 3f2a6c1e-… --prove',
    ],
    'nothing has this id, or not every step is proved',
  );
  acts(stories, async (s, id: string | undefined, options: StoryOptions) => {
    if (options.facts && options.prove)
      throw new Misused('--facts and --prove answer different questions: give one of them');
    if (options.facts && id === undefined)
      throw new Misused('--facts needs the id of a story: countersign stories <id> --facts');
    if (options.prove && id === undefined)
      throw new Misused('--prove needs the id of a story: countersign stories <id> --prove');
    if (options.key !== undefined && !options.prove) throw new Misused('--key works only with --prove');
    if (id !== undefined) {
      const given = filters.find((name) => options[name] !== undefined);
      if (given !== undefined) throw new Misused(`--${given} works only for the list, without an id`);
      const found = await s.console.get<StorySteps>(`/v1/stories/${encodeURIComponent(id)}`);
      if (options.facts) {
        const events: unknown[] = [];
        const traceIds: (string | undefined)[] = [];
        for (const step of found.steps) {
          const event = await eventOf(s, step);
          events.push(event && eventData(event));
          traceIds.push(event && traceIdIn(event));
        }
        s.answer(
          {
            ...found,
            events: events.map((event) => event ?? null),
            traceIds: traceIds.map((traceId) => traceId ?? null),
          },
          factsText(s.paint, found, events, traceIds),
        );
        return undefined;
      }
      if (!options.prove) {
        s.answer(found, stepsText(s.paint, found));
        return undefined;
      }
      const key = await recordKeyOf(s, options.key);
      const proofs = [];
      for (const step of found.steps) proofs.push(await proofOf(s, step, key));
      const missing = unprovenPart(found);
      s.answer(
        { ...found, proofs, missing: missing ?? null, keyKnownBefore: key.knownBefore },
        provenText(s.paint, found, proofs, key.knownBefore),
      );
      return missing === undefined && allProved(proofs);
    }
    const asked = new URLSearchParams({ limit: options.limit });
    for (const name of filters) {
      const value = options[name];
      if (value !== undefined) asked.set(name, value);
    }
    const found = await s.console.get<StoriesList>(`/v1/stories?${asked}`);
    s.answer(found, storiesText(s.paint, found));
    return undefined;
  });
}
