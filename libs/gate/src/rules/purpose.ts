import type { ConsentPurpose } from '@countersign/contracts';
import { type Context, type Finding, gravest, pass, type Rule, refuse, unclear } from '../rule.js';

/**
 * The play decides the purpose of a message outside a sequence, by the purpose or the sequence of its task. Otherwise the author
 * could choose the consent that applies.
 */
export const purpose: Rule = {
  name: 'purpose',
  parts: (context) =>
    concerned(context)
      ? [
          `play:${context.proposal.play.id}`,
          ...[...settingsOf(context), ...sequenceOf(context)].flatMap(({ sequence }) =>
            sequence === undefined ? [] : [`sequence:${sequence}` as const],
          ),
        ]
      : [],
  weigh: (context) => {
    if (!concerned(context)) return undefined;
    const { proposal, subject, policy } = context;
    const named = subject.consent?.purpose as ConsentPurpose;
    const play = proposal.play.id;
    const given = settingsOf(context).flatMap(
      (settings) => settings.purpose ?? policy.content.sequences.find((s) => s.id === settings.sequence)?.purpose ?? [],
    );
    if (given.length === 0) return unclear(`the play ${play} does not say what it is for`, { named });
    return gravest([
      given.includes(named)
        ? pass(`the play ${play} is for ${named}`)
        : refuse(`the play ${play} is for ${[...new Set(given)].join(', ')}, the action says ${named}`, { named }),
      ...sequenceOf(context).flatMap(({ sequence }): readonly Finding[] => {
        const purpose = policy.content.sequences.find((s) => s.id === sequence)?.purpose;
        if (purpose === named) return [];
        const detail = `the sequence ${sequence} of the task is ${purpose === undefined ? 'not in force' : `for ${purpose}`}, the action says ${named}`;
        return [purpose === undefined ? unclear(detail, { named }) : refuse(detail, { named })];
      }),
    ]);
  },
};

/** A sequence has its own purpose, which the rule `sequence` compares. */
const concerned = ({ subject }: Context): boolean => subject.consent !== undefined && subject.sequence === undefined;

/**
 * The sequence that gives the task its purpose, if the task names a sequence and no purpose. The rule `task` compares it. Another
 * task of the play may name another sequence.
 */
const sequenceOf = ({ facts: { task } }: Context): readonly { readonly sequence: string }[] => {
  const { sequence, purpose } = task?.named ?? {};
  return sequence === undefined || purpose !== undefined ? [] : [{ sequence }];
};

/** The settings of the play's tasks under which the agent may propose this. */
const settingsOf = ({ proposal, subject, policy }: Context) =>
  (policy.content.plays.find((p) => p.id === proposal.play.id)?.tasks ?? []).flatMap(({ agent, kinds, settings }) =>
    agent === proposal.agent && kinds.includes(subject.kind) && settings ? [settings] : [],
  );
