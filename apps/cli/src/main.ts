import { program } from './program.js';

// A reader that needs no more output, such as `head`, closes the pipe: this is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
// kafkajs 2.2.4 sets timers in the past, and Node 24 warns about them. A caller cannot change that.
const warn = process.emitWarning.bind(process) as (...args: unknown[]) => void;
process.emitWarning = ((...args: unknown[]) => {
  if (!args.includes('TimeoutNegativeWarning')) warn(...args);
}) as typeof process.emitWarning;

await program().parseAsync();
