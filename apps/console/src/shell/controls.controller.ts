import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ControlScope, derivedId, topics } from '@countersign/contracts';
import { ago, Documented, Refused, RUNTIME, type Runtime, readBy } from '@countersign/runtime';
import { Body, Controller, Get, Headers, HttpCode, Inject, Post, Query, Req } from '@nestjs/common';
import { z } from 'zod';
import { ControlChangedAnswer, ControlsAnswer } from '../core/answers.js';
import { ControlRequest, changes, otherStop, scopeProblem } from '../core/control.js';
import { paged, ScopeCursor } from '../core/cursor.js';
import { problem } from '../core/problem.js';
import { Store } from './console.repository.js';
import { type ControlRow, ControlStore } from './controls.repository.js';
import { IdempotencyKey } from './idempotency-key.js';
import { Limit } from './limit.js';
import { Notifier } from './notifier.service.js';
import { type ConsoleRequest, Needs } from './people.access.js';
import { SETTINGS, type Settings } from './settings.js';

const Listing = z.object({
  scope: ControlScope.optional(),
  state: z.enum(['stopped', 'running']).optional().describe('stopped: what is in force; running: what was lifted'),
  cursor: ScopeCursor.optional().describe('Only lifted stops, behind this one'),
  limit: Limit,
});

@Controller('v1/controls')
export class Controls {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(Store) private readonly store: Store,
    @Inject(ControlStore) private readonly controls: ControlStore,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(Notifier) private readonly notifier: Notifier,
  ) {}

  @Get()
  @Documented({
    summary: 'Every stop in force, the stops that were lifted, and who goes by each',
    description:
      'First every stop in force, then the lifted ones, the latest first: only these are cut at the limit. With a scope: the control of this scope alone.',
    answers: { 200: ControlsAnswer },
  })
  async list(@Query({ schema: Listing }) { scope, state, cursor, limit }: z.infer<typeof Listing>) {
    if (scope !== undefined) {
      const control = await this.controls.of(scope);
      return { controls: control && (state ?? control.state) === control.state ? [control] : [], next: null };
    }
    const stops = state === 'running' || cursor ? [] : await this.controls.stops();
    if (state === 'stopped') return { controls: stops, next: null };
    const lifted = await this.controls.lifted(limit + 1, cursor);
    const { page, next } = paged(lifted, limit, (control) => `${control.changedAt},${control.scope}`);
    return { controls: [...stops, ...page], next };
  }

  /**
   * Answers with the control as it is now and with the readers that have confirmed it. It waits a few seconds for the validator and the
   * executors to confirm. An unconfirmed control is published all the same, and may take effect at any moment. A stop that exists already
   * stays as it is, with its original reason.
   */
  @Post()
  @HttpCode(200)
  @Needs('operator')
  @Documented({
    summary: 'Stop or resume all, an agent, a play, a channel or an account',
    description:
      'Waits a few seconds for the validator and the executors to confirm it. An unconfirmed control is published all the same.',
    headers: { 'idempotency-key': IdempotencyKey },
    answers: { 200: ControlChangedAnswer },
    problems: [409, 422],
  })
  async change(
    @Body({ schema: ControlRequest }) request: z.infer<typeof ControlRequest>,
    @Headers('idempotency-key') header: string | undefined,
    @Req() { principal: person }: ConsoleRequest,
  ) {
    const key = readBy(IdempotencyKey, header, 'Idempotency-Key');
    const wrong = scopeProblem(request.scope, await this.store.known());
    if (wrong && request.state === 'stopped') throw new Refused(wrong);

    // A key names one request. For the opposite state, the same key names another request, so that a stop is never taken for a repeat.
    const id =
      key === undefined ? randomUUID() : derivedId('control', person.person, request.scope, request.state, key);
    const cause = { source: '/countersign/console', id, correlationid: id };
    const done = await this.runtime.transact(cause, async (work) => {
      const current = (await work.ownState(topics.controls, [request.scope])).get(request.scope);
      if (!changes(current?.data ?? null, request)) return false;
      const other = otherStop(current?.data ?? null, request);
      if (other) throw new Refused(other);
      const data = { ...request, by: person.person };
      const version = work.putState(cause, topics.controls, { key: request.scope, data });
      await this.notifier.afterControl(work, cause, { ...data, version });
      return true;
    });
    const control = await this.goneBy(request.scope);
    if (done.repeated && (control?.state ?? 'running') !== request.state)
      throw new Refused(overtaken(request, control));
    const { confirmed, confirmedBy, notConfirmedBy, unknown } = control ?? nobody;
    return {
      changed: !done.repeated && done.result,
      control: control ?? null,
      ...{ confirmed, confirmedBy, notConfirmedBy, unknown },
    };
  }

  /** The control of a scope, as soon as all readers have confirmed it or the time is up. It may have changed again meanwhile. */
  private async goneBy(scope: string): Promise<ControlRow | undefined> {
    for (const waited = ago(); ; await sleep(pollMs)) {
      const control = await this.controls.of(scope);
      if (!control || control.confirmed || waited() >= this.settings.confirmMs) return control;
    }
  }
}

/** How often a person's request checks whether its control is confirmed, in milliseconds. */
const pollMs = 50;

/** A control that was never published needs no confirmation. */
const nobody = { confirmed: true, confirmedBy: [], notConfirmedBy: [], unknown: [] };

/** The answer to a repeated request whose state a person has changed since: 200 would say that the requested state is in force. */
const overtaken = ({ scope, state }: ControlRequest, now: { state: string; by: string } | undefined) =>
  problem(
    422,
    'Key used before',
    `this key has set ${scope} to ${state} before, and ${now?.by ?? 'somebody'} has set it to ${now?.state ?? 'running'} since; nothing was changed: send a new key`,
    'Idempotency-Key',
  );
