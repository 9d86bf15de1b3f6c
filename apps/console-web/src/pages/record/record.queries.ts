import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../../app/api.js';

/** The address of the record, its key, and the largest checkpoint that the console has seen. */
export const recordQuery = queryOptions({
  queryKey: ['record'],
  queryFn: () => answerOf(api.GET('/v1/record')),
});

const atOnce = 100;

export const checkpointsQuery = infiniteQueryOptions({
  queryKey: ['record', 'checkpoints'],
  queryFn: ({ pageParam }) => {
    const before = pageParam === undefined ? {} : { before: String(pageParam) };
    return answerOf(api.GET('/v1/record/checkpoints', { params: { query: { ...before, limit: atOnce } as never } }));
  },
  initialPageParam: undefined as number | undefined,
  getNextPageParam: ({ next }) => next ?? undefined,
});

const mostCompared = 200;

/** Checkpoints that the console stored, spread from the oldest to the newest. A check reads them when it begins. */
export const spreadCheckpoints = () =>
  answerOf(api.GET('/v1/record/checkpoints', { params: { query: { spread: mostCompared } } }));

const passesAtOnce = 5;

/** Who asked to read the whole record, and why. */
export const passesQuery = infiniteQueryOptions({
  queryKey: ['record', 'passes'],
  queryFn: ({ pageParam }) => {
    const cursor = pageParam === undefined ? {} : { cursor: pageParam };
    return answerOf(api.GET('/v1/record/passes', { params: { query: { ...cursor, limit: passesAtOnce } as never } }));
  },
  initialPageParam: undefined as string | undefined,
  getNextPageParam: ({ next }) => next ?? undefined,
});

/** Audits and probes. If a command has died, it sends nothing that would make the page read this again. */
export const inspectionsQuery = queryOptions({
  queryKey: ['record', 'inspections'],
  queryFn: () => answerOf(api.GET('/v1/inspections')),
  refetchInterval: ({ state: { data } }) => (data?.kinds.some(({ open }) => open !== null) ? 15_000 : false),
});
export type KindOfInspection = Awaited<ReturnType<NonNullable<typeof inspectionsQuery.queryFn>>>['kinds'][number];
export type Inspection = NonNullable<KindOfInspection['last']>;
