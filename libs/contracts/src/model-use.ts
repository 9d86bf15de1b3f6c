import { z } from 'zod';

/** Far more than one answer takes, so that the sum of many fits a column. */
const most = 1_000_000_000;

/** What one answer took of a language model. */
export const ModelUse = z.object({
  name: z.string().max(120),
  /** Requests that were sent to its server, those that failed or were repeated included. */
  calls: z.int().nonnegative().max(most),
  /** Those of which nobody knows the tokens: no answer came, or the answer does not say. */
  unknownCalls: z.int().nonnegative().max(most),
  /** Tokens of all other calls. */
  inputTokens: z.int().nonnegative().max(most),
  outputTokens: z.int().nonnegative().max(most),
});
export type ModelUse = z.infer<typeof ModelUse>;

/** What an answer took of a model, as the rest of a sentence. What nobody knows is never told as zero. */
export function modelUseDetail({ name, calls, unknownCalls, inputTokens, outputTokens }: ModelUse): string {
  if (calls === 0) return `the model ${name} was not called`;
  const called = `the model ${name} was called ${calls === 1 ? 'once' : `${calls} times`}`;
  if (unknownCalls > 0 && inputTokens + outputTokens === 0) return `${called}; how many tokens it took is not known`;
  const least = unknownCalls > 0 ? 'at least ' : '';
  const silent =
    unknownCalls > 0 ? `; those of ${unknownCalls === 1 ? '1 call' : `${unknownCalls} calls`} are not known` : '';
  return `${called}: ${least}${inputTokens} tokens in, ${least}${outputTokens} out${silent}`;
}
