import 'reflect-metadata';
import { serve } from '@countersign/runtime';
import { AuditRecorderModule, spec } from './module.js';

await serve(AuditRecorderModule, spec);
