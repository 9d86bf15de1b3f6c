import { Anchor, AppShell, Burger, Button, Group, NavLink, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconHandStop, IconKeyboard, IconLogout, IconPlugConnectedX } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { Outlet, useRouterState } from '@tanstack/react-router';
import { useEffect } from 'react';
import { StopsInForce } from '../parts/in-force.js';
import { KeysDialog } from '../parts/keys-dialog.js';
import { problemText } from '../parts/problem-text.js';
import { StopDialog } from '../parts/stop-dialog.js';
import { full, toTheSecond } from '../parts/times.js';
import { answerOf, api } from './api.js';
import { time } from './console-time.js';
import { FindKey } from './find-key.js';
import { useKeys } from './keys.js';
import { forgetPerson, signOut as leave } from './leave.js';
import { useLive } from './live.js';
import { Menu } from './menu.js';
import { useCodeOfPages } from './pages-code.js';
import { queries } from './queries.js';
import { endRenewal, useAuthor, useMay, useSession } from './session.js';
import { hearTabs, notifyTabs } from './tabs.js';
import { takeWayBack } from './way-back.js';

/** When these pages were opened. */
const opened = new Date(time.now()).toISOString();

/** The frame of every page: the menu, the stop button, and how fresh the shown data is. */
export function Shell() {
  const [menu, { toggle, close }] = useDisclosure();
  const [stopping, stop] = useDisclosure();
  const [keysShown, keys] = useDisclosure();
  const session = useSession();
  const author = useAuthor();
  const live = useLive(session?.signedInAt);
  useCodeOfPages(live);
  const mayStop = useMay('operator');
  const signOut = useMutation({
    mutationFn: () =>
      leave(
        () => answerOf(api.DELETE('/v1/session')),
        () => {
          endRenewal();
          forgetPerson();
          notifyTabs('signed-out');
        },
      ),
    onSuccess: () => window.location.assign('/sign-in'),
  });
  // The person has arrived, so the stored page is forgotten. The next person in this tab must not be sent to it.
  useEffect(() => void takeWayBack(), []);
  useEffect(
    () =>
      hearTabs((news) => {
        if (news === 'signed-out') forgetPerson();
        void queries.invalidateQueries({ queryKey: ['session'] });
      }),
    [],
  );
  useKeys({ s: mayStop ? stop.open : undefined, '?': keys.open });
  return (
    // Removes the drafts and the revealed names of one person before the next person signs in here.
    <AppShell
      key={author}
      header={{ height: 56 }}
      navbar={{ width: 200, breakpoint: 'sm', collapsed: { mobile: !menu } }}
      padding="md"
    >
      <AppShell.Header px="md">
        <Anchor href="#main" className="skip">
          Skip to the page
        </Anchor>
        <Group h="100%" justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap">
            <Burger
              opened={menu}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={menu ? 'Close the menu' : 'Open the menu'}
              aria-expanded={menu}
            />
            <Text fw={700} visibleFrom="xs">
              Countersign
            </Text>
          </Group>
          <Group gap="sm" wrap="nowrap">
            {session === undefined ? (
              <SignedOut />
            ) : live.connected ? (
              // Before the first message the element takes its space invisibly, so that nothing moves when the message comes.
              <Text
                size="xs"
                c="dimmed"
                className="as-of"
                title={full(live.at ?? opened)}
                {...(live.at === undefined && { style: { visibility: 'hidden' } })}
              >
                as of {toTheSecond(live.at ?? opened)}
              </Text>
            ) : (
              <Text size="xs" fw={600} className="lost" role="status">
                <IconPlugConnectedX size={16} aria-hidden /> No connection: this may be old
              </Text>
            )}
            <StopsInForce />
            {mayStop && (
              <Button
                color="red"
                className="never-narrower"
                leftSection={<IconHandStop size={18} aria-hidden />}
                onClick={stop.open}
              >
                Stop
              </Button>
            )}
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" component="nav" aria-label="Pages">
        <AppShell.Section grow className="menu">
          <Menu onChoose={close} />
        </AppShell.Section>
        <AppShell.Section>
          <NavLink
            component="button"
            label="Keyboard shortcuts"
            leftSection={<IconKeyboard size={18} aria-hidden />}
            onClick={keys.open}
            visibleFrom="sm"
          />
          <NavLink
            component="button"
            label="Sign out"
            description={signOut.isError ? `You are still signed in: ${problemText(signOut.error)}` : session?.person}
            leftSection={<IconLogout size={18} aria-hidden />}
            onClick={() => signOut.mutate()}
            disabled={signOut.isPending}
          />
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} className={live.connected && session !== undefined ? undefined : 'stale'}>
        <div className="page">
          <Outlet />
        </div>
      </AppShell.Main>
      <FindKey />
      {stopping && <StopDialog onClose={stop.close} />}
      {keysShown && <KeysDialog onClose={keys.close} />}
    </AppShell>
  );
}

function SignedOut() {
  const here = useRouterState({ select: (state) => state.location.href });
  return (
    <Text size="xs" fw={600} className="lost" role="status">
      <IconPlugConnectedX size={16} aria-hidden /> You are signed out: this may be old.{' '}
      <Button component="a" href={`/sign-in?next=${encodeURIComponent(here)}`} size="compact-sm">
        Sign in again
      </Button>
    </Text>
  );
}
