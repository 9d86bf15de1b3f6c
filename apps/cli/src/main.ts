import { program } from './program.js';

// A reader that has seen enough, such as `head`, closes the pipe: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
// kafkajs 2.2.4 sets timers in the past, which Node 24 warns of: nothing that a caller could do anything about.
const warn = process.emitWarning.bind(process) as (...args: unknown[]) => void;
process.emitWarning = ((...args: unknown[]) => {
  if (!args.includes('TimeoutNegativeWarning')) warn(...args);
}) as typeof process.emitWarning;

await program().parseAsync();
