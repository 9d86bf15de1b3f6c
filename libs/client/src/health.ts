import { jsonOf } from './body.js';
import type { Gap } from './core/answers.js';
import { ifThere, personToken, readingToken } from './credentials.js';
import { Failure } from './failure.js';
import type { Session } from './session.js';

/** What a service reports about itself; without `checks` if it does not know the caller. */
export interface HealthPage {
  readonly status?: string;
  readonly checks?: { readonly gaps?: readonly Omit<Gap, 'service'>[] } & Readonly<Record<string, unknown>>;
}

/** The health page of the service at this address, whatever its status. Undefined if there is none in time. */
export async function healthPage(
  { installation }: Pick<Session, 'installation'>,
  url: string,
  timeoutMs: number,
): Promise<(HealthPage & { code: number }) | undefined> {
  const token = ifThere(() => readingToken(installation)) ?? ifThere(() => personToken(installation));
  try {
    const response = await fetch(`${url}/health`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { ...((await jsonOf(response)) as HealthPage), code: response.status };
  } catch {
    return undefined;
  }
}

/** What to do if a service reports only its status. */
export const statusOnly =
  'tells only its status without the reading token of this installation: set COUNTERSIGN_READ_TOKEN, or put the token into credentials/reader.json beside run.json';

/**
 * The open gaps of every service, and the services that could not be asked. Throws a `Failure` if a service does not show its gaps
 * to this caller, because there would seem to be none.
 */
export async function gapsOf(s: Session): Promise<{ gaps: readonly Gap[]; unreachable: readonly string[] }> {
  const pages = await Promise.all(
    Object.entries(s.installation.urls).map(
      async ([service, url]) => [service, await healthPage(s, url, 10_000)] as const,
    ),
  );
  const untold = pages.flatMap(([service, page]) => (page && page.checks === undefined ? [service] : []));
  if (untold.length > 0) throw new Failure(2, `the health of ${untold.join(', ')} ${statusOnly}`);
  return {
    gaps: pages.flatMap(([service, page]) => (page?.checks?.gaps ?? []).map((gap) => ({ service, ...gap }))),
    unreachable: pages.flatMap(([service, page]) => (page === undefined ? [service] : [])),
  };
}
