import { setTimeout as sleep } from 'node:timers/promises';
import { decode, mediaType } from '@countersign/contracts';
import type OpenAI from 'openai';
import { APIConnectionError, APIConnectionTimeoutError, APIError, RateLimitError } from 'openai/error';
import type { Calls } from '../core/model/calls.js';
import { inWords } from '../core/model/prompt.js';
import { type Asked, readCompletion } from '../core/model/read-completion.js';
import { formInWords, type RequestForm, simplerForm } from '../core/model/request-form.js';
import { waitBefore } from '../core/model/retry.js';
import { Unusable } from './bounded-fetch.js';
import type { ModelAccess } from './model-access.js';
import type { QuestionBook } from './model-calls.js';
import type { TokenBudget } from './token-budget.js';

export type Message = { readonly role: 'system' | 'user' | 'assistant'; readonly content: string };

/** What a question needs. */
export interface Asking {
  readonly access: ModelAccess;
  readonly budget: TokenBudget;
  readonly questions: QuestionBook;
  /** Aborted when the service stops. Then the question is given up, and asked again after the next start. */
  readonly stop: AbortSignal;
  readonly log: { warn(text: string): void };
  /** Starts the time limit of a question; `AbortSignal.timeout` if it is absent. */
  readonly timer?: (ms: number) => AbortSignal;
}

/** The most tokens of an answer. */
export const answerTokens = 4_000;

/**
 * Asks one question. Tokens are held for it first and settled afterwards, whatever the result: with the server's count if there is
 * one, otherwise with the amount that was held. Its calls are stored in the same way. Rejects only if `stop` was aborted or the
 * database cannot be reached.
 */
export async function askModel(
  asking: Asking,
  messages: readonly Message[],
  schema: object,
  timeoutMs: number,
): Promise<Asked> {
  // A token is at least one byte, so this is never too little. The actual use is settled afterwards.
  const reserved = Buffer.byteLength(JSON.stringify([messages, inWords(schema)])) + answerTokens;
  if (!(await asking.budget.reserve(reserved))) return { ok: false, reason: "the day's token budget is spent" };
  let used = 0;
  try {
    const questionId = await asking.questions.begin();
    if (questionId === undefined) return { ok: false, reason: 'the task has its answer already' };
    const begun = performance.now();
    const timeout = (asking.timer ?? AbortSignal.timeout)(timeoutMs);
    const signal = AbortSignal.any([timeout, asking.stop]);
    // An answer that never arrived may have been charged. So every try counts against the day's budget, unless it is known to be
    // free.
    used = reserved;
    const tries = { sent: 0, free: 0 };
    let counts: { readonly inputTokens: number; readonly outputTokens: number } | undefined;
    const question: Question = {
      ...{ messages, schema, signal },
      msLeft: () => timeoutMs - (performance.now() - begun),
      sent: () => {
        tries.sent++;
      },
      failed: (error) => {
        if (isFree(error)) tries.free++;
      },
    };
    try {
      const { asked, tokens, parts } = readCompletion(await unlessAborted(signal, request(asking, question)));
      // A count above the question and its limit is not valid.
      if (tokens !== undefined && tokens <= reserved) used = tokens;
      if (parts !== undefined && parts.inputTokens + parts.outputTokens <= reserved) counts = parts;
      return asked;
    } catch (error) {
      if (!signal.aborted && tries.free === tries.sent) used = 0;
      asking.stop.throwIfAborted();
      return { ok: false, reason: timeout.aborted ? tooSlow : failureOf(error) };
    } finally {
      await asking.questions.end(questionId, callsOf(tries, counts));
    }
  } finally {
    await asking.budget.settle(reserved, used);
  }
}

/** What is known about the calls of a question: a free call used nothing, and the last call used what its answer says. */
function callsOf(
  { sent, free }: { readonly sent: number; readonly free: number },
  counts: Pick<Calls, 'inputTokens' | 'outputTokens'> | undefined,
): Calls {
  return {
    calls: sent,
    unknownCalls: sent - free - (counts ? 1 : 0),
    inputTokens: counts?.inputTokens ?? 0,
    outputTokens: counts?.outputTokens ?? 0,
  };
}

interface Question {
  readonly messages: readonly Message[];
  readonly schema: object;
  readonly signal: AbortSignal;
  readonly msLeft: () => number;
  /** Called before every try. */
  readonly sent: () => void;
  /** Called for every try that failed, including the last one. */
  readonly failed: (error: unknown) => void;
}

