import { randomUUID } from 'node:crypto';
import { inspectionKinds, topics, Uuid } from '@countersign/contracts';
import { Documented, Refused, RUNTIME, type Runtime, type Tx } from '@countersign/runtime';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { z } from 'zod';
import {
  type Inspection,
  InspectionEnd,
  InspectionProgress,
  InspectionRequest,
  shownAsOpen,
  stateOfInspection,
} from '../core/inspection.js';
import { problem } from '../core/problem.js';
import { InspectionHeardAnswer, InspectionStartedAnswer, InspectionsAnswer } from '../core/record.answers.js';
import { InspectionStore, storeInspections } from './inspections.repository.js';
import { PathId } from './path-id.js';
import { type Caller, type ConsoleRequest, Needs } from './people.access.js';

/**
 * Audits and probes. They need logins that no service has, so an auditor runs them as a command, which reports here. Their start and
 * their results are on the record, and everyone can see their progress meanwhile.
 */
@Controller('v1/inspections')
export class Inspections {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    @Inject(InspectionStore) private readonly store: InspectionStore,
  ) {}

  @Get()
  @Documented({
    summary: 'Audits and probes: of each kind the one that runs, and the last one that ended',
    answers: { 200: InspectionsAnswer },
  })
  async list() {
    const at = this.runtime.now();
    const kinds = await Promise.all(
      inspectionKinds.map(async (kind) => {
        const { open, ended } = await this.store.latest(kind);
        return {
          kind,
          open: open && shownAsOpen(open, ended, at) ? shown(open, at) : null,
          last: ended ? shown(ended, at) : null,
        };
      }),
    );
    return { at, kinds };
  }

  @Post()
  @HttpCode(201)
  @Needs('auditor')
  @Documented({
    summary: 'Say that an audit or a probe has begun',
    description: 'The command that runs it says so, and then reports how far it is.',
    answers: { 201: InspectionStartedAnswer },
  })
  async start(
    @Body({ schema: InspectionRequest }) { kind }: z.infer<typeof InspectionRequest>,
    @Req() { principal }: ConsoleRequest,
  ) {
    const inspectionId = randomUUID();
    const cause = { source: '/countersign/console', id: inspectionId, correlationid: inspectionId };
    const done = await this.runtime.transact(cause, async (work) => {
      const data = { inspectionId, kind, by: principal.person, at: work.at };
      work.emit(cause, topics.inspections, {
        type: 'InspectionStarted',
        key: inspectionId,
        subject: inspectionId,
        data,
      });
      storeInspections(work.tx, [data], []);
      return { inspectionId, startedAt: work.at };
    });
    if (done.repeated) throw new TypeError('an id that was made at random was there before');
    return done.result;
  }

  @Post(':inspectionId/progress')
  @HttpCode(200)
  @Needs('auditor')
  @Documented({
    summary: 'Say how far an audit or a probe is',
    answers: { 200: InspectionHeardAnswer },
    problems: [404, 409],
  })
  async progress(
    @Param('inspectionId', { schema: PathId }) inspectionId: string,
    @Body({ schema: InspectionProgress }) progress: InspectionProgress,
    @Req() { principal }: ConsoleRequest,
  ) {
    await this.runtime.write(async (tx) => {
      const found = await this.own(tx, inspectionId, principal);
      if (found.end) throw new Refused(alreadyEnded(inspectionId));
      this.store.progress(tx, inspectionId, progress, this.runtime.now());
    });
    return { inspectionId, state: 'running' as const };
  }

  @Post(':inspectionId/end')
  @HttpCode(200)
  @Needs('auditor')
  @Documented({
    summary: 'Say what an audit or a probe found',
    description: 'It is said once. Whoever says it again is told what stands.',
    answers: { 200: InspectionHeardAnswer },
    problems: [404],
  })
  async end(
    @Param('inspectionId', { schema: PathId }) inspectionId: string,
    @Body({ schema: InspectionEnd }) end: InspectionEnd,
    @Req() { principal }: ConsoleRequest,
  ) {
    // The cause gets a new id each time: the row shows whether the inspection has ended.
    const cause = { source: '/countersign/console', id: randomUUID(), correlationid: inspectionId };
    const done = await this.runtime.transact(cause, async (work) => {
      const found = await this.own(work.tx, inspectionId, principal);
      if (found.end) return found.end.outcome;
      const { kind, by, startedAt } = found;
      const data = { inspectionId, kind, by, ...end, startedAt, at: work.at };
      work.emit(cause, topics.inspections, { type: 'InspectionEnded', key: inspectionId, subject: inspectionId, data });
      storeInspections(work.tx, [], [data]);
      return end.outcome;
    });
    if (done.repeated) throw new TypeError('an id that was made at random was there before');
    return { inspectionId, state: done.result };
  }

  /** The caller's own inspection. */
  private async own(tx: Tx, inspectionId: string, { person }: Caller): Promise<Inspection> {
    const found = Uuid.safeParse(inspectionId).success ? await this.store.lock(tx, inspectionId) : undefined;
    if (found?.by === person) return found;
    throw new Refused(
      problem(404, 'No such inspection', `${person} has begun no audit or probe under ${inspectionId}`),
    );
  }
}

const alreadyEnded = (inspectionId: string) =>
  problem(409, 'Already ended', `${inspectionId} has ended: begin another one to report on`);

const shown = (inspection: Inspection, at: string) => {
  const { inspectionId, kind, by, startedAt, heardAt, progress, end } = inspection;
  const state = stateOfInspection(inspection, at);
  return {
    ...{ inspectionId, kind, by, state, startedAt, heardAt, progress },
    endedAt: end?.at ?? null,
    checks: [...(end?.checks ?? [])],
  };
};
