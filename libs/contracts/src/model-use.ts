import { z } from 'zod';

/** Far more than one answer uses, and small enough that the sum of many fits a column. */
const most = 1_000_000_000;

/** The use of a language model for one answer. */
export const ModelUse = z.object({
  name: z.string().max(120),
  /** Requests that were sent to its server, including those that failed or were repeated. */
  calls: z.int().nonnegative().max(most),
  /** Calls whose tokens are unknown: no answer came, or the answer does not say. */
  unknownCalls: z.int().nonnegative().max(most),
  /** Tokens of all other calls. */
  inputTokens: z.int().nonnegative().max(most),
  outputTokens: z.int().nonnegative().max(most),
});
export type ModelUse = z.infer<typeof ModelUse>;

/** The use of a model for an answer, as the rest of a sentence. An unknown number is never shown as zero. */
export function modelUseDetail({ name, calls, unknownCalls, inputTokens, outputTokens }: ModelUse): string {
  if (calls === 0) return `the model ${name} was not called`;
  const called = `the model ${name} was called ${calls === 1 ? 'once' : `${calls} times`}`;
  if (unknownCalls > 0 && inputTokens + outputTokens === 0) return `${called}; how many tokens it took is not known`;
  const least = unknownCalls > 0 ? 'at least ' : '';
  const silent =
    unknownCalls > 0 ? `; those of ${unknownCalls === 1 ? '1 call' : `${unknownCalls} calls`} are not known` : '';
  return `${called}: ${least}${inputTokens} tokens in, ${least}${outputTokens} out${silent}`;
}
