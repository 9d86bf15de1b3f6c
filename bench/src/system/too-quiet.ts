/**
 * The note about trials that were left out because too little happened for the last effect to mean anything. A few are chance and
 * only noted. If more than a tenth were left out, the figure is not valid.
 */
export function tooQuiet(made: number, measured: number, reason: string) {
  const left = made - measured;
  const detail = `${left} of ${made} ${reason}: not measured`;
  return { many: left > made / 10, detail, note: left > 0 ? `; ${detail}` : '' };
}
