import 'reflect-metadata';
import { serve } from '@countersign/runtime';
import { GuardrailValidatorModule, spec } from './module.js';

await serve(GuardrailValidatorModule, spec);
