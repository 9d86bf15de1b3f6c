import { actionKindNames, actionKinds, kindSpec } from '@countersign/contracts';
import { z } from 'zod';
import type { KindsAnswer } from './answers.js';

/** Every kind of action, with the JSON Schema of its payload, for an edit. */
export const kinds: z.infer<typeof KindsAnswer>['kinds'] = actionKindNames.map((kind) => {
  const { channel, reversibility } = actionKinds[kind];
  const { $schema: _dialect, ...payload } = z.toJSONSchema(kindSpec(kind)?.payload ?? z.never(), { io: 'input' });
  return { kind, channel, reversible: reversibility.reversible, payload };
});
