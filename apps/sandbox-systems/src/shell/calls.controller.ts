import type { ServerResponse } from 'node:http';
import { ForeignId } from '@countersign/contracts';
import { readBy } from '@countersign/runtime';
import { Body, Controller, Get, Inject, NotFoundException, Param, Put, Res } from '@nestjs/common';
import type { Answer, Found } from '../core/answer.js';
import { Answers } from './answers.repository.js';
import { SYSTEMS, type System, type Systems } from './systems.js';
import { Needs } from './tokens.access.js';

interface Reply {
  readonly raw: ServerResponse;
  status(code: number): Reply;
}

/** How a system is made to do something, once under each key, and asked for what it did. */
@Controller(':system/calls')
@Needs('connector')
export class Calls {
  constructor(
    @Inject(Answers) private readonly answers: Answers,
    @Inject(SYSTEMS) private readonly systems: Systems,
  ) {}

  @Put(':key')
  call(
    @Param('system') name: string,
    @Param('key') key: string,
    @Body() body: unknown,
    @Res({ passthrough: true }) { raw }: Reply,
  ): Promise<Answer> {
    const system = this.named(name);
    const gone = new AbortController();
    raw.once('close', () => {
      if (!raw.writableEnded) gone.abort();
    });
    return this.answers.once(system, readBy(ForeignId, key, 'key'), readBy(system.takes, body, ''), gone.signal);
  }

  @Get(':key')
  async find(
    @Param('system') name: string,
    @Param('key') key: string,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<Found> {
    const found = await this.answers.find(this.named(name), readBy(ForeignId, key, 'key'));
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
