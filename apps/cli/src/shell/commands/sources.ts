import { acts, explained } from '@countersign/client';
import type { Command } from 'commander';
import {
  type PeopleList,
  type PersonActions,
  type PersonPage,
  peopleText,
  personText,
  type RejectedList,
  rejectedText,
  type SourcesList,
  sourcesText,
} from '../../core/sources-text.js';
import { revealCommands } from './reveal.js';

interface Options {
  readonly source?: string;
  readonly code?: string;
  readonly before?: string;
  readonly limit: string;
}

export function sourceCommands(program: Command): void {
  const sources = program
    .command('sources')
    .description('what came from each source of signals, and what was rejected');
  explained(sources, ['sources', 'sources --json'], 'a source is silent, or more of it is rejected than accepted');
  acts(sources, async (s) => {
    const found = await s.console.get<SourcesList>('/v1/sources');
    s.answer(found, sourcesText(s.paint, found));
    return !found.sources.some(({ state }) => state === 'quiet' || state === 'rejected');
  });

  const rejected = program
    .command('signals')
    .description('signals as the console knows them')
    .command('rejected')
    .description('rejected signals of the last 7 days with the reason and what to change, the latest first')
    .option('--source <name>', 'of one source')
    .option('--code <code>', 'for one reason, such as contract')
    .option('--before <cursor>', 'older ones; the cursor is printed below the list')
    .option('--limit <n>', 'how many', '20');
  explained(rejected, ['signals rejected', 'signals rejected --source crm --code contract'], 'there are some');
  acts(rejected, async (s, { source, code, before, limit }: Options) => {
    const asked = new URLSearchParams({
      limit,
      ...(source !== undefined && { source }),
      ...(code !== undefined && { code }),
      ...(before !== undefined && { cursor: before }),
    });
    const found = await s.console.get<RejectedList>(`/v1/signals/rejected?${asked}`);
    s.answer(found, rejectedText(s.paint, found));
    return found.rejected.length === 0;
  });

  const people = program
    .command('people')
    .argument('[account]', 'an account’s id or the beginning of its name, or a role such as CFO')
    .description(
      'people by account or role, without names; with --contact one person, their consents and what touched them',
    )
    .option('--contact <id>', 'one person, by the id of the contact')
    .option('--before <cursor>', 'more of the list; the cursor is printed below it')
    .option('--limit <n>', 'how many, at most 500', '50');
  explained(
    people,
    ['people', 'people "Lumen"', 'people "CFO of Lumen"', 'people --contact 57a6d963-…'],
    'there is no such person',
  );
  revealCommands(people);
  acts(
    people,
    async (s, account: string | undefined, options: Pick<Options, 'before' | 'limit'> & { contact?: string }) => {
      const { contact, before, limit } = options;
      const paging = { limit, ...(before !== undefined && { cursor: before }) };
      if (contact === undefined) {
        const asked = new URLSearchParams({ ...paging, ...(account !== undefined && { account }) });
        const found = await s.console.get<PeopleList>(`/v1/people?${asked}`);
        s.answer(found, peopleText(s.paint, found));
        return found.people.length > 0;
      }
      const path = `/v1/people/${encodeURIComponent(contact)}`;
      const person = await s.console.get<PersonPage>(path);
      const touched = await s.console.get<PersonActions>(`${path}/actions?${new URLSearchParams(paging)}`);
      s.answer({ ...person, ...touched }, personText(s.paint, person, touched));
      return undefined;
    },
  );
}
