import fs, { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  acts,
  brokerOf,
  codeOf,
  explained,
  Failure,
  publishedCheckpoints,
  repeated,
  type Session,
} from '@countersign/client';
import { localClock, Misused, printable, type Story } from '@countersign/client/core';
import { auditPrincipal, textOfFile, topicNamed, topology } from '@countersign/contracts';
import { parseVerifierKey, readExport, type VerifierKey, verifyRecord } from '@countersign/record';
import type { Command } from 'commander';
import { allProved, type Checked, checkpointsText, type SeenCheckpoints } from '../../core/proof.js';
import { type Inspections, inspectionsText, passesText, type RecordPasses } from '../../core/record-text.js';
import { reportText, storyText } from '../../core/render.js';
import { linesFor } from '../pass.js';
import { consistencyOf, recordKeyOf } from '../proofs.js';

interface VerifyOptions {
  readonly export?: string;
  readonly key?: string;
  readonly checkpoint?: readonly string[];
  readonly published?: true;
  readonly purpose?: string;
}

export function recordCommands(program: Command): void {
  const show = program
    .command('show')
    .argument('<id>', 'of a signal, task, run, proposal, action, permit, review, event …')
    .description('the story of one action in plain words: what happened, why, by whom, and with which effect')
    .option('--all', 'every line: the signals, the facts, the evidence, and each rule that passed')
    .option('--local', 'times in the time zone of this computer rather than in UTC');
  explained(
    show,
    ['show 3f2a6c1e-…', 'show 3f2a6c1e-… --all --local', 'show 3f2a6c1e-… --json'],
    'the record has nothing with this id',
  );
  acts(show, async (s, id: string, { all, local }: { all?: boolean; local?: boolean }) => {
    const format = { all, time: local ? localClock : undefined };
    const story = await s.audit.get<Story>(`/v1/show/${encodeURIComponent(id)}`);
    s.answer(story, story.found ? storyText(s.paint, story, format) : `Nothing of ${printable(id)} is on the record.`);
    return story.found;
  });

  const checkpoints = program
    .command('checkpoints')
    .description('the signed checkpoints of the record that the console has seen, the largest first')
    .option('--prove', 'have the record prove that it still begins with what each of them signed, and check it here')
    .option('--key <verifier key>', 'with --prove: the key that must have signed; default: the key in run.json')
    .option('--before <size>', 'only smaller ones than this')
    .option('--limit <n>', 'how many, at most 500', '20');
  explained(
    checkpoints,
    ['checkpoints', 'checkpoints --prove', 'checkpoints --limit 1 --json'],
    'with --prove: there is none, or the record does not begin with what one of them signed',
  );
  acts(checkpoints, listCheckpoints);

  const save = program
    .command('export')
    .description('the whole record as JSON Lines, to keep or to verify elsewhere')
    .option('-o, --out <file>', 'write to a file rather than to standard output')
    .option('--purpose <text>', purposeHelp);
  explained(save, [
    'export -o record.ndjson',
    'export -o record.ndjson --purpose "yearly audit 2026"',
    'export | gzip > record.ndjson.gz',
  ]);
  acts(save, async (s, { purpose, ...options }: { out?: string; purpose?: string }) => {
    const out = options.out === undefined ? process.stdout : createWriteStream(options.out, { mode: 0o600 });
    try {
      const lines =
        purpose === undefined ? await s.audit.lines('/v1/record/export') : await linesFor(s, 'export', purpose);
      await pipeline(Readable.from(withNewlines(lines)), out, { end: options.out !== undefined });
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new Failure(2, `the export ended early (${codeOf(error)}); what was written is not whole`);
    }
    return undefined;
  });

  const verify = program
    .command('verify')
    .description('check the whole record: every entry, every event kept, every signed checkpoint')
    .option('--export <file>', 'an export, offline; - reads standard input')
    .option('--key <verifier key>', 'the key that must have signed; default: the key in run.json')
    .option('--checkpoint <file>', 'a signed checkpoint that you kept; may be given several times', repeated)
    .option(
      '--published',
      'also compare with every checkpoint on record.checkpoints.v1, which a change of the database cannot reach',
    )
    .option('--purpose <text>', purposeHelp);
  explained(
    verify,
    [
      'verify',
      'verify --published',
      'verify --export record.ndjson',
      'verify --export record.ndjson --checkpoint last-month.note',
    ],
    'the record is not whole',
  );
  acts(verify, verifyAll);

  const passes = program
    .command('passes')
    .description('who asked to read the whole record on the page Record or with --purpose, and why, the latest first')
    .option('--before <cursor>', 'go on behind a list before')
    .option('--limit <n>', 'how many, at most 500', '20');
  explained(passes, ['passes', 'passes --limit 5 --json']);
  acts(passes, async (s, { before, limit }: { before?: string; limit: string }) => {
    const paging = new URLSearchParams({ limit, ...(before !== undefined && { cursor: before }) });
    const found = await s.console.get<RecordPasses>(`/v1/record/passes?${paging}`);
    s.answer(found, passesText(s.paint, found));
    return undefined;
  });

  const inspections = program
    .command('inspections')
    .description(
      'audits and probes that told the console of themselves: how far they are, and what the last ones found',
    );
  explained(inspections, ['inspections', 'inspections --json']);
  acts(inspections, async (s) => {
    const found = await s.console.get<Inspections>('/v1/inspections');
    s.answer(found, inspectionsText(s.paint, found));
    return undefined;
  });
}

