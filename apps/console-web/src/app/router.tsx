import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { actionsQuery, agentQuery, agentsQuery, usualDays } from '../pages/agents/agents.queries.js';
import { nowQuery } from '../pages/now/now.queries.js';
import { peopleQuery, personActionsQuery, personQuery, revealsQuery } from '../pages/people/people.queries.js';
import { playQuery, playsQuery, runsQuery } from '../pages/plays/plays.queries.js';
import { versionsQuery } from '../pages/policy/policy.queries.js';
import { checkpointsQuery, recordQuery } from '../pages/record/record.queries.js';
import { filterOf as reviewFilterOf } from '../pages/reviews/queue.js';
import {
  factsQuery,
  kindsQuery,
  openReviewsQuery,
  reviewQuery,
  reviewsQuery,
} from '../pages/reviews/reviews.queries.js';
import { deadLettersQuery, rejectedQuery, sourcesQuery } from '../pages/sources/sources.queries.js';
import { namesQuery, storiesQuery, filterOf as storyFilterOf, storyQuery } from '../pages/stories/stories.queries.js';
import { controlsQuery } from '../parts/controls.js';
import { NotFound } from '../parts/not-found.js';
import { Failed } from '../parts/problem.js';
import { queries } from './queries.js';
import { sessionQuery } from './session.js';
import { Shell } from './shell.js';

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound, errorComponent: Failed });

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: ({ next }: Record<string, unknown>): { next?: string } => (typeof next === 'string' ? { next } : {}),
  component: lazyRouteComponent(() => import('../pages/sign-in/sign-in.page.js'), 'SignInPage'),
});

/** Everything except the sign-in page. Without a session the person is sent there, and returns afterwards. */
const signedIn = createRoute({
  getParentRoute: () => root,
  id: 'signed-in',
  component: Shell,
  beforeLoad: async ({ location }) => {
    const session = await queries.ensureQueryData(sessionQuery);
    if (!session) throw redirect({ to: '/sign-in', search: { next: location.href } });
  },
});

interface Asked {
  readonly params: Readonly<Partial<Record<string, string>>>;
  readonly search: Readonly<Record<string, unknown>>;
}
/** Begins to read what a page shows. The page itself shows an error. */
type Reads = (asked: Asked) => readonly Promise<void>[];

const read = queries.prefetchQuery.bind(queries) as typeof queries.prefetchQuery;
const readPages = queries.prefetchInfiniteQuery.bind(queries) as typeof queries.prefetchInfiniteQuery;
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/**
 * A page inside the frame. Its code is loaded when the page is opened, or a moment before, when somebody points at a link to it.
 * The data of the page is read at the same time, and not only after the code has arrived.
 */
const page = <Path extends string>(path: Path, component: ReturnType<typeof lazyRouteComponent>, reads?: Reads) =>
  createRoute({
    getParentRoute: () => signedIn,
    path,
    component,
    loader: ({ params, location }) => {
      void reads?.({ params: params as Asked['params'], search: location.search as Asked['search'] });
    },
  });

