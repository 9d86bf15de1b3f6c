export { probeCommands } from './command.js';
