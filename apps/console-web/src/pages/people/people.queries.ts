import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../../app/api.js';
import type { operations } from '../../generated/console.js';

export type Person = operations['people_search']['responses'][200]['content']['application/json']['people'][number];
export type WholePerson = operations['people_show']['responses'][200]['content']['application/json'];
export type PersonAction =
  operations['people_actions']['responses'][200]['content']['application/json']['actions'][number];
export type PersonReveal =
  operations['reveals_list']['responses'][200]['content']['application/json']['reveals'][number];

const contactId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** By a contact's id, by an account's id or the beginning of its name, or by a role; everybody if the search is empty. */
export const peopleQuery = (sought: string) =>
  infiniteQueryOptions({
    queryKey: ['people', 'search', sought],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) =>
      answerOf(
        api.GET('/v1/people', {
          params: {
            query: {
              limit: 100,
              ...(sought !== '' && (contactId.test(sought) ? { contact: sought.toLowerCase() } : { account: sought })),
              ...(pageParam && { cursor: pageParam }),
            },
          },
        }),
      ),
    getNextPageParam: ({ next }) => next ?? undefined,
  });

export const personQuery = (id: string) =>
  queryOptions({
    queryKey: ['people', 'one', id],
    queryFn: () => answerOf(api.GET('/v1/people/{contactId}', { params: { path: { contactId: id } } })),
  });

export const personActionsQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ['people', 'actions', id],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) =>
      answerOf(
        api.GET('/v1/people/{contactId}/actions', {
          params: { path: { contactId: id }, query: { limit: 50, ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    getNextPageParam: ({ next }) => next ?? undefined,
  });

export const revealsQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ['people', 'reveals', id],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) =>
      answerOf(
        api.GET('/v1/people/{contactId}/reveals', {
          params: { path: { contactId: id }, query: { limit: 20, ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    getNextPageParam: ({ next }) => next ?? undefined,
  });
