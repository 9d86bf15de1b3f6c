import fs, { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { type Deployment, textOfFile } from '@countersign/contracts';
import type { Command } from 'commander';
import picocolors from 'picocolors';
import { type Installation, installation, type RunFile } from './core/installation.js';
import { jsonText, type Paint, printableLines } from './core/text.js';
import { personToken, readingToken } from './credentials.js';
import { deploymentIn } from './deployment.js';
import { Failure } from './failure.js';
import { type Client, client } from './http.js';

/** One call of the command line: where everything is, and how to print to the caller. */
export interface Session {
  readonly json: boolean;
  readonly paint: Paint;
  readonly installation: Installation;
  /** The sources, agents and executors in force, read at the first call. Throws a `Failure` if nothing lists them. */
  deployment(): Deployment;
  readonly console: Client;
  readonly audit: Client;
  /** The record, for a caller that has the secret of a pass. */
  auditWith(secret: string): Client;
  readonly orchestrator: Client;
  now(): string;
  /** The answer of the command: `value` as JSON if that was asked for, otherwise the text. */
  answer(value: unknown, text: string): void;
  /** Printed in addition to the answer, for people only. */
  note(text: string): void;
  /** Faults during a command that continues, on the error output. */
  warn(text: string): void;
  /** The progress of something long, in one line of a terminal that is overwritten. Prints nothing if nobody is looking. */
  progress(text: string): void;
  /** Whether there is a person to ask. */
  readonly interactive: boolean;
  confirm(question: string): Promise<boolean>;
}

export function session(command: Command): Session {
  const { json = false } = command.optsWithGlobals<{ json?: boolean }>();
  const found = installation(process.env, runFile());
  const urlOf = (service: string): string => found.urls[service] as string;
  const colours = !json && process.stdout.isTTY === true && !process.env.NO_COLOR;
  let deployment: Deployment | undefined;
  return {
    json,
    paint: picocolors.createColors(colours),
    installation: found,
    deployment: () => {
      deployment ??= deploymentIn(process.env, found);
      return deployment;
    },
    console: client('console', urlOf('console'), () => personToken(found)),
    audit: client('audit-recorder', urlOf('audit-recorder'), () => personToken(found)),
    auditWith: (secret) => client('audit-recorder', urlOf('audit-recorder'), () => secret),
    orchestrator: client('orchestrator', urlOf('orchestrator'), () => readingToken(found), 'COUNTERSIGN_READ_TOKEN'),
    now: () => new Date().toISOString(),
    answer: (value, text) => {
      process.stdout.write(`${json ? jsonText(value, 2) : text}\n`);
    },
    note: (text) => {
      if (!json) process.stdout.write(`${text}\n`);
    },
    warn: (text) => {
      process.stderr.write(json ? `${jsonText({ warning: text })}\n` : `countersign: ${printableLines(text)}\n`);
    },
    progress: (text) => {
      if (process.stderr.isTTY === true) process.stderr.write(`\r\u001b[K${text}\r`);
    },
    interactive: process.stdin.isTTY === true && process.stdout.isTTY === true && !json,
    confirm: async (question) => {
      const terminal = createInterface({ input: process.stdin, output: process.stdout });
      try {
        return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
      } finally {
        terminal.close();
      }
    },
  };
}

type Found = { readonly path: string; readonly credentials: string; readonly run: RunFile };

/** `run.json` of COUNTERSIGN_HOME if that is set, otherwise of the `.countersign` in this folder or the nearest one above it. */
function runFile(): Found | undefined {
  const home = process.env.COUNTERSIGN_HOME;
  if (home) return readRunFile(join(home, 'run.json'));
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const found = readRunFile(join(folder, '.countersign', 'run.json'));
    if (found || folder === dirname(folder)) return found;
  }
}

function readRunFile(path: string): Found | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return { path, credentials: join(dirname(path), 'credentials'), run: JSON.parse(textOfFile(path, fs)) as RunFile };
  } catch {
    throw new Failure(2, `${path} cannot be read: start again with \`npm start\`, which writes it anew`);
  }
}
