import type { AgentRow } from './agents.queries.js';

type Tokens = AgentRow['figures']['tokens'];

const times = (n: number): string => (n === 1 ? 'once' : `${n.toLocaleString()} times`);
const named = ({ models }: Tokens): string => (models.length === 0 ? '' : ` (${models.join(', ')})`);

/** What is known of the tokens of an agent's model, as one or two sentences. An unknown number is never shown as zero. */
export function tokensSentence(tokens: Tokens): string {
  const { state, calls, unknownCalls, input, output } = tokens;
  switch (state) {
    case 'no-task':
      return 'It answered no task in this time, so it took no tokens of a model.';
    case 'no-model':
      return 'This agent calls no model: its rules plan.';
    case 'not-called':
      return `It did not call its model${named(tokens)} in this time.`;
    case 'unknown':
      return calls === 0
        ? 'It plans with a model and does not say how many tokens that takes.'
        : `It called its model${named(tokens)} ${times(calls)}. Nobody knows how many tokens that took: no answer says so.`;
    case 'at-least':
      return `It called its model${named(tokens)} ${times(calls)} and took at least ${counted(input)} tokens in and ${counted(output)} out. ${silent(unknownCalls)}`;
    case 'known':
      return `It called its model${named(tokens)} ${times(calls)} and took ${counted(input)} tokens in and ${counted(output)} out.`;
  }
}

const silent = (unknownCalls: number): string =>
  unknownCalls === 0
    ? 'Some of its answers do not say what they took.'
    : `The tokens of ${unknownCalls === 1 ? '1 call' : `${unknownCalls.toLocaleString()} calls`} are not known.`;

const counted = (n: number | null): string => (n ?? 0).toLocaleString();
