import type { Action, PolicyContent } from '@countersign/contracts';

/** The executor that a policy routes an action to; undefined where no route matches or there is no policy. */
export const executorOf = (action: Action, policy: PolicyContent | null): string | undefined =>
  policy?.routes.find(
    ({ kinds, accounts }) =>
      (kinds as readonly string[]).includes(action.kind) &&
      (accounts === undefined || (action.accountId !== undefined && accounts.includes(action.accountId))),
  )?.executor;
