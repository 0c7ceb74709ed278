import type { FormatDecoder } from '../api/format.ts';
import { decodeBthome } from './decode-bthome.ts';
import { decodeEddystoneTlm } from './decode-eddystone-tlm.ts';
import { decodeHci } from './decode-hci.ts';
import { decodeIbeacon } from './decode-ibeacon.ts';
import { decodeMinew } from './decode-minew.ts';
import { decodeRuuvi } from './decode-ruuvi.ts';
import { decodeWeightMeasurement } from './decode-weight-scale.ts';
import { decodeXiaomiScale } from './decode-xiaomi-scale.ts';

/** What `barrow decode` reads with this family's decoders. */
export const formats: Readonly<Record<string, FormatDecoder>> = {
  bthome: decodeBthome,
  ruuvi: decodeRuuvi,
  'xiaomi-scale': decodeXiaomiScale,
  'eddystone-tlm': decodeEddystoneTlm,
  minew: decodeMinew,
  'weight-scale': decodeWeightMeasurement,
  ibeacon: decodeIbeacon,
  hci: decodeHci,
};
