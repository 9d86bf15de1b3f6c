import { inject } from 'vitest';

/** What one test run shares between its files, see global-setup.ts. */
export interface SharedServers {
  readonly postgresUrl: string;
  readonly kafka: {
    readonly bootstrap: string;
    readonly admin: { readonly username: string; readonly password: string };
  };
}

declare module 'vitest' {
  interface ProvidedContext {
    countersign: SharedServers;
  }
}

/** The run's shared servers, or nothing where its configuration has no global setup. */
export function sharedServers(): SharedServers | undefined {
  return inject('countersign') as SharedServers | undefined;
}
