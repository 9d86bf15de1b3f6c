/** Lets many callers wait for the next time that something happens. */
export class News {
  private readonly listening = new Set<() => void>();

  /** It has happened: every waiting caller goes on. */
  notify(): void {
    for (const go of [...this.listening]) go();
  }

  /** Resolves at the next `notify`, at the latest after `ms`. A caller that has gone on is no longer remembered. */
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
