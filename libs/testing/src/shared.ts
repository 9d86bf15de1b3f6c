import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the run's main process is asked for a server, see global-setup.ts. */
    countersignServers: string;
  }
}

/** Which servers one test run shares between its files, and what is told of each. */
export interface SharedServers {
  readonly broker: {
    readonly bootstrap: string;
    readonly admin: { readonly username: string; readonly password: string };
  };
  readonly postgres: { readonly url: string };
}

/** The run's shared server, started by the first to ask; nothing where the run has no global setup. */
export async function sharedServer<K extends keyof SharedServers>(which: K): Promise<SharedServers[K] | undefined> {
  const from = inject('countersignServers') as string | undefined;
  if (!from) return undefined;
  const answer = await fetch(`${from}/${which}`);
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as SharedServers[K];
}
