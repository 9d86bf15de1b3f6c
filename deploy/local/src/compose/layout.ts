/** Paths and numbers that the image, the compose file and the setup agree on. */
export const layout = {
  /** The project in the image. */
  root: '/app',
  config: '/app/deploy/config',
  /** The secrets of the whole installation. Only the setup sees them. */
  home: '/var/lib/countersign',
  /** Where the setup sees the folders of all services, one for each. */
  handover: '/handover',
  /** Where each service sees its own folder, and no other. */
  own: '/run/countersign',
  /** The user `node` of the image. */
  service: 1000,
  kafka: { uid: 1000, data: '/var/lib/kafka/data', port: 9092, controller: 9093, host: 29092 },
  postgres: { uid: 999, data: '/var/lib/postgresql', port: 5432 },
} as const;
