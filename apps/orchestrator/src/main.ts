import 'reflect-metadata';
import { serve } from '@countersign/runtime';
import { OrchestratorModule, spec } from './module.js';

await serve(OrchestratorModule, spec);
