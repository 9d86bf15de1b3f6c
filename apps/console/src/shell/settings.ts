import { type Env, file, json, readEnvironment, requiredText, runtimeEnvironment, whole } from '@countersign/runtime';
import { z } from 'zod';
import { People, type Person } from '../core/people.js';

/** What an operator sets, read once at start. */
export interface Settings {
  /** How long the answer to a stop waits until it is confirmed, in milliseconds. */
  readonly confirmMs: number;
}

/** Injection token of `Settings`. */
export const SETTINGS = Symbol('SETTINGS');

const variables = {
  CONSOLE_TOKENS_FILE: file({
    description: 'Every token may read; the roles are `reviewer`, `operator` and `publisher`',
    holds: 'a JSON list of `{"sha256", "person", "roles"}`',
    read: json(People),
  }),
  CONFIG_DIR: requiredText({
    description:
      'the configuration that the console publishes as the policy: charters, plays, sequences, rules, routes',
    kind: 'folder',
    expected: 'the folder of charters, plays, sequences, rules.yaml and routes.yaml',
  }),
  CONTROL_CONFIRM_MS: whole({
    description: 'how long the answer to a stop waits until the validator and the executors apply the stop',
    preset: 5_000,
    unit: 'ms',
    least: 0,
    // The command line gives up on an answer after 15 s.
    most: 10_000,
  }),
};

/** Everything that the console reads of its environment. */
export const environment = runtimeEnvironment.extend(variables);

const { CONTROL_CONFIRM_MS, CONSOLE_TOKENS_FILE } = variables;

/** Reads the settings. Throws, naming the variable, where one cannot be used: the process must not start. */
export const readSettings = (env: Env): Settings => ({
  confirmMs: readEnvironment(z.object({ CONTROL_CONFIRM_MS }), env).CONTROL_CONFIRM_MS,
});

/** Who may use the console. Throws as above. */
export const readPeople = (env: Env): readonly Person[] =>
  readEnvironment(z.object({ CONSOLE_TOKENS_FILE }), env).CONSOLE_TOKENS_FILE;
