/** How far each partition of this member has come, by `topic/partition`. */
export class PartitionProgress {
  private readonly lags = new Map<string, number>();
  /** The next offset that is due, if it is known. */
  private readonly nextDue = new Map<string, number>();

  /** Notes that `next` is the next offset to be handled, and that the last fetch saw the partition's end at `end`. */
  behind(place: string, next: string, end: string): void {
    this.lags.set(place, Number(BigInt(end) - BigInt(next)));
  }

  /** A partition goes on at `next`. Everything before `next` is handled. */
  reached(place: string, next: string, end: string): void {
    this.behind(place, next, end);
    this.nextDue.set(place, Number(next));
  }

  /** Notes that a partition was set to this offset. */
  placed(place: string, at: number): void {
    this.nextDue.set(place, at);
  }

  /** The group was joined: where partitions go on is not known yet, and other members report their own partitions. */
  rejoined(owned: (place: string) => boolean): void {
    for (const place of this.lags.keys()) if (!owned(place)) this.lags.delete(place);
    this.nextDue.clear();
  }

  /** The offset that was due, if kafkajs asked for a later one; undefined if it did not, or if that is not known. */
  jumpedFrom(place: string, asked: number): number | undefined {
    const due = this.nextDue.get(place);
    return due !== undefined && asked > due ? due : undefined;
  }

  lag(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.lags);
  }

  positions(): ReadonlyMap<string, number> {
    return new Map(this.nextDue);
  }
}
