import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
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

/** Everything but the sign-in page: without a session the person is sent there, and back afterwards. */
const signedIn = createRoute({
  getParentRoute: () => root,
  id: 'signed-in',
  component: Shell,
  beforeLoad: async ({ location }) => {
    const session = await queries.ensureQueryData(sessionQuery);
    if (!session) throw redirect({ to: '/sign-in', search: { next: location.href } });
  },
});

/** A page inside the frame; its code is loaded when it is opened. */
const page = <Path extends string>(path: Path, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => signedIn, path, component });

/** One line a page; those of the menu are also in `pages.ts`. */
const inside = [
  page(
    '/',
    lazyRouteComponent(() => import('../pages/now/now.page.js'), 'NowPage'),
  ),
  page(
    '/reviews',
    lazyRouteComponent(() => import('../pages/reviews/reviews.page.js'), 'ReviewsPage'),
  ),
  page(
    '/reviews/$subjectId',
    lazyRouteComponent(() => import('../pages/reviews/review.page.js'), 'ReviewPage'),
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
  ),
  createRoute({
    getParentRoute: () => signedIn,
    path: '/sources/rejected',
    validateSearch: ({ source, code }: Record<string, unknown>): { source?: string; code?: string } => ({
      ...(typeof source === 'string' && { source }),
      ...(typeof code === 'string' && { code }),
    }),
    component: lazyRouteComponent(() => import('../pages/sources/rejected.page.js'), 'RejectedPage'),
  }),
  page(
    '/sources/dead-letters',
    lazyRouteComponent(() => import('../pages/sources/dead-letters.page.js'), 'DeadLettersPage'),
  ),
  createRoute({
    getParentRoute: () => signedIn,
    path: '/people',
    validateSearch: ({ q }: Record<string, unknown>): { q?: string } => (q === undefined ? {} : { q: String(q) }),
    component: lazyRouteComponent(() => import('../pages/people/people.page.js'), 'PeoplePage'),
  }),
  page(
    '/people/$contactId',
    lazyRouteComponent(() => import('../pages/people/person.page.js'), 'PersonPage'),
  ),
  page(
    '/agents',
    lazyRouteComponent(() => import('../pages/agents/agents.page.js'), 'AgentsPage'),
  ),
  page(
    '/agents/$agent',
    lazyRouteComponent(() => import('../pages/agents/agent.page.js'), 'AgentPage'),
  ),
  page(
    '/plays',
    lazyRouteComponent(() => import('../pages/plays/plays.page.js'), 'PlaysPage'),
  ),
  page(
    '/plays/$playId',
    lazyRouteComponent(() => import('../pages/plays/play.page.js'), 'PlayPage'),
  ),
  page(
    '/policy',
    lazyRouteComponent(() => import('../pages/policy/policy.page.js'), 'PolicyPage'),
  ),
  page(
    '/stories',
    lazyRouteComponent(() => import('../pages/stories/stories.page.js'), 'StoriesPage'),
  ),
  page(
    '/stories/$id',
    lazyRouteComponent(() => import('../pages/stories/story.page.js'), 'StoryPage'),
  ),
  page(
    '/record',
    lazyRouteComponent(() => import('../pages/record/record.page.js'), 'RecordPage'),
  ),
] as const;

export const router = createRouter({
  routeTree: root.addChildren([signIn, signedIn.addChildren(inside)]),
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
