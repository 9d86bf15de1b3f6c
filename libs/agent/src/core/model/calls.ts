import type { ModelUse } from '@countersign/contracts';

/** The calls of one question: the first try and those after it. */
export type Calls = Omit<ModelUse, 'name'>;

/** A question as it is kept. Without calls, it was begun and nobody wrote down its end: one call at least, of unknown tokens. */
export interface StoredQuestion {
  readonly model: string;
  readonly calls: Calls | undefined;
}

const cutShort: Calls = { calls: 1, unknownCalls: 1, inputTokens: 0, outputTokens: 0 };

/** What an answer took of a model: of all its questions, in the order in which they were asked. `configured` is the model of now. */
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
