import { Button, Code, Container, Loader, Paper, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useState } from 'react';
import { answerOf, api } from '../../app/api.js';
import { forgetPerson } from '../../app/leave.js';
import { nextPath } from '../../app/next.js';
import { queries } from '../../app/queries.js';
import { sessionQuery, takeRenewal } from '../../app/session.js';
import { hearTabs } from '../../app/tabs.js';
import { storeWayBack, takeWayBack } from '../../app/way-back.js';
import { Problem } from '../../parts/problem.js';

/** The code of a one-time link. It is removed from the address, so that it is in no history and nobody can read it on the screen. */
function takeCode(): string | undefined {
  const code = new URLSearchParams(window.location.hash.slice(1)).get('code') ?? undefined;
  if (code !== undefined) window.history.replaceState(null, '', window.location.pathname + window.location.search);
  return code;
}
// Only once for each visit: React may render the page twice, and a code can be used once.
const code = takeCode();
// Another link in the same tab changes only the part behind the #, and the browser does not load the page again.
window.addEventListener('hashchange', () => {
  const { pathname, hash } = window.location;
  if (pathname === '/sign-in' && new URLSearchParams(hash.slice(1)).has('code')) window.location.reload();
});

export function SignInPage() {
  const { next } = useSearch({ from: '/sign-in' });
  const navigate = useNavigate();
  const [used, setUsed] = useState(code === undefined);
  const ways = useQuery({ queryKey: ['sign-in'], queryFn: () => answerOf(api.GET('/v1/sign-in')) });
  const go = useCallback(() => {
    const wayBack = takeWayBack();
    return navigate({ href: nextPath(next ?? wayBack, window.location.origin), replace: true });
  }, [next, navigate]);
  const signIn = useMutation({
    mutationFn: async (given: string) => {
      await answerOf(api.POST('/v1/session', { body: { code: given } }));
      queries.clear();
      if (!(await queries.fetchQuery(sessionQuery)))
        throw new Error('The browser did not keep the session. Allow cookies for this address.');
    },
    onSuccess: go,
  });
  useEffect(() => {
    if (next !== undefined) storeWayBack(next);
  }, [next]);
  useEffect(
    () =>
      hearTabs(async (news) => {
        if (news === 'signed-out') {
          // The next person must not be sent to the page that this person wanted to open.
          forgetPerson();
          await navigate({ to: '/sign-in', search: {}, replace: true });
        }
        // The link was opened in another tab. This tab opens the page that its visitor wanted.
        if (news !== 'signed-in' || code !== undefined) return;
        if (await queries.fetchQuery({ ...sessionQuery, staleTime: 0 })) await go();
      }),
    [go, navigate],
  );
  useEffect(() => {
    if (used || code === undefined) return;
    setUsed(true);
    signIn.mutate(code);
  }, [used, signIn]);
  const openId = ways.data?.oidc;
  useEffect(() => {
    // A session of the provider is short, and a new one usually begins without a question. So the person need not press a button.
    if (code === undefined && openId && takeRenewal() === openId.url)
      window.location.replace(withNext(openId.url, next));
  }, [openId, next]);
  return (
    <Container size={440} py="xl" component="main">
      <title>Sign in · Countersign</title>
      <Paper withBorder p="lg">
        <Stack>
          <Title order={1} size="h3">
            Sign in to Countersign
          </Title>
          {signIn.isPending && (
            <Text role="status">
              <Loader size="xs" mr="xs" />
              Signing you in with the link
            </Text>
          )}
          {signIn.isError && <Problem error={signIn.error} />}
          {ways.isError && <Problem error={ways.error} again={() => void ways.refetch()} />}
          {/* The ways to sign in come together, so that none of them moves another one. */}
          {ways.isPending ? (
            !signIn.isPending && <Skeleton h={150} />
          ) : (
            <>
              {openId && (
                <Button component="a" href={withNext(openId.url, next)}>
                  Sign in with {openId.name}
                </Button>
              )}
              {!signIn.isPending && (
                <Stack gap="xs">
                  <Text>
                    {openId ? 'Or use a link.' : 'You need a link to sign in.'} In the project's folder, run this
                    command. If you have no token, ask the operator for one:
                  </Text>
                  <Code block>npx countersign sign-in</Code>
                  <Text size="sm" c="dimmed">
                    It prints a link. Open the link in this browser. It works once, for ten minutes.
                  </Text>
                </Stack>
              )}
            </>
          )}
        </Stack>
      </Paper>
    </Container>
  );
}

const withNext = (url: string, next: string | undefined): string => {
  const path = nextPath(next, window.location.origin);
  return path === '/' ? url : `${url}${url.includes('?') ? '&' : '?'}next=${encodeURIComponent(path)}`;
};
