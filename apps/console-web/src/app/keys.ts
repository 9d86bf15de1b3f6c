import { useEffect, useRef } from 'react';

/** What each key does, in words, for the dialog that `?` opens. */
export interface Key {
  readonly key: string;
  readonly does: string;
  /** The role that may do it; absent: everybody who is signed in. */
  readonly role?: 'operator' | 'reviewer';
}

/** The keys that work on every page. */
export const keysEverywhere: readonly Key[] = [
  { key: 's', does: 'stop something', role: 'operator' },
  { key: '?', does: 'show the keys' },
  { key: '/', does: 'find a story' },
];
export const keysOfReviews: readonly Key[] = [
  { key: 'j', does: 'next review or story' },
  { key: 'k', does: 'review or story before' },
  { key: 'Enter', does: 'open it' },
  { key: 'a', does: 'go to the approve button; Enter approves', role: 'reviewer' },
  { key: 'e', does: 'edit it', role: 'reviewer' },
  { key: 'r', does: 'reject it', role: 'reviewer' },
];

/** Whether somebody asked for the search on a page that has none. Then the page Stories opens with the focus in its search. */
let searchAsked = false;
export const askForSearch = (asked: boolean): void => {
  searchAsked = asked;
};
/** True once for each request. */
export function takeSearch(): boolean {
  const asked = searchAsked;
  searchAsked = false;
  return asked;
}

/** Whether somebody is typing there, or a dialog is open. Then a letter is only a letter. */
const takesLetters = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName) ||
    target.closest('[role="dialog"], [role="listbox"], [role="menu"]') !== null);

/** Calls the function of a key while this part is shown. Forms and dialogs keep their own keys. */
export function useKeys(acts: Readonly<Record<string, (() => void) | undefined>>): void {
  const latest = useRef(acts);
  latest.current = acts;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || takesLetters(event.target))
        return;
      if (document.querySelector('[role="dialog"]')) return;
      // On a link or a button, Enter does what it does by default.
      if (event.key === 'Enter' && event.target instanceof HTMLElement && event.target.closest('a, button')) return;
      const act = Object.hasOwn(latest.current, event.key) ? latest.current[event.key] : undefined;
      if (!act) return;
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, []);
}
