import { acts, explained } from '@countersign/client';
import { printable } from '@countersign/client/core';
import type { Command } from 'commander';

export function signInCommands(program: Command): void {
  const signIn = program
    .command('sign-in')
    .description('make a link that opens the console in a browser; it works once, for ten minutes, with your roles');
  explained(signIn, ['sign-in', 'sign-in --json']);
  acts(signIn, async (s) => {
    const link = await s.console.post<{ url: string; expiresAt: string }>('/v1/sign-in/links', {});
    s.answer(link, `Open the console: ${link.url}\nThe link works once, until ${link.expiresAt}.`);
    return true;
  });

  const whoami = program.command('whoami').description('whose token this is, and which roles it has');
  explained(whoami, ['whoami', 'whoami --json']);
  acts(whoami, async (s) => {
    const found = await s.console.get<{ person: string; roles: readonly string[] }>('/v1/whoami');
    const { person, roles } = printable(found);
    s.answer(found, `${person}: ${roles.join(', ')}`);
    return undefined;
  });
}
