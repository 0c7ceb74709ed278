import type { EventEmitter } from 'node:events';

/** The part of noble that both libraries share. Neither ships types that fit the other. */
export interface NobleAdvertisement {
  localName: string | undefined;
  manufacturerData: Buffer | undefined;
  serviceData: { uuid: string; data: Buffer }[];
}

export interface NobleCharacteristic extends EventEmitter {
  readonly uuid: string;
  readonly properties: readonly string[];
  readAsync(): Promise<Buffer>;
  writeAsync(data: Buffer, withoutResponse: boolean): Promise<void>;
  subscribeAsync(): Promise<void>;
}

export interface NobleService {
  readonly uuid: string;
  discoverCharacteristicsAsync(uuids: readonly string[]): Promise<readonly NobleCharacteristic[]>;
}

export interface NoblePeripheral extends EventEmitter {
  readonly id: string;
  readonly address: string;
  readonly addressType: string;
  readonly connectable: boolean | number;
  readonly rssi: number;
  readonly state: string;
  readonly advertisement: NobleAdvertisement;
  connectAsync(): Promise<void>;
  cancelConnect(): void;
  disconnectAsync(): Promise<void>;
  discoverServicesAsync(uuids: readonly string[]): Promise<readonly NobleService[]>;
}

export interface Noble extends EventEmitter {
  /** Reading it for the first time starts the library. */
  readonly state: string;
  startScanning(services: readonly string[], allowDuplicates: boolean, callback?: (error?: Error | null) => void): void;
  stopScanning(callback?: () => void): void;
}
