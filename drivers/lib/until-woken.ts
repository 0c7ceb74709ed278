/** Waits until it is woken or the signal fires; leaves no listener behind. */
export function untilWoken(arm: (wake: () => void) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      signal.removeEventListener('abort', wake);
      resolve();
    };
    if (signal.aborted) {
      resolve();
      return;
    }
    signal.addEventListener('abort', wake, { once: true });
    arm(wake);
  });
}
