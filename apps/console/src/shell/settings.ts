import { BlockList, isIP } from 'node:net';
import { fileURLToPath } from 'node:url';
import { servicePorts } from '@countersign/contracts';
import {
  type Env,
  file,
  json,
  optionalFile,
  optionalText,
  processVariables,
  readEnvironment,
  requiredText,
  runtimeEnvironment,
  Unusable,
  whole,
} from '@countersign/runtime';
import { z } from 'zod';
import { People, type Person } from '../core/people.js';
import { completeOidc, type OidcSettings, oidcSettings, oidcVariables } from './oidc.settings.js';

/** What an operator sets, read once at start. */
export interface Settings {
  /** How long the answer to a stop waits for its confirmation, in milliseconds. */
  readonly confirmMs: number;
  /** The address at which people's browsers reach the console, without a trailing slash. */
  readonly publicUrl: string;
  /** Addresses and ranges of the proxies in front of the console: their information about a request's origin is trusted. */
  readonly trustedProxies: readonly string[];
  /** The folder of the built pages. */
  readonly pagesDir: string;
  /** How long a session lasts, in total and without a request, in milliseconds. */
  readonly sessionMs: number;
  readonly sessionIdleMs: number;
  /** The identity provider for signing in; undefined if there is none. */
  readonly oidc: OidcSettings | undefined;
  /** The address at which browsers reach the record, and the key that verifies its checkpoints. */
  readonly recordUrl: string | undefined;
  readonly recordKey: string | undefined;
  /** How long the figures of agents and the actions that name a person are kept, in days. */
  readonly agentFiguresDays: number;
  readonly personActionsDays: number;
  /** How long it is kept who asked to read the whole record or to reveal a name, and which audits and probes ran, in days. */
  readonly requestsDays: number;
  /** The address of a page that shows a trace, with `{traceId}` in it. */
  readonly traceUrl: string | undefined;
  /** How often one person may ask for a name or an address within an hour. */
  readonly revealsPerHour: number;
}

/** Injection token of `Settings`. */
export const SETTINGS = Symbol('SETTINGS');
/** The people who may use the console, by token; from CONSOLE_TOKENS_FILE. */
export const PEOPLE = Symbol('PEOPLE');

/** Where `npm run build` puts the pages, relative to this file. The path also holds for the compiled file. */
const builtPages = fileURLToPath(new URL('../../../console-web/dist/pages', import.meta.url));

const isWeb = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

const addressesIn = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
/** The form in which IPv6 writes IPv4 addresses. */
const mapped = new BlockList();
mapped.addSubnet('::ffff:0:0', 96, 'ipv6');
/** An address, or a range that is not all of IPv6 or all of IPv4: otherwise anyone could claim any origin. */
const isProxy = (text: string): boolean => {
  const [address = '', prefix, more] = text.split('/');
  const bits = isIP(address) === 4 ? 32 : isIP(address) === 6 ? 128 : 0;
  if (bits === 0 || more !== undefined) return false;
  if (prefix === undefined) return true;
  const least = bits === 128 && mapped.check(address, 'ipv6') ? 97 : 1;
  return /^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) >= least && Number(prefix) <= bits;
};

