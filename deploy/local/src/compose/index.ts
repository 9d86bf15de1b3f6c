export { secrets } from '../start/secrets.js';
export { servicePlans } from '../start/services.js';
export { composeFile, image } from './compose-file.js';
export { layout } from './layout.js';