/**
 * The body of the answer. If the server refuses a part of the request by name, the part is left out from then on. A failure that
 * may pass is tried again, unless the wait is longer than the time that is left.
 */
async function request({ access, log }: Asking, question: Question): Promise<string> {
  const { messages, schema, signal, msLeft, sent, failed } = question;
  const first = access.form.known;
  let tries = 0;
  for (let form = first; ; ) {
    try {
      sent();
      const response = await access.client.chat.completions
        .create(requestOf(access.model, form, messages, schema), { signal })
        .asResponse();
      if (form !== first && formInWords(form) !== formInWords(access.form.known)) {
        access.form.known = form;
        log.warn(
          `the model's server refused a part of the question: from now on it is asked with ${formInWords(form)}`,
        );
      }
      return await textOf(response);
    } catch (error) {
      failed(error);
      if (!(error instanceof APIError)) throw error;
      const { status, headers } = error;
      const simpler = simplerForm(form, status, refusalOf(error));
      if (simpler) {
        form = simpler;
        continue;
      }
      const wait = waitBefore({ status, header: (name) => headers?.get(name) }, ++tries);
      if (wait === undefined || wait >= msLeft()) throw error;
      await sleep(wait, undefined, { signal });
    }
  }
}

/** The text of a body, in the charset that it states. Bytes that cannot be read are never replaced. */
async function textOf(response: Response): Promise<string> {
  // biome-ignore lint/plugin: the client's `fetch` is `boundedFetch`
  const bytes = await response.arrayBuffer().catch((error) => {
    throw error instanceof Unusable ? error : new Unusable("the model's server broke off its answer");
  });
  const read = decode(new Uint8Array(bytes), mediaType(response.headers.get('content-type') ?? '')?.charset);
  if (!read.ok) throw new Unusable("the model's server answered with bytes that are not the text that it says");
  return read.text;
}

function requestOf(
  model: string,
  form: RequestForm,
  messages: readonly Message[],
  schema: object,
): OpenAI.Chat.ChatCompletionCreateParamsNonStreaming {
  const asked = { model, [form.limit]: answerTokens };
  if (form.format === 'json_schema') {
    const json_schema = { name: 'plan', strict: true, schema: { ...schema } };
    return { ...asked, messages: [...messages], response_format: { type: 'json_schema', json_schema } };
  }
  const [system, ...others] = messages;
  return {
    ...asked,
    messages: [{ role: 'system', content: `${system?.content}\n${inWords(schema)}` }, ...others],
    ...(form.format === 'json_object' && { response_format: { type: 'json_object' } }),
  };
}

/** The whole text of a refusal, to look for parameter names of ours in it. It is used for nothing else. */
const refusalOf = (error: APIError): string => `${error.message} ${JSON.stringify(error.error) ?? ''}`;

/** Whether a try certainly cost no token: the server refused or redirected it, or no connection was made. */
const isFree = (error: unknown): boolean =>
  error instanceof APIError &&
  (error.status === undefined ? neverSent(error) : error.status >= 300 && error.status < 500);

/** Whether it failed before there was a connection: at the name or at connecting. */
function neverSent(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(neverSent);
  if (!(error instanceof Error)) return false;
  const { syscall, code } = error as { syscall?: unknown; code?: unknown };
  if (syscall === 'connect' || syscall === 'getaddrinfo' || code === 'UND_ERR_CONNECT_TIMEOUT') return true;
  return neverSent(error.cause);
}

const tooSlow = 'the model took too long';

function failureOf(error: unknown): string {
  if (error instanceof Unusable) return error.reason;
  if (error instanceof APIConnectionTimeoutError) return tooSlow;
  if (error instanceof APIConnectionError) return 'the model could not be reached';
  if (error instanceof RateLimitError) return 'the model is over its rate limit';
  if (error instanceof APIError && error.status && error.status >= 300 && error.status < 400) {
    return `the model's server answered HTTP ${error.status}, a redirect, which is not followed`;
  }
  if (error instanceof APIError && error.status) return `the model's server answered HTTP ${error.status}`;
  return "the model's server gave no usable answer";
}

/** undici reports an abort only when it has a connection. This function does not wait for the connection. */
async function unlessAborted<T>(signal: AbortSignal, asked: Promise<T>): Promise<T> {
  let giveUp = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    giveUp = () => reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
  });
  try {
    return await Promise.race([asked, aborted]);
  } finally {
    signal.removeEventListener('abort', giveUp);
    asked.catch(() => undefined);
  }
}
