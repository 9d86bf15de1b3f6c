/** After this time a slice takes unusually long. */
const slowMs = 30_000;

const seconds = (began: number): number => Math.round((performance.now() - began) / 1000);

/** The slices of partitions that are in work, and when each one began. */
export class SlicesInWork {
  private readonly slices = new Set<{ readonly place: string; readonly began: number }>();

  constructor(private readonly log: { warn(message: string): void }) {}

  /** Counts a slice as in work while `work` runs, and logs if that takes long. */
  async during<R>(place: string, work: () => Promise<R>): Promise<R> {
    const slice = { place, began: performance.now() };
    const long = setInterval(() => this.log.warn(`${place}: in work for ${seconds(slice.began)} s`), slowMs);
    this.slices.add(slice);
    try {
      return await work();
    } finally {
      clearInterval(long);
      this.slices.delete(slice);
    }
  }

  /** For partitions whose slice takes unusually long: how many seconds it has been in work. */
  slow(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      [...this.slices]
        .filter(({ began }) => performance.now() - began > slowMs)
        .map(({ place, began }) => [place, seconds(began)]),
    );
  }

  busy(place: string): boolean {
    return [...this.slices].some((slice) => slice.place === place);
  }
}
