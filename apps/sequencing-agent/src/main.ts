import 'reflect-metadata';
import { serve } from '@countersign/runtime';
import { SequencingModule, spec } from './module.js';

await serve(SequencingModule, spec);
