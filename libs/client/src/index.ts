export { jsonOf } from './body.js';
export { acts, explained, repeated } from './command.js';
export { credentialOf, ifThere } from './credentials.js';
export { deploymentIn } from './deployment.js';
export { endsOf } from './ends.js';
export { codeOf, Failure } from './failure.js';
export { gapsOf, healthPage, statusOnly } from './health.js';
export { brokerOf, publishedCheckpoints, type Range, readAll, readToEnds, write } from './kafka.js';
export type { Session } from './session.js';
