export { replayCommands } from './command.js';
