import OpenAI from 'openai';

/** A model to ask and what it may take. */
export interface ModelAccess {
  readonly client: OpenAI;
  /** The model's name, as the server knows it. */
  readonly model: string;
  /** The name as proposals show it, cut to what an event holds. */
  readonly name: string;
  /** What the server has shown to take; it steps down once for each, and stays so for the process. */
  readonly dialect: Dialect;
  /** For one question, tries of the client included, in milliseconds. */
  readonly timeoutMs: number;
  /** Tokens of one agent in one UTC day. */
  readonly tokensPerDay: number;
}

/** How a server that speaks the protocol only nearly wants to be asked. */
export interface Dialect {
  limit: 'max_completion_tokens' | 'max_tokens';
  format: 'json_schema' | 'json_object' | 'none';
}

/** Injection token of `ModelAccess`, or null where no model is configured. */
export const MODEL = Symbol('MODEL');

/** An answer that is longer is broken off, and its connection closed. */
const mostBytes = 1_048_576;

/** Tries of the client after a refused connection, 408, 409, 429 or 5xx, inside the time of the question. */
const retries = 2;

/**
 * The model that `OPENAI_BASE_URL`, `OPENAI_API_KEY` and `OPENAI_MODEL` name together; null where one of them is not set. Throws naming
 * the variable where a number is none: `MODEL_TIMEOUT_MS` (20000), `MODEL_TOKENS_PER_DAY` (200000).
 */
export function modelAccess(env: Readonly<Record<string, string | undefined>>): ModelAccess | null {
  const { OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: apiKey, OPENAI_MODEL: name } = env;
  const timeoutMs = positive(env, 'MODEL_TIMEOUT_MS', 20_000);
  const tokensPerDay = positive(env, 'MODEL_TOKENS_PER_DAY', 200_000);
  if (!baseURL || !apiKey || !name) return null;
  // The client would log requests where OPENAI_LOG asks for it; prompts and answers belong in no log.
  const client = new OpenAI({
    ...{ baseURL, apiKey, maxRetries: retries, timeout: timeoutMs, logLevel: 'off' },
    fetch: boundedFetch,
  });
  const dialect: Dialect = { limit: 'max_completion_tokens', format: 'json_schema' };
  return { client, model: name, name: name.slice(0, 120), dialect, timeoutMs, tokensPerDay };
}

/** `fetch` whose answer's body fails after `mostBytes`. */
async function boundedFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  if (!response.body) return response;
  let bytes = 0;
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength;
        if (bytes > mostBytes) controller.error(new Error(`the answer is longer than ${mostBytes} bytes`));
        else controller.enqueue(chunk);
      },
    }),
  );
  return new Response(counted, response);
}

function positive(env: Readonly<Record<string, string | undefined>>, name: string, otherwise: number): number {
  const text = env[name];
  if (text === undefined || text === '') return otherwise;
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new Error(`${name}: a positive integer is expected, not "${text}"`);
  return Number(text);
}
