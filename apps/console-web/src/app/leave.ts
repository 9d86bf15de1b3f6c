import { isSignedOut } from './api-problem.js';
import { drafts } from './drafts.js';
import { takeWayBack } from './way-back.js';

/** Makes this tab forget the person's drafts and the page that the person wanted to open. */
export function forgetPerson(): void {
  drafts().forgetAll();
  takeWayBack();
}

/**
 * Ends the session, then removes what the browser stores about the person. If the session is already over, the console has nothing
 * to end.
 */
export async function signOut(endSession: () => Promise<unknown>, forget: () => void): Promise<void> {
  try {
    await endSession();
  } catch (error) {
    if (!isSignedOut(error)) throw error;
  }
  forget();
}
