import { servicesOf } from '@countersign/contracts';
import { deployment, describe, RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { GroupsSeen } from '../core/services.js';

/** The broker is asked at most once in this time, in milliseconds, however many people look at the page. */
const askedEveryMs = 3_000;
/** A page waits for the broker at most this long, in milliseconds. */
const waitMs = 1_000;

/** The services' consumer groups, as the broker reports them. The broker is asked only while a person looks at the page. */
@Injectable()
export class Groups {
  private readonly log = new Logger('groups');
  private readonly services: readonly string[] = servicesOf(deployment());
  private members: ReadonlyMap<string, number> = new Map();
  private readonly lastMemberAt = new Map<string, string>();
  private at: string | null = null;
  private failed: string | undefined;
  private asked: Promise<void> | undefined;
  private askedAt = 0;

  constructor(@Inject(RUNTIME) private readonly runtime: Runtime) {}

  async seen(): Promise<GroupsSeen> {
    if (this.asked === undefined && performance.now() - this.askedAt >= askedEveryMs) {
      this.asked = this.ask().finally(() => {
        this.askedAt = performance.now();
        this.asked = undefined;
      });
    }
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      this.asked,
      new Promise((done) => {
        timer = setTimeout(done, waitMs);
      }),
    ]);
    clearTimeout(timer);
    const { at, members, lastMemberAt, failed } = this;
    return { at, members, lastMemberAt, ...(failed !== undefined && { failed }) };
  }

  private async ask(): Promise<void> {
    try {
      const members = await this.runtime.membersOf(this.services);
      const at = this.runtime.now();
      for (const [service, n] of members) if (n > 0) this.lastMemberAt.set(service, at);
      this.members = members;
      this.at = at;
      this.failed = undefined;
    } catch (error) {
      // The client library's message about a broker belongs in the service's log, not on a page.
      if (this.failed === undefined)
        this.log.warn(`the broker was not asked for consumer groups: ${describe(error).detail}`);
      this.failed = 'it could not be asked';
    }
  }
}
