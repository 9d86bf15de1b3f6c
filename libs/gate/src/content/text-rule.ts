import { own, type PolicyPart, type TextRules } from '@countersign/contracts';
import type { Context, Rule } from '../rule.js';
import type { Subject } from '../subject.js';
import { findingOf, type Mark } from './marks.js';

/** What a rule about texts is made of: its setting, the actions that it concerns, and the places that it is against. */
interface TextRule<K extends keyof TextRules> {
  readonly name: string;
  readonly setting: K;
  readonly concerns?: (subject: Subject) => boolean;
  readonly marks: (setting: NonNullable<TextRules[K]>, context: Context) => readonly Mark[];
  /** What holds if nothing is marked. */
  readonly clean: string;
  /** What holds if neither the rules nor the charter have the setting. */
  readonly unset: string;
}

const hasTexts = ({ texts }: Subject): boolean => texts.length > 0;

/**
 * A rule about the texts of an action. It applies the setting of the rules for all agents and that of the agent's charter, each on
 * its own, so that a charter can only narrow. A permit names the agent's charter in any case.
 */
export const textRule = <K extends keyof TextRules>({
  name,
  setting,
  concerns = hasTexts,
  marks,
  clean,
  unset,
}: TextRule<K>): Rule => ({
  name,
  parts: ({ subject }) => (concerns(subject) ? [`rules.${setting}` satisfies PolicyPart] : []),
  weigh: (context) => {
    if (!concerns(context.subject)) return undefined;
    const { policy, charter } = context;
    const both: readonly TextRules[] = [policy.content.rules, charter.texts ?? {}];
    const settings = both.map((texts) => own(texts, setting) as TextRules[K]).filter((value) => value !== undefined);
    if (settings.length === 0) return findingOf([], unset);
    return findingOf(distinct(settings.flatMap((value) => marks(value, context))), clean);
  },
});

/** The rules and the charter may be against the same words. */
const distinct = (marks: readonly Mark[]): readonly Mark[] =>
  marks.filter((mark, i) => marks.findIndex((other) => isSame(mark, other)) === i);

const isSame = (a: Mark, b: Mark): boolean =>
  a.place === b.place && a.start === b.start && a.end === b.end && a.detail === b.detail && a.outcome === b.outcome;
