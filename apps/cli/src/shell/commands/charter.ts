import { acts, explained } from '@countersign/client';
import { Misused, printableLines } from '@countersign/client/core';
import type { Command } from 'commander';

interface Charter {
  readonly document: string;
}

export function charterCommands(program: Command): void {
  const charter = program.command('charter').description('what an agent can and cannot do');
  const show = charter
    .command('show')
    .argument('<agent>', 'its name')
    .description(
      'what an agent can and cannot do, in plain words, made from the policy in force at this moment; it names the digest of this policy',
    )
    .option('--markdown', 'as a Markdown document that stands alone')
    .option('--html', 'as an HTML page that stands alone, to read or to print');
  explained(
    show,
    ['charter show paid-media-agent', 'charter show paid-media-agent --html > paid-media-agent.html'],
    'there is no such agent',
  );
  acts(show, async (s, agent: string, { markdown, html }: { markdown?: boolean; html?: boolean }) => {
    if (markdown && html) throw new Misused('give either --markdown or --html');
    const format = html ? 'html' : markdown ? 'markdown' : 'text';
    const found = await s.console.get<Charter>(`/v1/agents/${encodeURIComponent(agent)}/charter?format=${format}`);
    s.answer(found, printableLines(found.document).trimEnd());
    return undefined;
  });
}
