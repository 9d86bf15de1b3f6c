import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { derivedId, topics } from '@countersign/contracts';
import { ago, Documented, Refused, RUNTIME, type Runtime, readBy } from '@countersign/runtime';
import { Body, Controller, Get, Headers, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { z } from 'zod';
import { ControlChangedAnswer, ControlsAnswer } from '../core/answers.js';
import { ControlRequest, changes, scopeProblem } from '../core/control.js';
import { problem } from '../core/problem.js';
import { type ControlRow, Store } from './console.repository.js';
import { IdempotencyKey } from './idempotency-key.js';
import { Notifier } from './notifier.service.js';
import { type ConsoleRequest, Needs } from './people.access.js';
import { SETTINGS, type Settings } from './settings.js';

@Controller('v1/controls')
export class Controls {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(Store) private readonly store: Store,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(Notifier) private readonly notifier: Notifier,
  ) {}

  @Get()
  @Documented({ summary: 'Every control, and who goes by it', answers: { 200: ControlsAnswer } })
  async list() {
    return { controls: await this.store.controls() };
  }

  /**
   * Answers with the control as it is now and with who goes by it: it waits a few seconds for the validator and the executors to say
   * so. What is not confirmed by then is published all the same, and may bind any moment. A stop that stands already is left as it is, with the reason it was made for. */
  @Post()
  @HttpCode(200)
  @Needs('operator')
  @Documented({
    summary: 'Stop or resume all, an agent, a play, a channel or an account',
    description:
      'Waits a few seconds for the validator and the executors to confirm it. An unconfirmed control is published all the same.',
    headers: { 'idempotency-key': IdempotencyKey },
    answers: { 200: ControlChangedAnswer },
    problems: [422],
  })
  async change(
    @Body({ schema: ControlRequest }) request: z.infer<typeof ControlRequest>,
    @Headers('idempotency-key') header: string | undefined,
    @Req() { principal: person }: ConsoleRequest,
  ) {
    const key = readBy(IdempotencyKey, header, 'Idempotency-Key');
    const wrong = scopeProblem(request.scope, await this.store.known());
    if (wrong && request.state === 'stopped') throw new Refused(wrong);

    // A key names one request: for the opposite state it names another one, since no stop may be taken for a repeat.
    const id =
      key === undefined ? randomUUID() : derivedId('control', person.person, request.scope, request.state, key);
    const cause = { source: '/countersign/console', id, correlationid: id };
    const done = await this.runtime.transact(cause, async (work) => {
      const current = (await work.ownState(topics.controls, [request.scope])).get(request.scope);
      if (!changes(current?.data ?? null, request)) return false;
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

  /** The control of a scope as soon as all go by it, or as it is then; it may have changed again meanwhile. */
  private async goneBy(scope: string): Promise<ControlRow | undefined> {
    for (const waited = ago(); ; await sleep(pollMs)) {
      const [control] = await this.store.controls(scope);
      if (!control || control.confirmed || waited() >= this.settings.confirmMs) return control;
    }
  }
}

/** How often is looked whether a control is confirmed, in milliseconds: for one person's request. */
const pollMs = 50;

/** What was never said needs nobody's confirmation. */
const nobody = { confirmed: true, confirmedBy: [], notConfirmedBy: [], unknown: [] };

/** A repeat of a request whose state somebody has changed since: to answer 200 would say that what was asked for holds. */
const overtaken = ({ scope, state }: ControlRequest, now: { state: string; by: string } | undefined) =>
  problem(
    422,
    'Key used before',
    `this key has set ${scope} to ${state} before, and ${now?.by ?? 'somebody'} has set it to ${now?.state ?? 'running'} since; nothing was changed: send a new key`,
    'Idempotency-Key',
  );
