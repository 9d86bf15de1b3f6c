import { jsonOf } from './body.js';
import type { Gap } from './core/answers.js';
import type { Session } from './session.js';

/** What a service says of itself; undefined where it does not answer with a health page. */
export interface HealthPage {
  readonly status?: string;
  readonly checks?: { readonly gaps?: readonly Omit<Gap, 'service'>[] } & Readonly<Record<string, unknown>>;
}

/** The health page of the service at this address, whatever status it comes with. Undefined where there is none in time. */
export async function healthPage(url: string, timeoutMs: number): Promise<(HealthPage & { code: number }) | undefined> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(timeoutMs) });
    return { ...((await jsonOf(response)) as HealthPage), code: response.status };
  } catch {
    return undefined;
  }
}

/** The open gaps of every service, and who could not be asked. */
export async function gapsOf(s: Session): Promise<{ gaps: readonly Gap[]; unreachable: readonly string[] }> {
  const pages = await Promise.all(
    Object.entries(s.installation.urls).map(
      async ([service, url]) => [service, await healthPage(url, 10_000)] as const,
    ),
  );
  return {
    gaps: pages.flatMap(([service, page]) => (page?.checks?.gaps ?? []).map((gap) => ({ service, ...gap }))),
    unreachable: pages.flatMap(([service, page]) => (page === undefined ? [service] : [])),
  };
}
