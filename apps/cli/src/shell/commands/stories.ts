import { acts, explained } from '@countersign/client';
import type { Command } from 'commander';
import { type StoriesList, type StorySteps, stepsText, storiesText } from '../../core/stories-text.js';

interface StoryOptions {
  readonly search?: string;
  readonly outcome?: string;
  readonly agent?: string;
  readonly play?: string;
  readonly account?: string;
  readonly limit: string;
}

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
    .option('--limit <n>', 'how many, at most 500', '20');
  explained(
    stories,
    ['stories --outcome refused', 'stories --search lumen-health', 'stories 3f2a6c1e-…'],
    'nothing has this id',
  );
  acts(stories, async (s, id: string | undefined, options: StoryOptions) => {
    if (id !== undefined) {
      const found = await s.console.get<StorySteps>(`/v1/stories/${encodeURIComponent(id)}`);
      s.answer(found, stepsText(s.paint, found));
      return undefined;
    }
    const asked = new URLSearchParams({ limit: options.limit });
    for (const name of ['search', 'outcome', 'agent', 'play', 'account'] as const) {
      const value = options[name];
      if (value !== undefined) asked.set(name, value);
    }
    const found = await s.console.get<StoriesList>(`/v1/stories?${asked}`);
    s.answer(found, storiesText(s.paint, found));
    return undefined;
  });
}
