import { acts, explained } from '@countersign/client';
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
}
