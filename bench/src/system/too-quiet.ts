/**
 * What is to be said of trials that were left out, since too little happened for the last effect to mean anything. A few are chance
 * and a note; more than a tenth and the figure is not what it says.
 */
export function tooQuiet(made: number, measured: number, reason: string) {
  const left = made - measured;
  const detail = `${left} of ${made} ${reason}: not measured`;
  return { many: left > made / 10, detail, note: left > 0 ? `; ${detail}` : '' };
}