/** For `export` and `verify`. */
const purposeHelp =
  'ask the console first, as the page Record does: the record keeps who read it and why. Default: your own token opens the record';

interface CheckpointOptions {
  readonly prove?: boolean;
  readonly key?: string;
  readonly before?: string;
  readonly limit: string;
}

async function listCheckpoints(s: Session, { prove, key: given, before, limit }: CheckpointOptions): Promise<boolean> {
  if (given !== undefined && !prove) throw new Misused('--key works only with --prove');
  const asked = new URLSearchParams({ limit, ...(before !== undefined && { before }) });
  const found = await s.console.get<SeenCheckpoints>(`/v1/record/checkpoints?${asked}`);
  if (!prove) {
    s.answer(found, checkpointsText(s.paint, found));
    return true;
  }
  const key = await recordKeyOf(s, given);
  const proofs: Checked[] = [];
  for (const checkpoint of found.checkpoints) {
    s.progress(`${proofs.length} of ${found.checkpoints.length}`);
    proofs.push(await consistencyOf(s, checkpoint, key));
  }
  const { knownBefore } = key;
  s.answer({ ...found, proofs, keyKnownBefore: knownBefore }, checkpointsText(s.paint, found, proofs, knownBefore));
  return allProved(proofs);
}

async function verifyAll(s: Session, options: VerifyOptions): Promise<boolean> {
  if (options.published && options.export !== undefined)
    throw new Misused(
      '--published: an export is older than what is published since; give it the --checkpoint that you kept',
    );
  if (options.purpose !== undefined && options.export !== undefined)
    throw new Misused('--purpose: a saved export is read without asking anybody');
  // Read before the record is requested: each of these checkpoints is then of a record no longer than the one that follows.
  const publishedNotes = options.published ? await published(s) : [];
  const lines = await linesOf(s, options);
  const trusted = keyOf(options.key ?? s.installation.recordKey);
  const knownNotes = [...(options.checkpoint ?? []).map(textOf), ...publishedNotes];
  try {
    const opened = await readExport(lines);
    const report = await verifyRecord({
      ...opened,
      checkpoints: [...new Set([...opened.checkpoints, ...knownNotes])],
      ...(trusted && { keys: [trusted] }),
    });
    s.answer({ ...report, keyKnownBefore: trusted !== undefined }, reportText(s.paint, report, trusted !== undefined));
    return report.ok;
  } catch (error) {
    // The reader's error message names the line, and nothing of its content.
    if (error instanceof SyntaxError) throw new Failure(1, `this is not a record: ${error.message}`);
    throw new Failure(2, `the record cannot be read to its end (${codeOf(error)})`);
  }
}

async function linesOf(s: Session, options: VerifyOptions): Promise<AsyncIterable<string>> {
  if (options.export !== undefined) return fileLines(options.export);
  if (options.purpose !== undefined) return linesFor(s, 'verify', options.purpose);
  return s.audit.lines('/v1/record/export');
}

function published(s: Session): Promise<readonly string[]> {
  const topic = topicNamed('record.checkpoints.v1', topology(s.deployment()));
  return publishedCheckpoints(brokerOf(s.installation, auditPrincipal), s.installation.kafka?.bootstrap ?? '', topic);
}

function keyOf(text: string | undefined): VerifierKey | undefined {
  if (text === undefined) return undefined;
  try {
    return parseVerifierKey(text.trim());
  } catch {
    throw new Misused('--key: a verifier key such as name+1a2b3c4d+AbCd… is expected');
  }
}

function textOf(file: string): string {
  try {
    return textOfFile(file, fs);
  } catch (error) {
    throw new Misused(`${file} cannot be read: ${codeOf(error)}`);
  }
}

function fileLines(file: string): AsyncIterable<string> {
  if (file !== '-' && !existsSync(file)) throw new Misused(`${file} does not exist`);
  const input = file === '-' ? process.stdin : createReadStream(file);
  return createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
}

async function* withNewlines(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`;
}
