import { type Bounds, clamp } from '../core/clamp.js';
import { aliasesOf } from '../core/model/aliases.js';
import { answerSchema, offeredKinds } from '../core/model/answer-schema.js';
import { promptOf, repairOf } from '../core/model/prompt.js';
import { readAnswer } from '../core/model/read-answer.js';
import type { Plan, Planner, RulePlanner } from '../core/plan.js';
import { type Asking, answerTokens, askModel, type Message } from './ask-model.js';
import type { ModelAccess } from './model-access.js';

/** How many characters of an answer that did not fit are sent back to the model. More than its tokens allow would be of no use. */
const mostEchoed = 4 * answerTokens;

/**
 * Asks a model, once more if its answer does not fit. On any failure it uses the rules instead, and `by.fallback` says why. Every
 * such fallback is logged. Tokens are reserved before every question. Rejects only if `stop` was aborted or the budget cannot be
 * reached; then nothing was planned.
 */
export const modelPlanner = (deps: Asking & { readonly rules: RulePlanner; readonly bounds: Bounds }): Planner => ({
  name: deps.access.name,
  plan: async (task, facts, at) => {
    const fallback = (reason: string): Plan => {
      deps.log.warn(`task ${task.taskId}: the rules plan because ${reason}`);
      return { ...deps.rules.plan(task, facts, at), by: { kind: 'rules', name: deps.rules.name, fallback: reason } };
    };
    const begun = performance.now();
    const msLeft = (): number => Date.parse(task.dueAt) - Date.parse(at) - (performance.now() - begun);
    const kinds = offeredKinds(task, facts, deps.bounds.kinds);
    if (kinds.length === 0) return fallback('the facts leave a model nothing to choose from');
    const aliases = aliasesOf(facts);
    const schema = answerSchema(task, facts, kinds, aliases);
    const prompt = promptOf(task, facts, kinds, aliases, deps.bounds.most, at);
    const messages: Message[] = [
      { role: 'system', content: prompt.system },
      { role: 'user', content: prompt.user },
    ];
    let reason = '';
    for (const last of [false, true]) {
      const asked = await askModel(deps, messages, schema, timeFor(deps.access, msLeft()));
      if (!asked.ok) return fallback(asked.reason);
      const read = asked.cut
        ? ({ ok: false, detail: 'it is cut off' } as const)
        : readAnswer(asked.content, task, aliases);
      const fitting = read.ok ? clamp(read.plan, task, facts, at, deps.bounds) : undefined;
      const by = { kind: 'model', name: deps.access.name } as const;
      if (fitting && fitting.proposals.length > 0) return { ...fitting, by };
      if (read.ok && read.plan.proposals.length === 0 && read.plan.declined) return { ...read.plan, by };
      reason = read.ok ? 'nothing that the model proposed fits the task' : "the model's answer could not be read";
      if (!last) {
        const reasons = read.ok ? (fitting?.left ?? []) : [read.detail];
        messages.push(
          // Servers refuse an empty turn, and some refuse two turns of the user in a row.
          { role: 'assistant', content: asked.content.trim().slice(0, mostEchoed).toWellFormed() || '(no answer)' },
          {
            role: 'user',
            content: repairOf(reasons.length > 0 ? reasons : ['it neither proposes nor declines'], schema),
          },
        );
      }
    }
    return fallback(reason);
  },
});

/** The time limit of a question: at most half of the time that the task has left, so that the rules can still plan it in time. */
const timeFor = (access: ModelAccess, msLeft: number): number =>
  Math.max(1, Math.min(access.timeoutMs, Math.floor(msLeft / 2)));
