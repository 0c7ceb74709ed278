/** Three brokers of one kind on loopback. */
export interface Cluster extends AsyncDisposable {
  /** MQTT ports of the three nodes. */
  readonly mqttPorts: readonly number[];
  /** Ends one node by its process id (SIGKILL). */
  kill(node: number): Promise<void>;
}

/** Waits until `ready` answers true, looking every 250 ms. */
export async function becomes(what: string, ready: () => Promise<boolean>, withinMs: number): Promise<void> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    if (await ready()) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`${what} within ${withinMs / 1_000} s: it did not`);
}
