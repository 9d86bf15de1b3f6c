import { Anchor, type AnchorProps } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

interface Props extends AnchorProps {
  /** The address of one of our pages, with its ids encoded. */
  readonly to: string;
  readonly children: ReactNode;
  readonly 'aria-label'?: string;
  /** Opens in a tab of its own, if the person is writing something on this page. */
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
