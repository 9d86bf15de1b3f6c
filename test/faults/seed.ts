/** The seed that FAULTS_SEED names, else a new one. */
export function seedOf(env: Readonly<Record<string, string | undefined>>): number {
  const text = env.FAULTS_SEED;
  if (text === undefined || text === '') return Math.floor(Math.random() * 2 ** 32);
  if (!/^\d{1,10}$/.test(text) || Number(text) >= 2 ** 32)
    throw new Error(`FAULTS_SEED: an integer below 2^32 is expected, not "${text}"`);
  return Number(text);
}