const variables = {
  CONSOLE_TOKENS_FILE: file({
    description:
      'Every token may read; the roles are `viewer`, `reviewer`, `operator`, `policy-owner`, `privacy-officer` and `auditor`',
    holds: 'a JSON list of `{"sha256", "person", "roles"}`',
    read: json(People),
  }),
  CONFIG_DIR: requiredText({
    description:
      'the configuration that the console publishes as the policy: charters, plays, sequences, rules, routes, exchange rates',
    kind: 'folder',
    expected: 'the folder of charters, plays, sequences, rules.yaml and routes.yaml',
  }),
  CONTROL_CONFIRM_MS: whole({
    description: 'how long the answer to a stop waits until the validator and the executors apply the stop',
    preset: 5_000,
    unit: 'ms',
    least: 0,
    // The command line stops waiting for an answer after 15 s.
    most: 10_000,
  }),
  PUBLIC_URL: optionalText({
    description:
      "where people's browsers reach the console, such as `https://console.example.com`: links lead there, and the cookie is Secure if it is https",
    preset: 'http://127.0.0.1 and the port',
    kind: 'URL',
    fits: (text) =>
      URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text.replace(/\/$/, '')
        ? undefined
        : 'an address such as https://console.example.com is expected, without a path',
  }),
  TRUSTED_PROXIES: optionalText({
    description:
      'the proxies in front of the console, separated by commas: addresses or ranges such as `10.0.0.5, 192.168.7.0/24`. The limits on signing in count requests by the address of the client that these proxies write into `X-Forwarded-For`. The console ignores this header from anybody else. Each proxy must append the address to the header, or replace the header. All people behind a proxy that is not named share one limit',
    preset: 'none',
    kind: 'list',
    fits: (text) =>
      addressesIn(text).every(isProxy)
        ? undefined
        : 'addresses or ranges such as 10.0.0.5, 192.168.7.0/24 are expected, separated by commas',
  }),
  PAGES_DIR: optionalText({
    description: 'the built pages that the console serves',
    preset: '`apps/console-web/dist/pages`',
    kind: 'folder',
  }),
  SIGNED_IN_MS: whole({
    description: 'how long somebody is signed in at most',
    preset: 43_200_000,
    unit: 'ms',
    least: 60_000,
  }),
  SESSION_IDLE_MS: whole({
    description: 'after how long without a request a session ends',
    preset: 3_600_000,
    unit: 'ms',
    least: 60_000,
  }),
  ...oidcVariables,
  RECORD_URL: optionalText({
    description:
      "where people's browsers reach the audit-recorder, such as `https://record.example.com`: they ask it for proofs. Its `RECORD_READERS` names the console's address",
    preset: 'no proofs in the browser',
    kind: 'URL',
    fits: (text) =>
      isWeb(text) && new URL(text).origin === text.replace(/\/$/, '')
        ? undefined
        : 'an address such as https://record.example.com is expected, without a path',
  }),
  RECORD_KEY_FILE: optionalFile({
    description: "Browsers verify the record's checkpoints with it",
    holds: 'a C2SP verifier key, `name+hash+key`',
    read: (content) => {
      const key = content.trim();
      if (!/^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/.test(key)) throw new Unusable('it holds something else');
      return key;
    },
  }),
  AGENT_FIGURES_DAYS: whole({
    description: 'how long the figures of agents are kept: proposals, verdicts, answers of people and tokens, by day',
    preset: 400,
    unit: 'days',
    least: 7,
    most: 3_660,
  }),
  PERSON_ACTIONS_DAYS: whole({
    description:
      'for how many days after its last verdict the console keeps which people an action concerns: the page of a person lists the action, and its story names them. The record keeps it',
    preset: 365,
    unit: 'days',
    // As long as a story is kept.
    least: 30,
    most: 3_660,
  }),
  REQUESTS_DAYS: whole({
    description:
      'for how many days the console keeps who asked to read the whole record, who asked for the name or the address of somebody, and which audits and probes ran. The last audit and the last probe stay. The record keeps every request and every result',
    preset: 400,
    unit: 'days',
    // As long as the topics keep the events.
    least: 30,
    most: 3_660,
  }),
  TRACE_URL: optionalText({
    description: 'where a trace can be looked at, such as `https://jaeger.example.com/trace/{traceId}`',
    preset: 'no links to traces',
    kind: 'URL',
    fits: (text) =>
      text.includes('{traceId}') && isWeb(text.replaceAll('{traceId}', 'x'))
        ? undefined
        : 'an address with {traceId} in it is expected',
  }),
  REVEALS_PER_HOUR: whole({
    description: 'how often one person may ask for the name or the address of somebody in any 60 minutes. 0: never',
    preset: 20,
    least: 0,
    most: 999_999,
  }),
};

/** All environment variables that the console reads. */
export const environment = runtimeEnvironment.extend(variables).check(completeOidc);

const {
  CONSOLE_TOKENS_FILE,
  CONTROL_CONFIRM_MS,
  PUBLIC_URL,
  TRUSTED_PROXIES,
  PAGES_DIR,
  SIGNED_IN_MS,
  SESSION_IDLE_MS,
} = variables;
const {
  RECORD_URL,
  RECORD_KEY_FILE,
  TRACE_URL,
  REVEALS_PER_HOUR,
  AGENT_FIGURES_DAYS,
  PERSON_ACTIONS_DAYS,
  REQUESTS_DAYS,
} = variables;
const { PORT } = processVariables;
const settings = z.object({
  CONTROL_CONFIRM_MS,
  PUBLIC_URL,
  TRUSTED_PROXIES,
  PAGES_DIR,
  SIGNED_IN_MS,
  SESSION_IDLE_MS,
  PORT,
  ...oidcVariables,
  RECORD_URL,
  RECORD_KEY_FILE,
  TRACE_URL,
  REVEALS_PER_HOUR,
  AGENT_FIGURES_DAYS,
  PERSON_ACTIONS_DAYS,
  REQUESTS_DAYS,
});

/** Reads the settings. If one is unusable, it throws an error that names the variable: the process must not start. */
export function readSettings(env: Env): Settings {
  const read = readEnvironment(settings, env);
  return {
    confirmMs: read.CONTROL_CONFIRM_MS,
    publicUrl: (read.PUBLIC_URL ?? `http://127.0.0.1:${read.PORT ?? servicePorts.console}`).replace(/\/$/, ''),
    trustedProxies: addressesIn(read.TRUSTED_PROXIES ?? ''),
    pagesDir: read.PAGES_DIR ?? builtPages,
    sessionMs: read.SIGNED_IN_MS,
    sessionIdleMs: read.SESSION_IDLE_MS,
    oidc: oidcSettings(read),
    recordUrl: read.RECORD_URL?.replace(/\/$/, ''),
    recordKey: read.RECORD_KEY_FILE,
    traceUrl: read.TRACE_URL,
    revealsPerHour: read.REVEALS_PER_HOUR,
    agentFiguresDays: read.AGENT_FIGURES_DAYS,
    personActionsDays: read.PERSON_ACTIONS_DAYS,
    requestsDays: read.REQUESTS_DAYS,
  };
}

/** The people who may use the console. Throws as above. */
export const readPeople = (env: Env): readonly Person[] =>
  readEnvironment(z.object({ CONSOLE_TOKENS_FILE }), env).CONSOLE_TOKENS_FILE;
