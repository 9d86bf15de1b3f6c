import { isSignedOut } from './api-problem.js';
import { drafts } from './drafts.js';
import { takeWayBack } from './way-back.js';

/** This tab forgets what its person began to write and where they wanted to go. */
export function forgetPerson(): void {
  drafts().forgetAll();
  takeWayBack();
}

/** Ends the session, then what the browser keeps of its person. Of a session that is over already the console ends nothing. */
export async function signOut(endSession: () => Promise<unknown>, forget: () => void): Promise<void> {
  try {
    await endSession();
  } catch (error) {
    if (!isSignedOut(error)) throw error;
  }
  forget();
}
