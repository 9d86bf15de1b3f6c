import type { TaskAssigned } from '@countersign/contracts';
import OpenAI from 'openai';
import { type Bounds, clamp } from '../core/clamp.js';
import { aliasesOf } from '../core/model/aliases.js';
import { answerSchema, offeredKinds } from '../core/model/answer-schema.js';
import { promptOf, repairOf } from '../core/model/prompt.js';
import { readAnswer } from '../core/model/read-answer.js';
import type { Plan, Planner, RulePlanner } from '../core/plan.js';
import type { Dialect, ModelAccess } from './model-access.js';
import type { TokenBudget } from './token-budget.js';

type Message = OpenAI.Chat.ChatCompletionMessageParam;

/** What came of one question. `why` is a class of failure in our words, never the model's or the server's. */
type Asked =
  | { readonly ok: true; readonly content: string; readonly cut: boolean }
  | { readonly ok: false; readonly why: string };

const answerTokens = 4_000;

/**
 * Asks a model, once more where its answer does not fit, and falls back to the rules on any failure, saying why in `by.fallback`.
 * Tokens are reserved before every question. Rejects only where `stop` was aborted or the budget cannot be reached: then nothing was
 * planned.
 */
export const modelPlanner = (is: {
  readonly access: ModelAccess;
  readonly rules: RulePlanner;
  readonly bounds: Bounds;
  readonly budget: TokenBudget;
  /** Aborted where the service stops: the question is given up and asked again by the next start. */
  readonly stop: AbortSignal;
}): Planner => ({
  name: is.access.name,
  plan: async (task, facts, at) => {
    const fallback = (why: string): Plan => ({
      ...is.rules.plan(task, facts, at),
      by: { kind: 'rules', name: is.rules.name, fallback: why },
    });
    const kinds = offeredKinds(task, facts, is.bounds.kinds);
    if (kinds.length === 0) return fallback('the facts leave a model nothing to choose from');
    const aliases = aliasesOf(facts);
    const schema = answerSchema(task, facts, kinds, aliases);
    const prompt = promptOf(task, facts, kinds, aliases, is.bounds.most, at);
    const messages: Message[] = [
      { role: 'system', content: prompt.system },
      { role: 'user', content: prompt.user },
    ];
    let why = '';
    for (const last of [false, true]) {
      const asked = await ask(is, messages, schema, timeFor(is.access, task, at));
      if (!asked.ok) return fallback(asked.why);
      const read = asked.cut
        ? ({ ok: false, says: 'it is cut off' } as const)
        : readAnswer(asked.content, task, aliases);
      const fitting = read.ok ? clamp(read.plan, task, facts, at, is.bounds) : undefined;
      const by = { kind: 'model', name: is.access.name } as const;
      if (fitting && fitting.proposals.length > 0) return { ...fitting, by };
      if (read.ok && read.plan.proposals.length === 0 && read.plan.declined) return { ...read.plan, by };
      why = read.ok ? 'nothing that the model proposed fits the task' : "the model's answer could not be read";
      if (!last) {
        const reasons = read.ok ? (fitting?.left ?? []) : [read.says];
        messages.push(
          // Servers refuse an empty turn.
          ...(asked.content.trim() === '' ? [] : [{ role: 'assistant' as const, content: asked.content }]),
          {
            role: 'user',
            content: repairOf(reasons.length > 0 ? reasons : ['it neither proposes nor declines'], schema),
          },
        );
      }
    }
    return fallback(why);
  },
});

/** The time of a question: never past the task's own due time. */
const timeFor = (access: ModelAccess, task: TaskAssigned, at: string): number =>
  Math.max(1, Math.min(access.timeoutMs, Date.parse(task.dueAt) - Date.parse(at)));

async function ask(
  is: { readonly access: ModelAccess; readonly budget: TokenBudget; readonly stop: AbortSignal },
  messages: readonly Message[],
  schema: object,
  timeoutMs: number,
): Promise<Asked> {
  const { access, budget } = is;
  // A token is at least a byte, so this is never too little; what was really used is settled afterwards.
  const reserved = Buffer.byteLength(JSON.stringify([messages, schema])) + answerTokens;
  if (!(await budget.reserve(reserved))) return { ok: false, why: "the day's token budget is spent" };
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([timeout, is.stop]);
  let completion: OpenAI.Chat.ChatCompletion | null;
  try {
    completion = await understood(access.dialect, () =>
      unlessAborted(
        signal,
        access.client.chat.completions.create(
          { model: access.model, messages: [...messages], ...parametersOf(access.dialect, schema) },
          { signal },
        ),
      ),
    );
  } catch (error) {
    // An answer that was never seen may have been paid for; one that was refused was not.
    await budget.settle(reserved, isRefusedRequest(error) ? 0 : reserved);
    is.stop.throwIfAborted();
    return { ok: false, why: timeout.aborted ? 'the model took too long' : failureOf(error) };
  }
  // A server that speaks the protocol nearly may answer anything, `null` included.
  await budget.settle(reserved, tokensOf(completion) ?? reserved);
  const choice = completion?.choices?.[0];
  if (choice?.message?.refusal || choice?.finish_reason === 'content_filter') {
    return { ok: false, why: 'the model refused' };
  }
  const content = choice?.message?.content;
  return { ok: true, content: typeof content === 'string' ? content : '', cut: choice?.finish_reason === 'length' };
}

/** The parameters of a question that not every server takes. */
const parametersOf = ({ limit, format }: Dialect, schema: object) => ({
  [limit]: answerTokens,
  ...(format === 'json_schema' && {
    response_format: {
      type: 'json_schema' as const,
      json_schema: { name: 'plan', strict: true, schema: { ...schema } },
    },
  }),
  ...(format === 'json_object' && { response_format: { type: 'json_object' as const } }),
});

/** Asks again with less where the server refuses a parameter by its name: a refused request costs no token. */
async function understood<T>(dialect: Dialect, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!stepDown(dialect, error)) throw error;
    }
  }
}

/** Whether the refusal names a parameter that there is less of. Each step is taken once, so this ends. */
function stepDown(dialect: Dialect, error: unknown): boolean {
  if (!(error instanceof OpenAI.APIError) || (error.status !== 400 && error.status !== 422)) return false;
  const says = error.message;
  if (dialect.limit === 'max_completion_tokens' && says.includes('max_completion_tokens')) {
    dialect.limit = 'max_tokens';
    return true;
  }
  if (dialect.format !== 'none' && /response_format|json_schema|json_object|structured output/i.test(says)) {
    dialect.format = dialect.format === 'json_schema' ? 'json_object' : 'none';
    return true;
  }
  return false;
}

/** What a server says it used, where that is a count. */
const tokensOf = (completion: OpenAI.Chat.ChatCompletion | null): number | undefined => {
  const used = completion?.usage?.total_tokens;
  return Number.isSafeInteger(used) && (used ?? -1) >= 0 ? used : undefined;
};

const isRefusedRequest = (error: unknown): boolean =>
  error instanceof OpenAI.APIError && typeof error.status === 'number' && error.status >= 400 && error.status < 500;

function failureOf(error: unknown): string {
  if (error instanceof OpenAI.APIConnectionTimeoutError) return 'the model took too long';
  if (error instanceof OpenAI.APIConnectionError) return 'the model could not be reached';
  if (error instanceof OpenAI.RateLimitError) return 'the model is over its rate limit';
  if (error instanceof OpenAI.APIError && error.status) return `the model's server answered HTTP ${error.status}`;
  return "the model's server gave no usable answer";
}

/** The client waits between its tries without looking at the signal; this does not wait for it. */
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
