import { NavLink } from '@mantine/core';
import { Link, useRouterState } from '@tanstack/react-router';
import { memo } from 'react';
import { pages } from './pages.js';

/** The way to every page. When another page opens, only the two links that change are rendered again. */
export const Menu = memo(({ onChoose }: { readonly onChoose: () => void }) => {
  const path = useRouterState({ select: (state) => state.location.pathname });
  return pages.map((page) => (
    <Way
      key={page.to}
      page={page}
      current={page.to === '/' ? path === '/' : path.startsWith(page.to)}
      onChoose={onChoose}
    />
  ));
});

interface WayProps {
  readonly page: (typeof pages)[number];
  readonly current: boolean;
  readonly onChoose: () => void;
}

const Way = memo(({ page: { to, label, Icon }, current, onChoose }: WayProps) => (
  <NavLink
    component={Link}
    to={to}
    label={label}
    leftSection={<Icon size={18} aria-hidden />}
    active={current}
    aria-current={current ? 'page' : undefined}
    onClick={onChoose}
  />
));
