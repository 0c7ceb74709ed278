/** A device's end of a serial line, as a pseudo terminal or a test gives it. */
export interface DeviceLine {
  write(bytes: Uint8Array): Promise<void>;
  /** What the host wrote; ends with the plug or the signal. */
  chunks(signal: AbortSignal): AsyncIterable<Uint8Array>;
}
