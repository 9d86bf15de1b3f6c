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

  const whoami = program.command('whoami').description('whose token you use, and which roles it has');
  explained(whoami, ['whoami', 'whoami --json']);
  acts(whoami, async (s) => {
    const found = await s.console.get<{ person: string; roles: readonly string[] }>('/v1/whoami');
    const { person, roles } = printable(found);
    s.answer(found, `${person}: ${roles.join(', ')}`);
    return undefined;
  });
}

interface SignOutOptions {
  readonly person: string;
  readonly reason: string;
  readonly newAccount?: boolean;
}

export function signOutCommands(program: Command): void {
  const signOut = program
    .command('sign-out')
    .description('end all sessions and one-time links of a person in the console now; tokens stay valid')
    .requiredOption('--person <name>', 'the person to sign out')
    .requiredOption('--reason <text>', 'why; it is kept on the record')
    .option(
      '--new-account',
      'also let another account at the identity provider take the place of the one that this person signs in with',
    );
  explained(
    signOut,
    [
      'sign-out --person max --reason "the laptop was stolen"',
      'sign-out --person lea --new-account --reason "IT replaced the account"',
    ],
    'there is no such person, or you do not have the role',
  );
  acts(signOut, async (s, { person, reason, newAccount }: SignOutOptions) => {
    const done = await s.console.post<{ person: string; sessions: number; links: number; accounts: number }>(
      '/v1/sign-outs',
      { person, reason, ...(newAccount && { newAccount }) },
    );
    const { sessions, links, accounts } = done;
    const account =
      accounts > 0
        ? `The next account at the identity provider that signs in as ${person} is theirs.`
        : 'No account at an identity provider was bound to this name.';
    s.answer(
      done,
      `${person} is signed out: ${counted(sessions, 'session')} ended, ${counted(links, 'link')} revoked. ${newAccount ? `${account} ` : ''}A token or the identity provider can still let this person in. To prevent this, remove the person there too.`,
    );
    return true;
  });
}

const counted = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;
