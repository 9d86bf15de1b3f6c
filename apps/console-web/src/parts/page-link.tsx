import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

export * from './paths.js';

interface Props {
  /** The address of one of our pages, with its ids encoded. */
  readonly to: string;
  readonly children: ReactNode;
  /** Without it the link has the size of the words around it. */
  readonly size?: 'sm';
  readonly className?: string;
  readonly 'aria-label'?: string;
  /** Opens in a tab of its own, if the person is writing something on this page. */
  readonly target?: '_blank';
}

/** A link to another page of the console. */
export const PageLink = ({ to, size, className = '', ...more }: Props) => (
  <Link to={to as string} className={`page-link ${size ?? ''} ${className}`.trim()} {...more} />
);
