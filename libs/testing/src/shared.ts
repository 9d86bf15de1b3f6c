import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** The address at which the run's main process gives out a server, see global-setup.ts. */
    countersignServers: string;
  }
}

/** The servers that the files of one test run share, and what is returned about each. */
export interface SharedServers {
  readonly broker: {
    readonly bootstrap: string;
    readonly admin: { readonly username: string; readonly password: string };
  };
  readonly postgres: { readonly url: string };
}

/** The run's shared server, which the first caller starts; undefined if the run has no global setup. */
export async function sharedServer<K extends keyof SharedServers>(which: K): Promise<SharedServers[K] | undefined> {
  const from = inject('countersignServers') as string | undefined;
  if (!from) return undefined;
  const answer = await fetch(`${from}/${which}`);
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as SharedServers[K];
}
