/** Where the runtime reports what an operator should know. */
export interface Log {
  log(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}
