import 'reflect-metadata';
import { serve } from '@countersign/runtime';
import { ActionExecutorModule, spec } from './module.js';

await serve(ActionExecutorModule, spec);
