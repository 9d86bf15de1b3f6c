import { servicesOf } from '@countersign/contracts';
import { deployment, RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { GroupsSeen } from '../core/services.js';

/** Whoever looks at the page asks the broker at most so often, in milliseconds. */
const askedEveryMs = 3_000;
/** A page does not wait longer for the broker. */
const waitMs = 1_000;

/** What the broker says of the services' consumer groups. It is asked only while somebody looks. */
@Injectable()
export class Groups {
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
    } catch {
      // What a client library says of a broker is for the log of the service, not for a page.
      this.failed = 'it could not be asked';
    }
  }
}
