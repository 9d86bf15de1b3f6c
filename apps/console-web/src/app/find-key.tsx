import { useNavigate, useRouterState } from '@tanstack/react-router';
import { useEffect } from 'react';
import { askForSearch, useKeys } from './keys.js';

/** The page with the search handles the key of the search itself. */
const stories = '/stories';

/** The key that leads to the search. A part of its own, so that the frame is not rendered again when another page opens. */
export function FindKey() {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const navigate = useNavigate();
  useEffect(() => {
    // The person opened another page on the way to the search, so the search is no longer wanted.
    if (path !== stories) askForSearch(false);
  }, [path]);
  const find = () => {
    askForSearch(true);
    void navigate({ to: stories });
  };
  useKeys({ '/': path === stories ? undefined : find });
  return null;
}
