/** 16-bit UUIDs as four lower-case hex digits (Bluetooth SIG assigned numbers §3). */
export const UUID_BTHOME_V2 = 'fcd2';
export const UUID_WEIGHT_SCALE = '181d';
export const UUID_BODY_COMPOSITION = '181b';
export const UUID_ENVIRONMENTAL_SENSING = '181a';
export const UUID_WEIGHT_MEASUREMENT = '2a9d';
export const UUID_TEMPERATURE = '2a6e';
export const UUID_HUMIDITY = '2a6f';
export const UUID_PRESSURE = '2a6d';
export const UUID_EDDYSTONE = 'feaa';
export const UUID_MINEW = 'ffe1';

/** Company identifiers (Bluetooth SIG assigned numbers §7), sent little-endian. */
export const COMPANY_RUUVI = 0x0499;
export const COMPANY_APPLE = 0x004c;

/** AD types (Core Specification Supplement, part A). */
export const AD_SHORT_NAME = 0x08;
export const AD_COMPLETE_NAME = 0x09;
export const AD_SERVICE_DATA_16 = 0x16;
export const AD_SERVICE_DATA_32 = 0x20;
export const AD_SERVICE_DATA_128 = 0x21;
export const AD_MANUFACTURER_DATA = 0xff;

/** How a controller reports a signal strength that it did not measure (Core 5.4, Vol 4, Part E, §7.7.65.2). */
export const RSSI_UNKNOWN = 127;

/** BTHome v2 device information byte, https://bthome.io/format. */
export const BTHOME_ENCRYPTED = 0x01;
/** Reserved by bthome.io, used by bthome-ble: six address bytes follow, least significant first. */
export const BTHOME_ADDRESS_INCLUDED = 0x02;
export const BTHOME_TRIGGER_BASED = 0x04;
export const BTHOME_VERSION_SHIFT = 5;
export const BTHOME_VERSION = 2;
/** Trailer of an encrypted advertisement: counter u32 LE, then the message integrity check. */
export const BTHOME_COUNTER_BYTES = 4;
export const BTHOME_MIC_BYTES = 4;

/** Weight Measurement flags (Weight Scale Service 1.0 §3.2.1.1). */
export const WEIGHT_FLAG_IMPERIAL = 0x01;
export const WEIGHT_FLAG_TIME = 0x02;
export const WEIGHT_FLAG_USER = 0x04;
export const WEIGHT_FLAG_BMI = 0x08;
export const WEIGHT_UNSUCCESSFUL = 0xffff;
export const WEIGHT_USER_UNKNOWN = 0xff;
