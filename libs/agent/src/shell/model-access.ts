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

/** Tries of the client after a refused connection, 408, 409, 429 or 5xx, inside the time of the question. */
const retries = 2;

/** The most that the body of an answer or a refusal may have: many times what the tokens of an answer need. */
const answerMebibytes = 1;

/**
 * The model that `OPENAI_BASE_URL`, `OPENAI_API_KEY` and `OPENAI_MODEL` name together; null where one of them is not set. Throws naming
 * the variable where a number is none: `MODEL_TIMEOUT_MS` (20000), `MODEL_TOKENS_PER_DAY` (200000).
 */
export function modelAccess(env: Readonly<Record<string, string | undefined>>): ModelAccess | null {
  const { OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: apiKey, OPENAI_MODEL: model } = env;
  const timeoutMs = positive(env, 'MODEL_TIMEOUT_MS', 20_000);
  const tokensPerDay = positive(env, 'MODEL_TOKENS_PER_DAY', 200_000);
  if (!baseURL || !apiKey || !model) return null;
  // The client would log requests where OPENAI_LOG asks for it; prompts and answers belong in no log.
  const client = new OpenAI({
    baseURL,
    apiKey,
    maxRetries: retries,
    timeout: timeoutMs,
    logLevel: 'off',
    fetch: boundedFetch(answerMebibytes),
  });
  return { client, model, name: plainText(model, 120), form: { known: fullForm }, timeoutMs, tokensPerDay };
}

function positive(env: Readonly<Record<string, string | undefined>>, name: string, otherwise: number): number {
  const text = env[name];
  if (text === undefined || text === '') return otherwise;
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new Error(`${name}: a positive integer is expected, not "${text}"`);
  return Number(text);
}
