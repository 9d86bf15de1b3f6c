import type { ServerResponse } from 'node:http';
import { ForeignId } from '@countersign/contracts';
import { Documented, readBy } from '@countersign/runtime';
import { Body, Controller, Get, Inject, NotFoundException, Param, Put, Res } from '@nestjs/common';
import { z } from 'zod';
import type { Answer, Found } from '../core/answer.js';
import { AbsentAnswer, CallAnswer, FoundAnswer } from '../core/answers.js';
import { ActionCall, MailCall } from '../core/call.js';
import { Answers } from './answers.repository.js';
import { SYSTEMS, type System, type Systems } from './systems.js';
import { Needs } from './tokens.access.js';

interface Reply {
  readonly raw: ServerResponse;
  status(code: number): Reply;
}

const SystemName = z.string().min(1).max(100);

/** Makes a system do something, once per key, and says what it did. */
@Controller(':system/calls')
@Needs('connector')
export class Calls {
  constructor(
    @Inject(Answers) private readonly answers: Answers,
    @Inject(SYSTEMS) private readonly systems: Systems,
  ) {}

  @Put(':key')
  @Documented({
    summary: 'Make a system do something, once under a key',
    // The system is known only after the address is read, so the system's own schema reads the body.
    body: z.union([ActionCall, MailCall]),
    answers: { 200: CallAnswer },
    problems: [404],
  })
  call(
    @Param('system', { schema: SystemName }) name: string,
    @Param('key', { schema: ForeignId }) key: string,
    @Body() body: unknown,
    @Res({ passthrough: true }) { raw }: Reply,
  ): Promise<Answer> {
    const system = this.named(name);
    const gone = new AbortController();
    raw.once('close', () => {
      if (!raw.writableEnded) gone.abort();
    });
    return this.answers.once(system, key, readBy(system.takes, body, ''), gone.signal);
  }

  @Get(':key')
  @Documented({
    summary: 'What a system did under a key',
    answers: { 200: FoundAnswer, 404: AbsentAnswer },
    problems: [404],
  })
  async find(
    @Param('system', { schema: SystemName }) name: string,
    @Param('key', { schema: ForeignId }) key: string,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<Found> {
    const found = await this.answers.find(this.named(name), key);
    if (found.outcome === 'absent') reply.status(404);
    return found;
  }

  private named(name: string): System<unknown> {
    const system = this.systems.get(name);
    if (!system)
      throw new NotFoundException(`there is no such system here; there is ${[...this.systems.keys()].join(', ')}`);
    return system;
  }
}
