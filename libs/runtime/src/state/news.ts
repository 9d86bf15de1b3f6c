/** Lets many wait for the next time that something happens. */
export class News {
  private readonly listening = new Set<() => void>();

  /** It has happened: whoever waits goes on. */
  notify(): void {
    for (const go of [...this.listening]) go();
  }

  /** Resolves at the next `tell`, at the latest after `ms`. Who has gone on is remembered no longer. */
  next(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer);
        this.listening.delete(go);
        resolve();
      };
      const timer = setTimeout(go, ms);
      this.listening.add(go);
    });
  }

  get waiting(): number {
    return this.listening.size;
  }
}
