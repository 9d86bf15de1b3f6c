export { auditCommands } from './command.js';
