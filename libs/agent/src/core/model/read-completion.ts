import { listOf, parseJson, TooDeep } from '@countersign/contracts';
import { z } from 'zod';

/** The result of one question. `reason` is a class of failure in our words, never in those of the model or the server. */
export type Asked =
  | { readonly ok: true; readonly content: string; readonly cut: boolean }
  | { readonly ok: false; readonly reason: string };

const part = z.object({ text: z.string().catch(''), refusal: z.string().catch('') }).catch({ text: '', refusal: '' });
const Choice = z.object({
  finish_reason: z.unknown().optional(),
  message: z.object({
    // A text, or parts of which some have text. Any other content counts as empty.
    content: z.union([z.string(), listOf(part, 1000)]).catch(''),
    refusal: z.string().catch(''),
  }),
});
const Completion = z.object({ choices: z.tuple([Choice], z.unknown()) });
const Total = z.object({ usage: z.object({ total_tokens: z.int().positive() }) });
const Parts = z.object({
  usage: z.object({ prompt_tokens: z.int().positive(), completion_tokens: z.int().nonnegative() }),
});

const no = (reason: string): Asked => ({ ok: false, reason: `the model's server ${reason}` });

interface Read {
  readonly asked: Asked;
  /** All tokens; missing if the server gives no count. */
  readonly tokens?: number;
  /** The tokens of the question and those of the answer; missing if the server gives only one of them, or none. */
  readonly parts?: { readonly inputTokens: number; readonly outputTokens: number };
}

/** Reads the body of an answer with status 200, whatever the body is. */
export function readCompletion(body: string): Read {
  let json: unknown;
  try {
    json = parseJson(body);
  } catch (error) {
    if (error instanceof TooDeep) return { asked: no('answered with JSON that nests too deep') };
    const streamed = /^\s*(data|event|id|retry)?:/.test(body);
    return {
      asked: no(streamed ? 'streamed its answer, which nobody asked for' : 'answered with something other than JSON'),
    };
  }
  const total = Total.safeParse(json);
  const parts = Parts.safeParse(json);
  return {
    asked: askedOf(json),
    ...(total.success && { tokens: total.data.usage.total_tokens }),
    ...(parts.success && {
      parts: {
        inputTokens: parts.data.usage.prompt_tokens,
        outputTokens: parts.data.usage.completion_tokens,
      },
    }),
  };
}

function askedOf(json: unknown): Asked {
  const read = Completion.safeParse(json);
  if (!read.success) {
    const failed = z.object({ error: z.union([z.looseObject({}), z.string()]) }).safeParse(json).success;
    return no(failed ? 'answered with an error' : 'answered without a message');
  }
  const [{ finish_reason, message }] = read.data.choices;
  const parts = typeof message.content === 'string' ? [{ text: message.content, refusal: '' }] : message.content;
  if (message.refusal || finish_reason === 'content_filter' || parts.some((p) => p.refusal)) {
    return { ok: false, reason: 'the model refused' };
  }
  return { ok: true, content: parts.map((p) => p.text).join(''), cut: finish_reason === 'length' };
}
