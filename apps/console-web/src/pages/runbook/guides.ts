/** The guides in the order of the list; the component of each is in `guide.page.tsx`. */
export const guides = [
  {
    guide: 'stop',
    title: 'Stop',
    when: 'Something acts as it should not, and you want it to end now. Or something is stopped and may go on.',
  },
  {
    guide: 'hand-back',
    title: 'Settle what is unresolved',
    when: 'An action was called and nobody knows whether it was done. You look into the connected system and write down what you found.',
  },
  {
    guide: 'replay',
    title: 'Handle a dead letter again',
    when: 'A service could not handle an event, and the cause is gone.',
  },
  {
    guide: 'gap',
    title: 'Acknowledge a gap',
    when: 'Records were deleted before a service read them. You find out what was lost, repair it, and write down what you did.',
  },
  {
    guide: 'drain',
    title: 'Let an agent run empty',
    when: 'You want to take an agent out of service and lose nothing that is under way.',
  },
] as const;
export type Guide = (typeof guides)[number]['guide'];