/** One line for each page. The pages of the menu are also in `pages.ts`. */
const inside = [
  page(
    '/',
    lazyRouteComponent(() => import('../pages/now/now.page.js'), 'NowPage'),
    () => [read(nowQuery), readPages(openReviewsQuery)],
  ),
  page(
    '/reviews',
    lazyRouteComponent(() => import('../pages/reviews/reviews.page.js'), 'ReviewsPage'),
    ({ search }) => {
      const { state } = reviewFilterOf(search);
      return [readPages(reviewsQuery(state === 'all' ? undefined : state))];
    },
  ),
  page(
    '/reviews/$subjectId',
    lazyRouteComponent(() => import('../pages/reviews/review.page.js'), 'ReviewPage'),
    ({ params }) => [
      read(reviewQuery(text(params.subjectId))),
      read(factsQuery(text(params.subjectId))),
      readPages(openReviewsQuery),
      read(kindsQuery),
    ],
  ),
  page(
    '/runbook',
    lazyRouteComponent(() => import('../pages/runbook/runbook.page.js'), 'RunbookPage'),
  ),
  page(
    '/runbook/$guide',
    lazyRouteComponent(() => import('../pages/runbook/guide.page.js'), 'GuidePage'),
  ),
  page(
    '/sources',
    lazyRouteComponent(() => import('../pages/sources/sources.page.js'), 'SourcesPage'),
    () => [read(sourcesQuery)],
  ),
  createRoute({
    getParentRoute: () => signedIn,
    path: '/sources/rejected',
    validateSearch: ({ source, code }: Record<string, unknown>): { source?: string; code?: string } => ({
      ...(typeof source === 'string' && { source }),
      ...(typeof code === 'string' && { code }),
    }),
    loaderDeps: ({ search }) => search,
    loader: ({ deps }) => void readPages(rejectedQuery(deps)),
    component: lazyRouteComponent(() => import('../pages/sources/rejected.page.js'), 'RejectedPage'),
  }),
  page(
    '/sources/dead-letters',
    lazyRouteComponent(() => import('../pages/sources/dead-letters.page.js'), 'DeadLettersPage'),
    () => [readPages(deadLettersQuery)],
  ),
  createRoute({
    getParentRoute: () => signedIn,
    path: '/people',
    validateSearch: ({ q }: Record<string, unknown>): { q?: string } => (q === undefined ? {} : { q: String(q) }),
    loaderDeps: ({ search }) => search,
    loader: ({ deps }) => void readPages(peopleQuery(deps.q ?? '')),
    component: lazyRouteComponent(() => import('../pages/people/people.page.js'), 'PeoplePage'),
  }),
  page(
    '/people/$contactId',
    lazyRouteComponent(() => import('../pages/people/person.page.js'), 'PersonPage'),
    ({ params }) => [
      read(personQuery(text(params.contactId))),
      readPages(personActionsQuery(text(params.contactId))),
      readPages(revealsQuery(text(params.contactId))),
    ],
  ),
  page(
    '/agents',
    lazyRouteComponent(() => import('../pages/agents/agents.page.js'), 'AgentsPage'),
    () => [read(agentsQuery(usualDays))],
  ),
  page(
    '/agents/$agent',
    lazyRouteComponent(() => import('../pages/agents/agent.page.js'), 'AgentPage'),
    ({ params }) => [
      read(agentQuery(text(params.agent), usualDays)),
      readPages(actionsQuery(text(params.agent))),
      read(controlsQuery),
    ],
  ),
  page(
    '/plays',
    lazyRouteComponent(() => import('../pages/plays/plays.page.js'), 'PlaysPage'),
    () => [read(playsQuery)],
  ),
  page(
    '/plays/$playId',
    lazyRouteComponent(() => import('../pages/plays/play.page.js'), 'PlayPage'),
    ({ params }) => [
      read(playQuery(text(params.playId))),
      readPages(runsQuery(text(params.playId))),
      read(controlsQuery),
    ],
  ),
  page(
    '/policy',
    lazyRouteComponent(() => import('../pages/policy/policy.page.js'), 'PolicyPage'),
    () => [readPages(versionsQuery)],
  ),
  page(
    '/stories',
    lazyRouteComponent(() => import('../pages/stories/stories.page.js'), 'StoriesPage'),
    ({ search }) => [readPages(storiesQuery(storyFilterOf(search))), read(namesQuery)],
  ),
  page(
    '/stories/$id',
    lazyRouteComponent(() => import('../pages/stories/story.page.js'), 'StoryPage'),
    ({ params }) => [read(storyQuery(text(params.id))), read(recordQuery)],
  ),
  page(
    '/record',
    lazyRouteComponent(() => import('../pages/record/record.page.js'), 'RecordPage'),
    () => [read(recordQuery), readPages(checkpointsQuery)],
  ),
] as const;

export const router = createRouter({
  routeTree: root.addChildren([signIn, signedIn.addChildren(inside)]),
  // Loads the page that somebody points at. The code of the other pages is loaded by `pages-code.ts`, a file at a time, and then run: many
  // requests at once open all the connections that a browser allows to one address. If the network is lost, they all lead nowhere, and
  // the stream of changes waits behind them for a minute.
  defaultPreload: 'intent',
  // The queries cache what was read and know its age.
  defaultPreloadStaleTime: 0,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
