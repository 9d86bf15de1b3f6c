import 'reflect-metadata';
import { serve } from '@countersign/runtime';
import { ConsoleModule, spec } from './module.js';

await serve(ConsoleModule, spec);
