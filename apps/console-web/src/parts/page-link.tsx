import { Anchor, type AnchorProps } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

interface Props extends AnchorProps {
  /** The address of a page of ours, its ids encoded. */
  readonly to: string;
  readonly children: ReactNode;
  readonly 'aria-label'?: string;
  /** In a tab of its own, where something is being written on this page. */
  readonly target?: '_blank';
}

/** A link to another page of the console. */
export const PageLink = ({ to, children, ...more }: Props) => (
  <Anchor component={Link} to={to as string} {...more}>
    {children}
  </Anchor>
);

export const storyPath = (id: string): string => `/stories/${encodeURIComponent(id)}`;
export const reviewPath = (id: string): string => `/reviews/${encodeURIComponent(id)}`;
export const agentPath = (agent: string): string => `/agents/${encodeURIComponent(agent)}`;
export const playPath = (playId: string): string => `/plays/${encodeURIComponent(playId)}`;
export const personPath = (contactId: string): string => `/people/${encodeURIComponent(contactId)}`;
