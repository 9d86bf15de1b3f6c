import { setTimeout as sleep } from 'node:timers/promises';
import { acts, explained, Failure, repeated } from '@countersign/client';
import { Misused } from '@countersign/client/core';
import { OpenedReveal, revealFields, revealPurposes } from '@countersign/contracts';
import type { Command } from 'commander';
import { type CryptoKey, compactDecrypt, exportJWK, generateKeyPair } from 'jose';
import { type PersonReveal, type PersonReveals, revealedText, revealsText } from '../../core/reveal-text.js';
import { patient } from '../patience.js';

interface Options {
  readonly field: readonly string[];
  readonly purpose: string;
  readonly note: string;
  readonly wait: string;
}

export function revealCommands(people: Command): void {
  const reveals = people
    .command('reveals')
    .argument('<contact>', 'the id of the contact')
    .description('who asked for the name or the address of one person, for what, and why, the latest first');
  explained(reveals, ['people reveals 57a6d963-…'], 'there is no such person');
  acts(reveals, async (s, contact: string) => {
    // `--before` and `--limit` are options of `people`, which takes them in any position.
    const { before, limit } = people.opts<{ before?: string; limit: string }>();
    const paging = new URLSearchParams({ limit, ...(before !== undefined && { cursor: before }) });
    const found = await s.console.get<PersonReveals>(`/v1/people/${encodeURIComponent(contact)}/reveals?${paging}`);
    s.answer(found, revealsText(s.paint, found));
    return undefined;
  });

  const reveal = people
    .command('reveal')
    .argument('<contact>', 'the id of the contact')
    .description('show the name or the address of one person; the record keeps who asked, for what, and why')
    .requiredOption('--field <field>', `${revealFields.join(', ')}; may be given several times`, repeated)
    .requiredOption('--purpose <purpose>', revealPurposes.join(', '))
    .requiredOption('--note <text>', 'the case, such as the number of the request; no names: it is kept on the record')
    .option('--wait <seconds>', 'how long to wait for the answer, in seconds', '30');
  explained(
    reveal,
    [
      'people reveal 57a6d963-… --field name --purpose access-request --note "request 4711"',
      'people reveal 57a6d963-… --field name --field email --purpose incident --note "mail went to the wrong person"',
    ],
    'there is no such person, nothing is known of them, or you do not have the role',
  );
  acts(reveal, async (s, contact: string, { field, purpose, note, wait }: Options) => {
    const seconds = Number(wait);
    if (!(seconds >= 0)) throw new Misused(`--wait ${wait}: a number of seconds is expected`);
    const fields = field.map((given) => oneOf('--field', given, revealFields));
    // The private key cannot be exported and is lost when the command ends: after that, the answer cannot be opened again.
    const { privateKey, publicKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256' });
    const { revealId } = await s.console.post<{ revealId: string }>(
      `/v1/people/${encodeURIComponent(contact)}/reveals`,
      {
        ...{ fields, purpose: oneOf('--purpose', purpose, revealPurposes), note },
        publicKey: await exportJWK(publicKey),
      },
    );
    const get = () =>
      s.console.get<PersonReveal>(`/v1/people/${encodeURIComponent(contact)}/reveals/${encodeURIComponent(revealId)}`);
    const until = performance.now() + seconds * 1000;
    const look = () => patient(s, until, get);
    let now = await look();
    while (isOpen(now) && performance.now() < until) {
      await sleep(250);
      now = await look();
    }
    if (now.state === 'refused')
      throw new Failure(1, `nothing was revealed: ${now.reason?.detail ?? 'no reason given'}`);
    if (now.jwe === null)
      throw new Failure(
        1,
        `no answer came to ${revealId}: see whether signal-ingestion runs (\`countersign status\`), then ask again`,
      );
    const opened = OpenedReveal.parse(await openedWith(privateKey, now.jwe));
    if (opened.revealId !== revealId || opened.contactId !== contact.toLowerCase())
      throw new Failure(
        1,
        `the answer to ${revealId} belongs to another request, so it is not shown. Tell whoever runs the console`,
      );
    s.answer(opened, revealedText(s.paint, opened));
    return undefined;
  });
}

/** Whether an answer may still come. */
const isOpen = ({ state, jwe }: PersonReveal): boolean => state === 'waiting' || (state === 'sealed' && jwe === null);

async function openedWith(key: CryptoKey, jwe: string): Promise<unknown> {
  const { plaintext } = await compactDecrypt(jwe, key, {
    keyManagementAlgorithms: ['ECDH-ES'],
    contentEncryptionAlgorithms: ['A256GCM'],
  });
  return JSON.parse(new TextDecoder().decode(plaintext));
}

function oneOf<T extends string>(option: string, given: string, known: readonly T[]): T {
  const found = known.find((value) => value === given);
  if (found === undefined) throw new Misused(`${option} ${given}: give ${known.join(', ')}`);
  return found;
}
