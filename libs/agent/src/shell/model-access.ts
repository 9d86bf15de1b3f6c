import { plainText } from '@countersign/contracts';
import { type Env, optionalText, readEnvironment, runtimeEnvironment, whole } from '@countersign/runtime';
import type OpenAI from 'openai';
import { z } from 'zod';
import { fullForm, type RequestForm } from '../core/model/request-form.js';
import { boundedFetch } from './bounded-fetch.js';

/** A model to ask, and its limits. */
export interface ModelAccess {
  readonly client: OpenAI;
  /** The model's name, as the server knows it. */
  readonly model: string;
  /** The model's name, as proposals show it: cut to what an event holds. */
  readonly name: string;
  /** What the server is known to understand of a question. It is remembered until the process ends. */
  readonly form: { known: RequestForm };
  /** The time limit of one question, in milliseconds, including the client's repeats. */
  readonly timeoutMs: number;
  /** The tokens that one agent may use in one UTC day. */
  readonly tokensPerDay: number;
}

/** Injection token of `ModelAccess`, or null if no model is configured. */
export const MODEL = Symbol('MODEL');

/** The largest body of an answer or a refusal: many times what the tokens of an answer need. */
const answerKibibytes = 256;

/** The longest time of a question: `MODEL_TIMEOUT_MS` is at most this. */
const longestMs = 600_000;

const variables = {
  OPENAI_BASE_URL: optionalText({
    description:
      'the server of a model. If this variable and the next two are set, the agent asks the model; otherwise the rules plan. The URL may have a query, which is sent with every question',
    kind: 'URL',
    fits: (text) =>
      isServer(text)
        ? undefined
        : 'an http or https URL without credentials and fragment is expected, such as https://api.openai.com/v1',
  }),
  OPENAI_API_KEY: optionalText({
    description: 'the key for that server',
    secret: true,
    // A header can hold no other characters. A line break at the end of a file, for example, would not fit.
    fits: (text) => (/^[\x20-\x7e]+$/.test(text) ? undefined : 'printable ASCII without a line break is expected'),
  }),
  OPENAI_MODEL: optionalText({ description: 'the name of the model, as the server knows it' }),
  MODEL_TIMEOUT_MS: whole({ description: 'time limit of one question', preset: 20_000, unit: 'ms', most: longestMs }),
  MODEL_TOKENS_PER_DAY: whole({ description: 'tokens that one agent may use in a UTC day', preset: 200_000 }),
};

/** Everything that an agent reads from its environment. */
export const environment = runtimeEnvironment.extend(variables);

const own = z.object(variables);

/**
 * The model that `OPENAI_BASE_URL`, `OPENAI_API_KEY` and `OPENAI_MODEL` name together; null if one of them is not set. If some
 * cannot be used, it rejects with an error that names the variables and never their values.
 */
export async function modelAccess(env: Env): Promise<ModelAccess | null> {
  const read = readEnvironment(own, env);
  const { OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: apiKey, OPENAI_MODEL: model } = read;
  const { MODEL_TIMEOUT_MS: timeoutMs, MODEL_TOKENS_PER_DAY: tokensPerDay } = read;
  if (!baseURL || !apiKey || !model) return null;
  // Most agents ask no model, and the client's code takes several megabytes.
  const { default: Client } = await import('openai');
  // The client would log requests if OPENAI_LOG asked for it. Prompts and answers must not be in a log.
  const client = new Client({
    baseURL,
    apiKey,
    // `askModel` repeats a request itself, because it knows how much time is left.
    maxRetries: 0,
    timeout: timeoutMs,
    logLevel: 'off',
    fetch: boundedFetch(answerKibibytes),
  });
  return { client, model, name: plainText(model, 120), form: { known: fullForm }, timeoutMs, tokensPerDay };
}

function isServer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, hash } = new URL(text);
  return ['http:', 'https:'].includes(protocol) && [username, password, hash].every((part) => part === '');
}
