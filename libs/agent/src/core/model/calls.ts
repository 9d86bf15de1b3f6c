import type { ModelUse } from '@countersign/contracts';

/** The calls of one question: the first try and the repeats. */
export type Calls = Omit<ModelUse, 'name'>;

/** A question as it is stored. If it has no calls, it began and its end was never stored: at least one call with unknown tokens. */
export interface StoredQuestion {
  readonly model: string;
  readonly calls: Calls | undefined;
}

const cutShort: Calls = { calls: 1, unknownCalls: 1, inputTokens: 0, outputTokens: 0 };

/** The tokens that an answer used of a model, for all its questions in their order. `configured` is the model that is configured now. */
export function modelUse(questions: readonly StoredQuestion[], configured: string | undefined): ModelUse | undefined {
  const name = questions.at(-1)?.model ?? configured;
  if (name === undefined) return undefined;
  const calls = questions.map((question) => question.calls ?? cutShort);
  const sum = (member: keyof Calls): number => calls.reduce((total, call) => total + call[member], 0);
  return {
    name,
    calls: sum('calls'),
    unknownCalls: sum('unknownCalls'),
    inputTokens: sum('inputTokens'),
    outputTokens: sum('outputTokens'),
  };
}
