import type { GateState } from '@countersign/gate';
import { RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';

/** Which rows some permits are compared with. */
export interface Compared {
  readonly controls: readonly string[];
  readonly consents: readonly string[];
}

/** What this executor has read of the state that permits are compared with. */
@Injectable()
export class ComparedState {
  constructor(@Inject(RUNTIME) private readonly runtime: Pick<Runtime, 'state' | 'comparedAt' | 'read'>) {}

  /** The rows as they are now, held by nobody: for the look right before a call. */
  now(of: readonly Compared[]): Promise<GateState> {
    return this.in({ query: this.runtime.read.bind(this.runtime) }, of);
  }

  /** The rows in a transaction; with `lock` they are held FOR SHARE, always in the same order of topics. */
  async in(tx: Tx, of: readonly Compared[], lock?: 'share'): Promise<GateState> {
    // Before the rows: an age that is older than they are errs on the safe side.
    const {
      'controls.v1': controlsAt,
      'consents.v1': consentsAt,
      'policies.v1': policiesAt,
    } = this.runtime.comparedAt();
    const consentRows = await this.runtime.state<'ConsentsChanged'>(
      tx,
      'consents.v1',
      of.flatMap((c) => c.consents),
      lock,
    );
    const controlRows = await this.runtime.state<'ControlChanged'>(
      tx,
      'controls.v1',
      of.flatMap((c) => c.controls),
      lock,
    );
    const policy = (await this.runtime.state<'PolicyPublished'>(tx, 'policies.v1', ['main'], lock)).get('main');
    return {
      consents: Object.fromEntries(
        [...consentRows].map(([contactId, { version, data }]) => [
          contactId,
          { version, entries: data?.entries ?? [], suppressions: data?.suppressions ?? [] },
        ]),
      ),
      controls: Object.fromEntries(
        [...controlRows].map(([scope, { version, data }]) => [
          scope,
          data ? { version, state: data.state, by: data.by, reason: data.reason } : { version, state: 'running' },
        ]),
      ),
      policy: policy?.data ? { version: policy.version, parts: policy.data.parts } : null,
      comparedAt: { controls: controlsAt ?? null, consents: consentsAt ?? null, policies: policiesAt ?? null },
    };
  }
}
