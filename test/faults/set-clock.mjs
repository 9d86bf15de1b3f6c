// Preloaded into a service by a test: SIGUSR2 sets its wall clock as far ahead as CLOCK_AHEAD_FILE says, in milliseconds.
import { readFileSync } from 'node:fs';

const Real = globalThis.Date;
let ahead = 0;
process.on('SIGUSR2', () => {
  ahead = Number(readFileSync(process.env.CLOCK_AHEAD_FILE, 'utf8'));
});
globalThis.Date = class extends Real {
  constructor(...given) {
    if (given.length === 0) super(Real.now() + ahead);
    else super(...given);
  }
  static now() {
    return Real.now() + ahead;
  }
};
