import { encode, sha256, toHex } from '../pages/record/proof/bytes.js';
import { canonical } from './canonical.js';
import { longestLook, useLooked } from './use-looked.js';

/** The member `seen` of a request; nothing if it is not known, because no act waits for it. */
export interface WithSeen {
  readonly seen?: { readonly digest: string; readonly lookedMs: number };
}

/**
 * What the reader sees before an act: an answer of the console, or several. The result says it for the request of the act, as digest
 * and time. If the page shows several things, it is called with the one that the act concerns. The time begins again if the content
 * changes. If its figures change all the time, `about` says what they are of: then the time begins again if that changes.
 */
export function useSeen<T>(content: T | undefined, about?: string): (part?: unknown) => Promise<WithSeen> {
  const looked = useLooked(about ?? (content === undefined ? '' : canonical(content)));
  return async (part: unknown = content) => {
    if (part === undefined || globalThis.crypto?.subtle === undefined) return {};
    const lookedMs = Math.min(looked(), longestLook);
    return { seen: { digest: toHex(await sha256(encode(canonical(part)))), lookedMs } };
  };
}
