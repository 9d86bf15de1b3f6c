import { plainText } from '@countersign/contracts';
import OpenAI from 'openai';
import { fullForm, type RequestForm } from '../core/model/request-form.js';
import { boundedFetch } from './bounded-fetch.js';

/** A model to ask and what it may take. */
export interface ModelAccess {
  readonly client: OpenAI;
  /** The model's name, as the server knows it. */
  readonly model: string;
  /** The model's name, as proposals show it: cut to what an event holds. */
  readonly name: string;
  /** What the server is known to understand of a question: remembered for the life of the process. */
  readonly form: { known: RequestForm };
  /** For one question, tries of the client included, in milliseconds. */
  readonly timeoutMs: number;
  /** Tokens of one agent in one UTC day. */
  readonly tokensPerDay: number;
}

/** Injection token of `ModelAccess`, or null where no model is configured. */
export const MODEL = Symbol('MODEL');

/** The most that the body of an answer or a refusal may have: many times what the tokens of an answer need. */
const answerKibibytes = 256;

/** The longest time of a question: `MODEL_TIMEOUT_MS` is at most this. */
const longestMs = 600_000;

/**
 * The model that `OPENAI_BASE_URL`, `OPENAI_API_KEY` and `OPENAI_MODEL` name together; null where one of them is not set. Throws naming
 * the variable, and never its value, where one cannot be used; of the numbers `MODEL_TIMEOUT_MS` (20000, at most 600000) and
 * `MODEL_TOKENS_PER_DAY` (200000).
 */
export function modelAccess(env: Readonly<Record<string, string | undefined>>): ModelAccess | null {
  const { OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: apiKey, OPENAI_MODEL: model } = env;
  const timeoutMs = positive(env, 'MODEL_TIMEOUT_MS', 20_000, longestMs);
  const tokensPerDay = positive(env, 'MODEL_TOKENS_PER_DAY', 200_000, 9_999_999_999);
  if (baseURL && !isServer(baseURL))
    throw new Error(
      'OPENAI_BASE_URL: an http or https URL without credentials and fragment is expected, such as https://api.openai.com/v1',
    );
  // No header can hold anything else, the line break at the end of a file included.
  if (apiKey && !/^[\x20-\x7e]+$/.test(apiKey))
    throw new Error('OPENAI_API_KEY: printable ASCII without a line break is expected');
  if (!baseURL || !apiKey || !model) return null;
  // The client would log requests where OPENAI_LOG asks for it; prompts and answers belong in no log.
  const client = new OpenAI({
    baseURL,
    apiKey,
    // `askModel` tries again: it knows how much time is left.
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

function positive(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  otherwise: number,
  most: number,
): number {
  const text = env[name];
  if (text === undefined || text === '') return otherwise;
  if (!/^[1-9]\d{0,9}$/.test(text) || Number(text) > most)
    throw new Error(`${name}: an integer from 1 to ${most} is expected`);
  return Number(text);
}
