import { Documented } from '@countersign/runtime';
import { Controller, Get } from '@nestjs/common';
import { KindsAnswer } from '../core/answers.js';
import { kinds } from '../core/kinds.js';

/** The kinds of actions. */
@Controller('v1/kinds')
export class Kinds {
  @Get()
  @Documented({ summary: 'The kinds of actions, with the JSON Schema of their payload', answers: { 200: KindsAnswer } })
  list() {
    return { kinds };
  }
}
