import 'reflect-metadata';
import { serve } from '@countersign/runtime';
import { PaidMediaModule, spec } from './module.js';

await serve(PaidMediaModule, spec);
