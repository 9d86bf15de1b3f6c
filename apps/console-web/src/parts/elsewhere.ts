/**
 * Of executors of other teams that have never confirmed a control: what each is, and what a stop or its end means for its actions. The
 * validator approves nothing more for it. What it already has, only its own program can refuse (`libs/gate/README.md`).
 */
export const elsewhereWords = (names: readonly string[], state: 'stopped' | 'running'): string =>
  names
    .map((name) =>
      [
        `${name} is the executor of another team: it runs approved actions outside of this installation.`,
        state === 'stopped'
          ? 'Nothing new of what is stopped is approved for it. What was approved before, it must refuse, but it has never confirmed a stop, so nobody here can see whether it does.'
          : 'It has never confirmed a stop or a resume, so nobody here can see whether it goes on.',
        'Ask the people who run it.',
      ].join(' '),
    )
    .join(' ');
