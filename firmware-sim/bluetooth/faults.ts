/** What is wrong with the adapter. Changed by a scenario at any time; the defaults are a sound one. */
export interface ControllerFaults {
  /** Scan-enable succeeds, and nothing is reported: until the named thing happens, or for ever. */
  silent: 'no' | 'until-scan-enable' | 'until-new-host' | 'until-reset' | 'for-ever';
  /** So many scan-enables are refused with "command disallowed". */
  refuseScanEnables: number;
  /** Disabling a scan that does not run is refused with "command disallowed" (BCM43455). */
  strictDisable: boolean;
  /** Commands are swallowed without an answer. */
  deaf: boolean;
  /** So many advertising reports lose their last bytes, their declared lengths unchanged inside. */
  truncateReports: number;
  /** Added before every answer. */
  delayMs: number;
}

export const soundController = (): ControllerFaults => ({
  silent: 'no',
  refuseScanEnables: 0,
  strictDisable: false,
  deaf: false,
  truncateReports: 0,
  delayMs: 0,
});
