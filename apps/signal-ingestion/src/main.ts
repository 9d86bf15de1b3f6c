import 'reflect-metadata';
import { serve } from '@countersign/runtime';
import { SignalIngestionModule, spec } from './module.js';

await serve(SignalIngestionModule, spec);
