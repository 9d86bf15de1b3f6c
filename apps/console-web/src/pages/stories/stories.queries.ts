import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../../app/api.js';
import type { paths } from '../../generated/console.js';
import { isOutcome, type Outcome } from './outcomes.js';

type AnswerTo<Path extends keyof paths> = paths[Path] extends {
  get: { responses: { 200: { content: { 'application/json': infer T } } } };
}
  ? T
  : never;
export type Story = AnswerTo<'/v1/stories'>['stories'][number];
/** One story as its page gets it, with the rules that refused it. */
export type WholeStory = NonNullable<AnswerTo<'/v1/stories/{id}'>['story']>;
export type Step = AnswerTo<'/v1/stories/{id}'>['steps'][number];

export interface Filter {
  readonly search?: string;
  readonly outcome?: Outcome;
  readonly agent?: string;
  readonly play?: string;
  readonly account?: string;
}

/** A filter from an address. Values that are no filter are left out. */
export function filterOf(search: Readonly<Record<string, unknown>>): Filter {
  const text = (name: string): string | undefined => {
    const value = search[name];
    return typeof value === 'string' || typeof value === 'number'
      ? String(value).slice(0, 300) || undefined
      : undefined;
  };
  const [looked, agent, play, account] = [text('search'), text('agent'), text('play'), text('account')];
  return {
    ...(looked !== undefined && { search: looked }),
    ...(isOutcome(search.outcome) && { outcome: search.outcome }),
    ...(agent !== undefined && { agent }),
    ...(play !== undefined && { play }),
    ...(account !== undefined && { account }),
  };
}

/** The console looks for three characters or more. */
export const fewestCharacters = 3;
const atOnce = 50;

export const storiesQuery = (filter: Filter) =>
  infiniteQueryOptions({
    queryKey: ['stories', filter],
    queryFn: ({ pageParam }) => {
      const before = pageParam === undefined ? {} : { before: pageParam };
      return answerOf(api.GET('/v1/stories', { params: { query: { ...filter, ...before, limit: atOnce } as never } }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
  });

export const storyQuery = (id: string) =>
  queryOptions({
    queryKey: ['stories', 'one', id],
    queryFn: () => answerOf(api.GET('/v1/stories/{id}', { params: { path: { id } } })),
  });

/** The bytes of an event never change. */
export const eventQuery = (step: string) =>
  queryOptions({
    queryKey: ['event', step],
    queryFn: () => answerOf(api.GET('/v1/events/{seq}/record', { params: { path: { seq: step } } })),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** The names that stories can be filtered by: those of the policy in force. */
export const namesQuery = queryOptions({
  queryKey: ['policy', 'names'],
  queryFn: async () => {
    const { content } = await answerOf(api.GET('/v1/policies'));
    return {
      agents: content.charters.map(({ agent }) => agent),
      plays: content.plays.map(({ id, title }) => ({ value: id, label: title })),
    };
  },
  staleTime: 60_000,
});
