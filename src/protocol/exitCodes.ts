// Exit codes of the command line, the same for every command.

export const exitCodes = {
  done: 0,
  /** The user's script or model failed. */
  failed: 1,
  /** Bad usage, a bad config, or a place that cannot be read or written. */
  usage: 2,
  /** Not even one example fits. */
  nothingFits: 3,
  /** No usable backend. */
  noBackend: 4,
  /** Interrupted; what can be saved is saved. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
